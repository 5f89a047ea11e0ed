// What a request must name before it is carried out, and what it is told when it does not.
#include "service/service.hpp"

#include "base/path_text.hpp"
#include "service/arguments.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace stationsync::host {

namespace {

std::string listed(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names)
        text += (text.empty() ? "" : ", ") + name;
    return text;
}

} // namespace

bool Service::need_engine(ReplyFunction& done) const {
    if (runtime_)
        return true;
    done(reply_error(ReplyCode::unavailable,
                     "The engine is stopped" +
                         (stopped_reason_.empty() ? std::string(".") : ": " + stopped_reason_),
                     "`stationsync start` starts it, after what is named here was mended."));
    return false;
}

// `config` is the project's; a provider that is not in it has neither objects nor a state.
bool Service::need_provider(const ProjectConfig& config, const std::string& provider,
                            bool must_be_enabled, ReplyFunction& done) const {
    const auto& all = config.providers;
    const auto place = std::ranges::find(all, provider, &ProviderConfig::name);
    const std::string project = "project \"" + config.name + "\"";
    if (place == all.end()) {
        std::vector<std::string> names;
        names.reserve(all.size());
        for (const ProviderConfig& each : all)
            names.push_back(each.name);
        done(reply_error(ReplyCode::not_found,
                         "There is no provider \"" + provider + "\" in " + project + "; it has " +
                             (names.empty() ? "none yet" : listed(names)) + ".",
                         "Correct the name, or add [providers." + provider + "] to " +
                             path_text(config.file) + " and run `stationsync restart`."));
        return false;
    }
    if (must_be_enabled && !place->enabled) {
        done(reply_error(ReplyCode::refused,
                         "Provider \"" + provider + "\" is disabled in " + project + ".",
                         "`stationsync project enable " + provider + "` enables it."));
        return false;
    }
    return true;
}

bool Service::need_object(const core::ObjectId& object, ReplyFunction& done) const {
    if (runtime_->engine().object(object))
        return true;
    done(reply_error(ReplyCode::not_found, "No object " + core::to_text(object) + " is known here.",
                     "`stationsync objects` lists all objects; what was made just now is found by "
                     "the next scan."));
    return false;
}

std::optional<core::ObjectId> Service::object_of(const nlohmann::json& arguments,
                                                 ReplyFunction& done) const {
    core::ObjectId id{text_of(arguments, "provider"), text_of(arguments, "key")};
    if (!id.provider.empty() && !id.key.empty())
        return id;
    done(reply_error(ReplyCode::bad_request, "The command needs `provider` and `key`.",
                     "Give both as text in the JSON object of the request."));
    return std::nullopt;
}

// A whole id, or a beginning that names one station only.
std::optional<core::StationId> Service::station_of(const nlohmann::json& arguments,
                                                   ReplyFunction& done) const {
    std::string wanted = text_of(arguments, "station");
    std::transform(wanted.begin(), wanted.end(), wanted.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (const auto whole = parse_station_id(wanted))
        return whole;
    std::vector<core::StationId> matching;
    for (const core::StationView& station : runtime_->engine().stations())
        if (station.id && !wanted.empty() && core::to_text(*station.id).starts_with(wanted))
            matching.push_back(*station.id);
    if (matching.size() == 1)
        return matching.front();
    done(reply_error(matching.empty() ? ReplyCode::not_found : ReplyCode::bad_request,
                     matching.empty()
                         ? "No known station has an id that begins with '" + wanted + "'."
                         : "Several stations have an id that begins with '" + wanted + "'.",
                     "`stationsync stations --json` shows the whole ids."));
    return std::nullopt;
}

} // namespace stationsync::host
