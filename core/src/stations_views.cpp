// The list of all stations: who is linked in which direction, and why not.
#include "stations_impl.hpp"

#include <algorithm>

namespace stationsync::core {

namespace {

CheckResult reason(std::string check, std::string text) {
    CheckResult result;
    result.check = std::move(check);
    result.passed = false;
    result.text = std::move(text);
    return result;
}

// Of several addresses the sentence must tell which one it is about; most do by themselves.
std::string with_address(const std::string& address, const std::string& sentence) {
    return sentence.find(address) == std::string::npos ? address + ": " + sentence : sentence;
}

} // namespace

std::string wrong_key_text(const std::string& name, const std::string& address,
                           const std::string& project) {
    std::string const who = name.empty() ? address : '"' + name + "\" (" + address + ')';
    return who + " does not hold the key of project \"" + project +
           "\": other project, or key changed";
}

// The last refusal of a connection from one of the hosts of these addresses.
const IncomingRefused* Stations::Impl::refusal_of(const std::vector<std::string>& addresses) const {
    for (const std::string& address : addresses)
        if (const auto place = refused.find(std::string(bare_host_of(address)));
            place != refused.end())
            return &place->second.event;
    return nullptr;
}

// Somebody whom nothing else in the list explains.
StationView Stations::Impl::view_of(const IncomingRefused& event) const {
    StationView view;
    view.name = name_at(event.host);
    view.addresses = {event.host};
    view.state = StationState::rejected;
    view.reasons.push_back(
        event.wrong_key
            ? reason("key", wrong_key_text(view.name, event.host, context.config.project))
            : reason("found-by",
                     "A connection from " + event.host + " was refused: " + event.reason));
    return view;
}

// One direction is enough; the missing one is shown with its likely cause.
void Stations::Impl::explain_direction(const Peer& peer, StationView& view) const {
    std::string const us = '"' + context.config.station_name + '"';
    std::string const them = '"' + name_of(peer.id) + '"';
    if (!view.found) {
        const std::optional<Dialling::Failure> failure = dialling.failure_of(peer.id);
        if (failure)
            view.reasons.push_back(
                reason("found", us + " does not reach " + them + ": " + failure->reason));
        else if (!dialling.has_address(peer.id))
            view.reasons.push_back(
                reason("found", us + " knows no address of " + them + " to connect to"));
    }
    const bool waited =
        peer.linked_since && context.instant() - *peer.linked_since >= direction_grace;
    if (view.found_by || !(view.found || peer.links.empty()))
        return;
    if (const IncomingRefused* refusal = refusal_of(view.addresses); refusal != nullptr)
        view.reasons.push_back(
            reason("found-by", us + " refused a connection of " + them + ": " + refusal->reason));
    else if (view.found && waited)
        view.reasons.push_back(
            reason("found-by", them + " does not reach " + us + ": firewall, name or route"));
}

// What the station has said of itself, or else what discovery tells of it.
void Stations::Impl::describe(const Peer& peer, StationView& view) const {
    if (const auto run = peer.active ? peer.runs.find(*peer.active) : peer.runs.end();
        run != peer.runs.end() && run->second.profile) {
        const Profile& profile = *run->second.profile;
        view.project = profile.project;
        view.protocol = to_text(ProtocolVersion{profile.protocol_major, profile.protocol_minor});
        view.product_version = profile.product_version;
    } else if (const Candidate* found = announcement_of(peer.id); found != nullptr) {
        view.protocol = found->found.protocol;
        view.product_version = found->found.product_version;
        if (view.addresses.empty())
            view.addresses = found->found.addresses;
        announced_reasons(*found, view);
    }
}

StationView Stations::Impl::view_of(const Peer& peer) const {
    const StationRecord& record = *peer.record;
    StationView view;
    view.id = peer.id;
    view.name = record.name;
    view.project = context.config.project;
    view.addresses = record.addresses;
    view.found = has_link(peer, true);
    view.found_by = has_link(peer, false);
    view.time_difference = peer.clock.difference();
    view.time_uncertainty = peer.uncertainty;
    view.checks = peer.checks;
    describe(peer, view);
    const bool is_elsewhere = view.project != context.config.project;
    view.last_seen = peer.links.empty() ? record.last_seen : context.wall();
    view.blocked = record.blocked;
    for (const CheckResult& check : peer.checks)
        if (!check.passed)
            view.reasons.push_back(check);
    if (record.blocked) {
        view.state = StationState::rejected;
        view.reasons.push_back(reason("blocked", "Blocked by \"" + name_of(record.blocked_by) +
                                                     "\"; stationsync unblock " + to_text(peer.id) +
                                                     " ends it"));
        return view;
    }
    if (peer.links.empty() && is_elsewhere)
        return view; // what it announces tells more than a connection that failed
    if (peer.links.empty()) {
        const std::optional<Dialling::Failure> failure = dialling.failure_of(peer.id);
        const IncomingRefused* refusal = refusal_of(record.addresses);
        const bool key =
            (failure && failure->wrong_key) || (refusal != nullptr && refusal->wrong_key);
        const bool seen = record.forgotten == record_seen || record.forgotten == record_hidden;
        view.state = key               ? StationState::rejected
                     : seen || failure ? StationState::unreachable
                                       : StationState::searching;
        if (key)
            view.reasons.push_back(reason(
                "key", wrong_key_text(record.name,
                                      record.addresses.empty() ? "" : record.addresses.front(),
                                      context.config.project)));
        else
            explain_direction(peer, view);
        return view;
    }
    view.state = peer.rejected ? StationState::rejected
                 : peer.open   ? StationState::connected
                               : StationState::checking;
    if (view.state == StationState::checking) {
        const bool profile = peer.active && peer.runs.at(*peer.active).profile.has_value();
        view.reasons.push_back(reason(
            "checking", !profile              ? "waits for its profile"
                        : !peer.clock.known() ? "waits for the measurement of the time difference"
                                              : "waits for the verdict of the plugins"));
    }
    explain_direction(peer, view);
    return view;
}

// What discovery tells of a station that has not told anything itself.
const Candidate* Stations::Impl::announcement_of(const StationId& id) const {
    for (const auto& [key, candidate] : candidates)
        if (candidate.found.id == id && !candidate.found.protocol.empty())
            return &candidate;
    return nullptr;
}

// A station that is listed by itself says that it listens there: not dialled yet, or one-way.
bool Stations::Impl::is_listed(const std::string& address) const {
    return std::any_of(peers.begin(), peers.end(), [&](const auto& entry) {
        const std::optional<StationRecord>& record = entry.second.record;
        return record && record->forgotten == record_seen &&
               std::find(record->addresses.begin(), record->addresses.end(), address) !=
                   record->addresses.end();
    });
}

// What will not fit, before anybody connects. A hint only: the profile decides.
void Stations::Impl::announced_reasons(const Candidate& candidate, StationView& view) const {
    const auto tell = [&view](std::string check, const std::string& ours, const std::string& theirs,
                              const std::string& what) {
        CheckResult result =
            reason(std::move(check), "It announces " + what + ' ' + theirs + ", this station has " +
                                         (ours.empty() ? "none" : ours));
        result.ours = ours;
        result.theirs = theirs;
        result.limit = "equal";
        result.remedy = remedy_for(result.check);
        view.reasons.push_back(std::move(result));
    };
    const CandidateFound& found = candidate.found;
    if (candidate.foreign) {
        // No remedy: mostly it is another plant, and right so.
        view.state = StationState::rejected;
        view.project = found.project;
        CheckResult check = reason("project", "It belongs to project \"" + found.project + '"');
        check.ours = context.config.project;
        check.theirs = found.project;
        check.limit = "equal";
        view.reasons.push_back(std::move(check));
        return;
    }
    if (!found.not_dialled.empty()) {
        view.state = StationState::unreachable;
        view.reasons.push_back(reason("found", found.not_dialled));
    }
    const std::string& theirs = found.protocol;
    const std::string major = std::to_string(own.protocol_major);
    if (!theirs.empty() && theirs.substr(0, theirs.find('.')) != major)
        tell("protocol", to_text(context.config.protocol), theirs, "version of the protocol");
    const std::string& version = found.product_version;
    if (!version.empty() && version != own.product_version)
        tell("product-version", own.product_version, version, "version of the plant software");
}

// An address that has no station of its own in the list yet; nothing when it has, or is our own.
std::optional<StationView> Stations::Impl::view_of(const Candidate& candidate) const {
    const CandidateFound& found = candidate.found;
    const bool announced = found.source == CandidateSource::discovered;
    StationView view;
    if (announced)
        view.id = found.id;
    view.name = found.name;
    view.project = found.project;
    view.protocol = found.protocol;
    view.product_version = found.product_version;
    bool self = false;
    for (const std::string& address : found.addresses) {
        const std::optional<Dialling::Picture> picture = dialling.picture(address);
        const auto& own_addresses = context.config.addresses;
        self =
            self || (picture && picture->is_self) ||
            std::find(own_addresses.begin(), own_addresses.end(), address) != own_addresses.end();
        if (picture && picture->proven && find(*picture->proven) != nullptr)
            return std::nullopt;
        const bool key = picture && picture->failure && picture->failure->wrong_key;
        if (!key && !candidate.foreign && is_listed(address))
            return std::nullopt;
        view.addresses.push_back(address);
        if (picture && picture->failure) {
            view.state = key         ? StationState::rejected
                         : announced ? StationState::unreachable
                                     : view.state;
            view.reasons.push_back(
                key ? reason("key", wrong_key_text(found.name, address, context.config.project))
                    : reason("found", with_address(address, picture->failure->reason)));
        }
    }
    const IncomingRefused* refusal = refusal_of(view.addresses);
    if (refusal != nullptr && refusal->wrong_key && view.state != StationState::rejected) {
        view.state = StationState::rejected;
        view.reasons.push_back(reason(
            "key", wrong_key_text(found.name, view.addresses.front(), context.config.project)));
    }
    const Peer* known = found.id ? find(*found.id) : nullptr;
    if (self || (known != nullptr && known->record))
        return std::nullopt;
    if (candidate.foreign)
        view.reasons.clear();
    announced_reasons(candidate, view);
    return view;
}

std::vector<StationView> Stations::Impl::views() const {
    std::vector<StationView> all;
    for (const auto& [id, peer] : peers) {
        const bool hidden = !peer.record || (peer.record->forgotten == record_hidden &&
                                             !peer.record->blocked && peer.links.empty());
        if (!hidden)
            all.push_back(view_of(peer));
    }
    std::set<std::vector<std::string>> shown; // two discoveries may find the same address
    for (const auto& [key, candidate] : candidates) {
        std::optional<StationView> view = view_of(candidate);
        if (view && shown.insert(view->addresses).second)
            all.push_back(std::move(*view));
    }
    std::set<std::string> hosts;
    for (const StationView& view : all)
        for (const std::string& address : view.addresses)
            hosts.emplace(bare_host_of(address));
    for (const auto& [host, refusal] : refused)
        if (!hosts.contains(host))
            all.push_back(view_of(refusal.event));
    return all;
}

} // namespace stationsync::core
