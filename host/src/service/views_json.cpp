#include "service/views_json.hpp"

#include "base/path_text.hpp"
#include "base/utc_text.hpp"

#include <nlohmann/json.hpp>

namespace stationsync::host {

namespace {

using nlohmann::json;

json time_or_null(core::WallTime time) {
    return time.us == 0 ? json(nullptr) : json(utc_text(time.us));
}

json digest_or_null(const std::optional<core::Digest>& digest) {
    return digest ? json(core::to_text(*digest)) : json(nullptr);
}

json names_of(const core::Engine& engine, const std::vector<core::StationId>& stations) {
    json names = json::array();
    for (const core::StationId& id : stations)
        names.push_back(engine.station_name(id));
    return names;
}

json check_json(const core::CheckResult& check) {
    return {{"check", check.check},   {"ours", check.ours},
            {"theirs", check.theirs}, {"limit", check.limit},
            {"text", check.text},     {"remedy", check.remedy},
            {"passed", check.passed}, {"suspends_only", check.suspends_only}};
}

json checks_json(const std::vector<core::CheckResult>& checks) {
    json list = json::array();
    for (const core::CheckResult& check : checks)
        list.push_back(check_json(check));
    return list;
}

json waits_json(const core::Engine& engine, const std::vector<core::WaitView>& waits) {
    json list = json::array();
    for (const core::WaitView& wait : waits)
        list.push_back({{"station", engine.station_name(wait.station)},
                        {"station_id", core::to_text(wait.station)},
                        {"here", wait.station == engine.meta().station},
                        {"cause", core::to_text(wait.hindrance)},
                        {"text", wait.text},
                        {"since", time_or_null(wait.since)},
                        {"until", wait.until ? time_or_null(*wait.until) : json(nullptr)}});
    return list;
}

json object_json(const core::Engine& engine, const core::ObjectView& view) {
    json object = {{"provider", view.id.provider},
                   {"key", view.id.key},
                   {"state", core::to_text(view.state)},
                   {"reason", view.reason},
                   {"progress", view.progress},
                   {"size", view.bytes},
                   {"changed_at", time_or_null(view.changed_at)},
                   {"author", engine.station_name(view.author)},
                   {"author_id", core::to_text(view.author)},
                   {"stamp", core::to_text(view.stamp)},
                   {"digest", digest_or_null(view.digest)},
                   {"present_on", names_of(engine, view.present_on)},
                   {"waits_on", waits_json(engine, view.waits_on)},
                   {"conflict", nullptr}};
    if (view.conflict)
        object["conflict"] = {{"with", engine.station_name(view.conflict->with)},
                              {"at", time_or_null(view.conflict->at)},
                              {"loser_kept_on", names_of(engine, view.conflict->loser_kept_on)},
                              {"order_uncertain", view.conflict->order_uncertain}};
    return object;
}

} // namespace

json providers_json(const Runtime& runtime, bool with_digests) {
    const core::Engine& engine = runtime.engine();
    json list = json::array();
    for (const core::ProviderView& view : engine.providers()) {
        TransferBytes bytes;
        const auto& all = runtime.transfer_bytes();
        if (const auto place = all.find(view.name); place != all.end())
            bytes = place->second;
        const json digest = with_digests ? json(runtime.provider_digest(view.name)) : json(nullptr);
        list.push_back({{"name", view.name},
                        {"plugin", view.plugin},
                        {"state", core::to_text(view.state)},
                        {"reason", view.reason},
                        {"objects", view.objects},
                        {"unsynced", view.unsynced},
                        {"digest", digest},
                        {"published", view.published},
                        {"applied", view.applied},
                        {"bytes_received", bytes.received},
                        {"bytes_sent", bytes.sent},
                        {"last_applied_at", time_or_null(view.last_applied_at)},
                        {"waits_on", waits_json(engine, view.waits_on)}});
    }
    // Configured, but switched off: the engine knows nothing of them.
    for (const ProviderConfig& config : runtime.settings().project.providers) {
        const bool known = std::any_of(list.begin(), list.end(), [&](const json& each) {
            return each["name"] == config.name;
        });
        if (!known)
            list.push_back({{"name", config.name},
                            {"plugin", config.plugin},
                            {"state", "disabled"},
                            {"reason", "disabled in the project file"},
                            {"objects", 0},
                            {"unsynced", 0},
                            {"digest", nullptr},
                            {"published", 0},
                            {"applied", 0},
                            {"bytes_received", 0},
                            {"bytes_sent", 0},
                            {"last_applied_at", nullptr},
                            {"waits_on", json::array()}});
    }
    return list;
}

json stopped_providers_json(const ProjectConfig& project) {
    json list = json::array();
    for (const ProviderConfig& config : project.providers)
        list.push_back(
            {{"name", config.name},
             {"plugin", config.plugin},
             {"state", config.enabled ? "suspended" : "disabled"},
             {"reason", config.enabled ? "the engine is stopped" : "disabled in the project file"},
             {"objects", 0},
             {"unsynced", 0},
             {"digest", nullptr},
             {"published", 0},
             {"applied", 0},
             {"bytes_received", 0},
             {"bytes_sent", 0},
             {"last_applied_at", nullptr},
             {"waits_on", json::array()}});
    return list;
}

json message_json(const StoredMessage& message) {
    return {{"id", message.id},           {"severity", severity_text(message.severity)},
            {"text", message.text},       {"remedy", message.remedy},
            {"subject", message.subject}, {"since", time_or_null(message.since)},
            {"values", message.values}};
}

json messages_json(const std::vector<StoredMessage>& messages) {
    json list = json::array();
    for (const StoredMessage& message : messages)
        list.push_back(message_json(message));
    return list;
}

json stations_json(const core::Engine& engine) {
    json list = json::array();
    for (const core::StationView& view : engine.stations()) {
        json station = {{"id", view.id ? json(core::to_text(*view.id)) : json(nullptr)},
                        {"name", view.name},
                        {"project", view.project},
                        {"protocol", view.protocol},
                        {"product_version", view.product_version},
                        {"addresses", view.addresses},
                        {"found", view.found},
                        {"found_by", view.found_by},
                        {"state", core::to_text(view.state)},
                        {"blocked", view.blocked},
                        {"reasons", checks_json(view.reasons)},
                        {"checks", checks_json(view.checks)},
                        {"time_difference_ms", nullptr},
                        {"time_uncertainty_ms", nullptr},
                        {"last_seen", time_or_null(view.last_seen)}};
        if (view.time_difference) {
            station["time_difference_ms"] = view.time_difference->count() / 1000;
            station["time_uncertainty_ms"] = (view.time_uncertainty.count() + 999) / 1000;
        }
        list.push_back(std::move(station));
    }
    return list;
}

json objects_json(const core::Engine& engine, std::string_view provider, std::string_view key) {
    json list = json::array();
    if (!key.empty()) {
        if (const auto view = engine.object({std::string(provider), std::string(key)}))
            list.push_back(object_json(engine, *view));
        return list;
    }
    for (const core::ObjectView& view : engine.objects(provider))
        list.push_back(object_json(engine, view));
    return list;
}

json explain_json(const core::Engine& engine, const core::ObjectView& view) {
    json answer = object_json(engine, view);
    json lines = json::array();
    if (view.author != core::StationId{})
        lines.push_back("Last change: " + utc_text(view.changed_at.us) + " on " +
                        engine.station_name(view.author) + ".");
    if (view.conflict)
        lines.push_back("In conflict with a change on " + engine.station_name(view.conflict->with) +
                        (view.conflict->order_uncertain
                             ? "; which of the two was later cannot be told for certain."
                             : ", which was earlier."));
    const std::string not_held_yet = "does not hold this state yet";
    json stations = json::array();
    for (const core::StationView& station : engine.stations()) {
        if (!station.id)
            continue;
        const bool present = std::find(view.present_on.begin(), view.present_on.end(),
                                       *station.id) != view.present_on.end();
        const bool linked = station.state == core::StationState::connected;
        const auto wait =
            std::find_if(view.waits_on.begin(), view.waits_on.end(),
                         [&](const core::WaitView& each) { return each.station == *station.id; });
        stations.push_back({{"id", core::to_text(*station.id)},
                            {"name", station.name},
                            {"state", present  ? "in_sync"
                                      : linked ? "waiting"
                                               : "unknown"},
                            {"reason", present                       ? "holds this state"
                                       : !linked                     ? "not connected"
                                       : wait != view.waits_on.end() ? wait->text
                                                                     : not_held_yet}});
    }
    answer["text"] = std::move(lines);
    answer["stations"] = std::move(stations);
    return answer;
}

namespace {

// A state that was kept then may have been trimmed since, or its file is gone.
bool is_still_kept(const core::Engine& engine, const core::HistoryEntry& entry) {
    const core::ObjectRecord* const record = entry.kept ? engine.record(entry.object) : nullptr;
    return record &&
           std::any_of(record->kept.begin(), record->kept.end(), [&](const core::KeptState& kept) {
               return core::version_id(kept.revision, kept.package) == entry.version;
           });
}

} // namespace

json history_json(const core::Engine& engine, const std::vector<core::HistoryEntry>& entries) {
    json list = json::array();
    for (const core::HistoryEntry& entry : entries)
        list.push_back({{"version", entry.version},
                        {"at", time_or_null(entry.at)},
                        {"provider", entry.object.provider},
                        {"key", entry.object.key},
                        {"what", core::to_text(entry.what)},
                        {"from", engine.station_name(entry.from)},
                        {"stamp", core::to_text(entry.stamp)},
                        {"replaced_stamp", core::to_text(entry.replaced_stamp)},
                        {"size", entry.bytes},
                        {"bytes_transferred", entry.transferred_bytes},
                        {"kept", is_still_kept(engine, entry)},
                        {"kept_on", names_of(engine, entry.kept_on)}});
    return list;
}

json plugins_json(const PluginRegistry& plugins) {
    json list = json::array();
    for (const auto& kind : plugins.kinds())
        list.push_back({{"name", kind->id},
                        {"title", kind->name},
                        {"kind", kind->is_provider ? "provider" : "discovery"},
                        {"version", kind->version},
                        {"vendor", kind->vendor},
                        {"abi", std::to_string(kind->module->abi_major) + "." +
                                    std::to_string(kind->module->abi_minor)},
                        {"file", path_text(kind->file)},
                        {"reason", ""}});
    for (const RefusedPlugin& refused : plugins.refused())
        list.push_back({{"name", path_text(refused.file.filename())},
                        {"title", ""},
                        {"kind", ""},
                        {"version", ""},
                        {"vendor", ""},
                        {"abi", ""},
                        {"file", path_text(refused.file)},
                        {"reason", refused.text}});
    return list;
}

} // namespace stationsync::host
