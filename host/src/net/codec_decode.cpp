#include "net/codec.hpp"

#include "net/address.hpp"
#include "net/names.hpp"
#include "net/wire_records.hpp"
#include "net/wire_scan.hpp"

#include <algorithm>
#include <limits>

namespace stationsync::host {

using namespace wire_code;

namespace {

constexpr std::size_t revision_bytes_max = std::size_t{1} << 20;

core::Rank read_rank(std::uint32_t rank, Checks& checks) {
    checks.require(rank <= static_cast<std::uint32_t>(core::Rank::plant), "a rank is unknown");
    return static_cast<core::Rank>(std::min(rank, std::uint32_t{2}));
}

// Addresses are hints: what is none, or too many of them, is left out.
template <class Repeated>
std::vector<std::string> read_addresses(const Repeated& in) {
    std::vector<std::string> addresses;
    for (const std::string& address : in) {
        if (static_cast<int>(addresses.size()) < wire_limits::addresses &&
            parse_host_port(address, 1)) {
            addresses.push_back(address);
        }
    }
    return addresses;
}

std::string read_station_name(const std::string& in, Checks& checks) {
    checks.require(valid_station_name(in), "a station name is not allowed");
    return checks.ok() ? in : std::string();
}

core::ProviderProfile read(const wire::ProviderProfile& in, Checks& checks) {
    core::ProviderProfile out;
    out.name = checks.provider(in.name());
    out.plugin = checks.text(in.plugin(), wire_limits::text_bytes, "the name of a plugin");
    out.plugin_version =
        checks.text(in.plugin_version(), wire_limits::text_bytes, "the version of a plugin");
    out.known = in.known();
    out.established = in.established();
    if (checks.count(in.tokens(), wire_limits::tokens, "a provider has too many tokens")) {
        for (const wire::Token& token : in.tokens()) {
            out.tokens.push_back(wire_code::read(token, checks));
        }
    }
    return out;
}

core::Message read(const wire::Profile& in, Checks& checks) {
    core::Profile out;
    out.protocol_major = in.protocol_major();
    out.protocol_minor = in.protocol_minor();
    out.station = read_station(in.station(), checks);
    out.run_id = in.run_id();
    out.station_name = read_station_name(in.station_name(), checks);
    checks.require(valid_project_name(in.project()), "a project name is not allowed");
    out.project = in.project();
    out.product_version =
        checks.text(in.product_version(), wire_limits::text_bytes, "the product version");
    // A policy that this version does not know is not ours: the check tells so.
    out.on_provider_mismatch = static_cast<core::ProviderMismatch>(
        std::min<std::uint32_t>(in.on_provider_mismatch(), 255));
    out.addresses = read_addresses(in.addresses());
    if (checks.count(in.providers(), wire_limits::providers, "there are too many providers")) {
        for (const wire::ProviderProfile& provider : in.providers()) {
            out.providers.push_back(read(provider, checks));
        }
    }
    // The engine relies on the order and on one entry for each name.
    const auto before = [](const auto& a, const auto& b) { return !(a.name < b.name); };
    checks.require(std::adjacent_find(out.providers.begin(), out.providers.end(), before) ==
                       out.providers.end(),
                   "the providers of a profile are not sorted");
    return out;
}

core::Message read(const wire::Verdicts& in, Checks& checks) {
    core::Verdicts out;
    if (checks.count(in.verdicts(), wire_limits::providers, "there are too many verdicts")) {
        for (const wire::TokenVerdict& verdict : in.verdicts()) {
            out.verdicts.push_back(
                {checks.verdict_subject(verdict.provider()), verdict.compatible(),
                 checks.text(verdict.text(), wire_limits::text_bytes, "a verdict")});
        }
    }
    out.number = in.number();
    return out;
}

core::Message read(const wire::TimeReport& in, Checks& checks) {
    return core::TimeReport{
        core::Duration{checks.time(in.offset_us(), "a time difference").us},
        checks.duration(in.uncertainty_us(), "the uncertainty of a time difference")};
}

core::Message read(const wire::Greeting& in, Checks& checks) {
    core::Greeting out;
    out.incarnation = in.incarnation();
    out.answer_wanted = in.answer_wanted();
    if (checks.count(in.known(), wire_limits::known, "there are too many incarnations")) {
        for (const wire::KnownOfYou& known : in.known()) {
            out.known.push_back({known.incarnation(), checks.number(known.sequence(), "a sequence"),
                                 checks.number(known.index(), "an index position")});
        }
    }
    return out;
}

core::Message read(const wire::IndexRequest& in, Checks& checks) {
    core::IndexRequest out;
    out.incarnation = in.incarnation();
    out.after = checks.number(in.after(), "an index position");
    out.wants_answer = !in.only_acknowledges();
    return out;
}

core::SetEntry read(const wire::SetEntry& in, const core::ObjectId& object, Checks& checks) {
    core::SetEntry out;
    out.revision =
        std::make_shared<const core::Revision>(wire_code::read(in.revision(), object, checks));
    out.rank = read_rank(in.rank(), checks);
    out.clock_wrong = in.clock_wrong();
    return out;
}

core::IndexEntry read(const wire::IndexEntry& in, Checks& checks) {
    core::IndexEntry out;
    out.object = wire_code::read(in.object(), checks);
    out.held = wire_code::read(in.held(), checks);
    out.index = checks.number(in.index(), "an index position");
    const bool fits =
        checks.count(in.set(), wire_limits::set, "an object has too many revisions") &&
        checks.count(in.packages(), wire_limits::packages, "an object has too many packages") &&
        checks.count(in.kept(), wire_limits::set, "an object has too many kept revisions");
    if (!fits) {
        return out;
    }
    for (const wire::SetEntry& entry : in.set()) {
        if (!checks.ok()) {
            return out; // a hostile message is not unpacked to its end
        }
        out.set.push_back(read(entry, out.object, checks));
    }
    for (const wire::LocalPackage& package : in.packages()) {
        out.packages.push_back({wire_code::read_named(package.revision(), checks),
                                wire_code::read(package.package(), checks), package.live()});
    }
    for (const wire::RevisionName& kept : in.kept()) {
        out.kept.push_back(wire_code::read_named(kept, checks));
    }
    return out;
}

core::Message read(const wire::IndexBatch& in, Checks& checks) {
    core::IndexBatch out;
    out.incarnation = in.incarnation();
    out.after = checks.number(in.after(), "an index position");
    out.last = checks.number(in.last(), "an index position");
    out.more = in.more();
    const bool fits =
        checks.count(in.entries(), wire_limits::entries, "an index has too many entries") &&
        checks.count(in.established(), wire_limits::providers, "there are too many providers");
    if (!fits) {
        return out;
    }
    out.entries.reserve(static_cast<std::size_t>(in.entries_size()));
    for (const wire::IndexEntry& entry : in.entries()) {
        if (!checks.ok()) {
            return out;
        }
        out.entries.push_back(read(entry, checks));
    }
    for (const std::string& provider : in.established()) {
        out.established.push_back(checks.provider(provider));
    }
    return out;
}

core::Message read(const wire::PendingChange& in, Checks& checks) {
    return core::PendingChange{wire_code::read(in.object(), checks), in.active(),
                               checks.time(in.since_us(), "the time of a change")};
}

core::Message read(const wire::PartialPackage& in, Checks& checks) {
    return core::PartialPackage{wire_code::read(in.object(), checks),
                                wire_code::read(in.revision(), checks),
                                wire_code::read(in.package(), checks), in.active()};
}

core::Message read(const wire::Introductions& in, Checks& checks) {
    core::Introductions out;
    if (checks.count(in.stations(), wire_limits::stations, "there are too many stations")) {
        for (const wire::Introduction& station : in.stations()) {
            out.stations.push_back({read_station(station.id(), checks),
                                    read_station_name(station.name(), checks),
                                    read_addresses(station.addresses())});
        }
    }
    return out;
}

core::Message read(const wire::BlockList& in, Checks& checks) {
    core::BlockList out;
    if (checks.count(in.entries(), wire_limits::blocked, "too many stations are blocked")) {
        for (const wire::BlockEntry& entry : in.entries()) {
            out.entries.push_back({read_station(entry.id(), checks), entry.blocked(),
                                   wire_code::read(entry.stamp(), checks),
                                   read_station(entry.by(), checks)});
        }
    }
    return out;
}

core::Message read(const wire::KeptQuery& in, Checks& checks) {
    return core::KeptQuery{wire_code::read(in.object(), checks),
                           checks.text(in.version(), wire_limits::text_bytes, "a version")};
}

core::Message read(const wire::KeptAnswer& in, Checks& checks) {
    core::KeptAnswer out;
    out.object = wire_code::read(in.object(), checks);
    out.version = checks.text(in.version(), wire_limits::text_bytes, "a version");
    out.found = in.found();
    if (in.has_revision()) {
        out.revision = std::make_shared<const core::Revision>(
            wire_code::read(in.revision(), out.object, checks));
    }
    if (in.has_package() && out.found) {
        out.package = wire_code::read(in.package(), checks);
    }
    checks.require(!out.found || in.has_package(), "a kept state has no package");
    return out;
}

core::Message read(const wire::VerifyRequest& in, Checks& checks) {
    return core::VerifyRequest{in.request(), checks.provider(in.provider())};
}

core::Message read(const wire::VerifyReport& in, Checks& checks) {
    core::VerifyReport out;
    out.request = in.request();
    out.provider = checks.provider(in.provider());
    out.checked = checks.number(in.checked(), "a count");
    if (checks.count(in.different(), wire_limits::different, "a report names too many objects")) {
        for (const std::string& key : in.different()) {
            out.different.push_back(checks.text(key, wire_limits::key_bytes, "an object's key"));
        }
    }
    return out;
}

core::Message read(const wire::ApplyState& in, Checks& checks) {
    core::ApplyState out;
    out.provider = checks.provider(in.provider());
    // What this version does not know keeps the sender waiting all the same.
    out.hindrance = static_cast<core::Hindrance>(
        std::min(in.hindrance(), static_cast<unsigned>(core::Hindrance::other)));
    out.text = checks.text(in.text(), wire_limits::text_bytes, "why something waits");
    out.since = checks.time(in.since_us(), "the time since which something waits");
    if (in.has_until_us()) {
        out.until = checks.time(in.until_us(), "the end of a hold");
    }
    out.number = in.number();
    return out;
}

std::optional<core::Message> read(const wire::EngineMessage& in, Checks& checks) {
    switch (in.body_case()) {
    case wire::EngineMessage::kProfile:
        return read(in.profile(), checks);
    case wire::EngineMessage::kVerdicts:
        return read(in.verdicts(), checks);
    case wire::EngineMessage::kTimeReport:
        return read(in.time_report(), checks);
    case wire::EngineMessage::kGreeting:
        return read(in.greeting(), checks);
    case wire::EngineMessage::kIndexRequest:
        return read(in.index_request(), checks);
    case wire::EngineMessage::kIndexBatch:
        return read(in.index_batch(), checks);
    case wire::EngineMessage::kPendingChange:
        return read(in.pending_change(), checks);
    case wire::EngineMessage::kPartialPackage:
        return read(in.partial_package(), checks);
    case wire::EngineMessage::kIntroductions:
        return read(in.introductions(), checks);
    case wire::EngineMessage::kBlockList:
        return read(in.block_list(), checks);
    case wire::EngineMessage::kKeptQuery:
        return read(in.kept_query(), checks);
    case wire::EngineMessage::kKeptAnswer:
        return read(in.kept_answer(), checks);
    case wire::EngineMessage::kVerifyRequest:
        return read(in.verify_request(), checks);
    case wire::EngineMessage::kVerifyReport:
        return read(in.verify_report(), checks);
    case wire::EngineMessage::kApplyState:
        return read(in.apply_state(), checks);
    case wire::EngineMessage::BODY_NOT_SET:
        break;
    }
    return std::nullopt;
}

} // namespace

Checked<std::optional<core::Message>> decode_message(std::span<const std::byte> payload) {
    wire::EngineMessage parsed;
    if (payload.size() > engine_bytes_max || !may_be_parsed(payload, WireKind::engine_message) ||
        !parsed.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
        return BadInput{"a message of the peer is damaged"};
    }
    Checks checks;
    std::optional<core::Message> message = read(parsed, checks);
    if (!checks.ok()) {
        return BadInput{checks.problem()};
    }
    return message;
}

Checked<std::optional<HostMessage>> decode_host_message(std::span<const std::byte> payload) {
    wire::HostMessage parsed;
    if (payload.size() > engine_bytes_max ||
        !parsed.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
        return BadInput{"a message of the peer is damaged"};
    }
    if (parsed.body_case() != wire::HostMessage::kKeyUpdate) {
        return std::optional<HostMessage>();
    }
    const wire::KeyUpdate& in = parsed.key_update();
    Checks checks;
    KeyUpdate update;
    update.made_at = checks.time(in.made_at_us(), "the time of a key");
    update.retired_at = checks.time(in.retired_at_us(), "the time of a key");
    checks.require(in.key().size() == update.key.bytes.size(), "a key has not 32 bytes");
    if (!checks.ok()) {
        return BadInput{checks.problem()};
    }
    const auto key = std::as_bytes(std::span(in.key()));
    std::copy(key.begin(), key.end(), update.key.bytes.begin());
    return std::optional<HostMessage>(std::move(update));
}

Checked<core::Revision> decode_revision(std::string_view bytes) {
    wire::Revision parsed;
    if (bytes.size() > revision_bytes_max ||
        !may_be_parsed(std::as_bytes(std::span(bytes)), WireKind::revision) ||
        !parsed.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
        return BadInput{"the description of a revision is damaged"};
    }
    Checks checks;
    core::ObjectId object = wire_code::read(parsed.object(), checks);
    core::Revision revision = wire_code::read(parsed, std::move(object), checks);
    if (!checks.ok()) {
        return BadInput{checks.problem()};
    }
    return revision;
}

} // namespace stationsync::host
