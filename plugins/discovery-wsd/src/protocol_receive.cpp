#include "parser.hpp"
#include "protocol.hpp"

#include <algorithm>

namespace stationsync::discovery_wsd {

namespace {

constexpr std::uint16_t sender_port_min = 1024; // nobody asks from below
constexpr std::string_view address_scheme = "tcp://";

// Of the announced addresses the one that is the sender's own: nobody can send us elsewhere. One
// with a port that we may connect to, if there is one.
std::optional<Endpoint> endpoint_of_sender(const std::vector<std::string>& addresses,
                                           const IpAddress& source) {
    std::optional<Endpoint> low;
    for (const std::string& text : addresses) {
        if (text.rfind(address_scheme, 0) != 0)
            continue;
        std::string_view rest = std::string_view(text).substr(address_scheme.size());
        if (!rest.empty() && rest.back() == '/')
            rest.remove_suffix(1);
        const auto endpoint = parse_endpoint(rest);
        if (!endpoint || endpoint->address != source)
            continue;
        if (endpoint->port >= link_port_min)
            return endpoint;
        low = endpoint;
    }
    return low;
}

} // namespace

// Cheapest first; nothing of the content is looked at.
std::optional<DropReason> Protocol::refuse(const Datagram& datagram, const Channel& channel) const {
    const IpAddress& source = datagram.from.address;
    if (datagram.bytes.size() > settings_.limits.datagram_bytes)
        return DropReason::oversize;
    if (!datagram.is_at_question_socket && !datagram.is_to_group)
        return DropReason::not_to_group;
    const auto is_broadcast = [&](const Prefix& each) { return each.is_broadcast(source); };
    if (source.is_unspecified() || source.is_multicast() ||
        std::any_of(channel.networks.begin(), channel.networks.end(), is_broadcast))
        return DropReason::bad_source;
    if (!channel.is_on_link(source))
        return DropReason::off_link;
    if (datagram.from.port < sender_port_min)
        return DropReason::bad_source_port;
    return std::nullopt;
}

bool Protocol::receive(const Datagram& datagram, Time now) {
    const IpAddress& source = datagram.from.address;
    const Channel* const channel = find_channel(datagram.channel);
    if (channel == nullptr) {
        drop(DropReason::off_link, source);
        return true;
    }
    if (const auto reason = refuse(datagram, *channel)) {
        drop(*reason, source);
        return true;
    }
    if (!sources_.take_datagram(source, channel->interface_index, now)) {
        drop(DropReason::source_rate, source);
        return true;
    }
    if (!datagrams_.take(now)) {
        drop(DropReason::total_rate, source);
        return true;
    }
    const auto parsed = parse_message(datagram.bytes);
    if (const auto* reason = std::get_if<DropReason>(&parsed)) {
        drop(*reason, source);
        return false;
    }
    const Message& message = std::get<Message>(parsed);
    if (questions_.contains(message.message_id)) {
        drop(DropReason::own, source);
    } else if (!seen_.add(message.message_id, source, now)) {
        drop(DropReason::repeated, source);
    } else {
        handle(message, datagram, *channel, now);
    }
    return false;
}

void Protocol::handle(const Message& message, const Datagram& datagram, const Channel& channel,
                      Time now) {
    const bool is_answer =
        message.kind == Kind::probe_matches || message.kind == Kind::resolve_matches;
    if (is_answer != datagram.is_at_question_socket)
        return drop(DropReason::not_asked, datagram.from.address);
    switch (message.kind) {
    case Kind::hello:
        return on_hello(message, datagram, channel, now);
    case Kind::bye:
        return on_bye(message, datagram, channel, now);
    case Kind::probe:
        return on_probe(message, datagram, channel, now);
    case Kind::resolve:
        return on_resolve(message, datagram, channel, now);
    case Kind::probe_matches:
    case Kind::resolve_matches:
        return on_matches(message, datagram, channel, now);
    }
}

bool Protocol::is_own(const Target& target) const {
    return self_ && uuid_of(target.endpoint) == self_->record.station_id;
}

// Another program speaks under our id: this disk was copied.
void Protocol::note_own_clash(const Message& message, const Datagram& datagram,
                              const Channel& channel, Time now) {
    drop(DropReason::own, datagram.from.address);
    const bool is_ours = channel.is_own(datagram.from.address) || !message.sequence ||
                         message.sequence->instance_id == self_->instance_id;
    if (is_ours)
        return;
    // The first one is told until nothing like it is heard any more: forged sources, each another
    // one, would make a new message each.
    own_clash_until_ = now + ttl();
    if (own_clash_)
        return;
    own_clash_ = "Another computer, " + to_text(datagram.from.address) +
                 ", uses the id of this station: one is a copy of the other's disk; give it an "
                 "identity of its own (stationsync station new-identity).";
}

void Protocol::on_hello(const Message& message, const Datagram& datagram, const Channel& channel,
                        Time now) {
    const Target& target = message.targets.front();
    if (is_own(target))
        return note_own_clash(message, datagram, channel, now);
    take_target(target, message, datagram, channel, false, now);
}

void Protocol::on_bye(const Message& message, const Datagram& datagram, const Channel& channel,
                      Time now) {
    const Target& target = message.targets.front();
    if (is_own(target))
        return note_own_clash(message, datagram, channel, now);
    const auto id = uuid_of(target.endpoint);
    const auto reason =
        id ? found_.leave(*id, datagram.from.address, channel.interface_index, message.sequence)
           : DropReason::unknown_bye;
    if (reason)
        drop(*reason, datagram.from.address);
    else
        settled_rounds_ = 0;
}

void Protocol::on_probe(const Message& message, const Datagram& datagram, const Channel& channel,
                        Time now) {
    if (!self_ || !is_asked_for(message.targets.front(), own_scopes_))
        return drop(DropReason::no_match, datagram.from.address);
    answer(Kind::probe_matches, message, datagram, channel,
           random_time(random_, settings_.timing.answer_delay), now);
}

void Protocol::on_resolve(const Message& message, const Datagram& datagram, const Channel& channel,
                          Time now) {
    if (!is_own(message.targets.front()))
        return drop(DropReason::no_match, datagram.from.address);
    answer(Kind::resolve_matches, message, datagram, channel, Time(0), now);
}

void Protocol::on_matches(const Message& message, const Datagram& datagram, const Channel& channel,
                          Time now) {
    const auto place = questions_.find(message.relates_to);
    const Kind expected = message.kind == Kind::probe_matches ? Kind::probe : Kind::resolve;
    if (place == questions_.end() || place->second.kind != expected ||
        place->second.channel != channel.id() || place->second.until <= now)
        return drop(DropReason::not_asked, datagram.from.address);
    is_answered_ = true;
    const Question question = place->second;
    for (const Target& target : message.targets) {
        if (is_own(target)) {
            note_own_clash(message, datagram, channel, now);
            continue;
        }
        if (expected == Kind::resolve && uuid_of(target.endpoint) != uuid_of(question.endpoint)) {
            drop(DropReason::not_asked, datagram.from.address);
            continue;
        }
        take_target(target, message, datagram, channel, question.is_any_project, now);
    }
}

// A Hello, or a match: strangers answer whatever is asked, so all is looked at once more.
void Protocol::take_target(const Target& target, const Message& message, const Datagram& datagram,
                           const Channel& channel, bool is_any_project, Time now) {
    const IpAddress& source = datagram.from.address;
    if (!is_station(target))
        return drop(DropReason::foreign_device, source);
    const auto record = record_of(target);
    if (!record)
        return drop(DropReason::bad_record, source);
    // Who belongs to another project is of interest only when somebody asks for all.
    if (record->project != settings_.project && !is_any_project &&
        !found_.contains(record->station_id))
        return drop(DropReason::other_project, source);
    is_heard_ = true;
    if (target.addresses.empty()) {
        const bool is_asked =
            std::any_of(questions_.begin(), questions_.end(), [&](const auto& each) {
                return each.second.endpoint == endpoint_of(record->station_id) &&
                       each.second.channel == channel.id();
            });
        if (is_asked)
            return;
        if (!resolves_.take(now))
            return drop(DropReason::resolve_rate, source);
        return send_resolve(channel, message.version, endpoint_of(record->station_id),
                            is_any_project, now);
    }
    const auto endpoint = endpoint_of_sender(target.addresses, source);
    if (!endpoint)
        return drop(DropReason::unusable_address, source);
    if (endpoint->port < link_port_min)
        return drop(DropReason::low_link_port, source);
    Sighting sighting;
    sighting.record = *record;
    sighting.endpoint = *endpoint;
    sighting.zone = channel.interface_index;
    sighting.via = channel.interface_name;
    sighting.version = message.version;
    sighting.sequence = message.sequence;
    sighting.is_answer = datagram.is_at_question_socket;
    sighting.ttl = ttl();
    const bool is_known = found_.contains(record->station_id);
    if (const auto reason = found_.see(sighting, now))
        return drop(*reason, source);
    if (!is_known)
        settled_rounds_ = 0;
}

} // namespace stationsync::discovery_wsd
