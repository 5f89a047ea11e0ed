#include "protocol.hpp"

#include <algorithm>
#include <limits>

namespace stationsync::discovery_wsd {

namespace {

constexpr std::size_t questions_max = 1024;
constexpr unsigned settled_rounds_needed = 5;
constexpr unsigned rounds_before_complaint = 3;
constexpr Time drop_line_gap{60'000};
constexpr std::size_t echoed_bytes_max = 128; // "urn:uuid:" and a UUID are 45

template <class Range, class Value>
bool contains(const Range& range, const Value& value) {
    return std::find(range.begin(), range.end(), value) != range.end();
}

} // namespace

Protocol::Protocol(ProtocolSettings settings, Random random)
    : settings_(std::move(settings)),
      random_(std::move(random)),
      found_(settings_.limits),
      sources_(settings_.limits),
      datagrams_(settings_.limits.total_datagrams, 2 * settings_.limits.total_datagrams),
      answers_(settings_.limits.total_answers, settings_.limits.total_answers),
      resolves_(settings_.limits.resolves, settings_.limits.resolves),
      period_(settings_.timing.probe_period) {}

void Protocol::announce(OwnStation self, Time now) {
    if (instance_id_ != self.instance_id)
        message_number_ = 0;
    instance_id_ = self.instance_id;
    self_ = std::move(self);
    // What waits to be sent tells the former description.
    outbox_.remove_if([](const Outgoing& each) { return !each.is_question(); });
    own_scopes_ = scopes_of(self_->record);
    for (const Channel& channel : channels_)
        say_hello(channel, now);
}

void Protocol::withdraw(Time now) {
    if (!self_)
        return;
    outbox_.remove_if([](const Outgoing& each) { return !each.is_question(); });
    const std::string endpoint = endpoint_of(self_->record.station_id);
    for (const Channel& channel : channels_) {
        if (!announced_on(channel))
            continue;
        for (const Version version : settings_.versions) {
            const std::string id = new_message_id(random_);
            const Header header = next_header(version, id, {});
            auto bytes = std::make_shared<const std::string>(write_bye(header, endpoint));
            outbox_.add({channel.id(), Kind::bye, {}, std::move(bytes)}, bye_times(now, random_));
        }
    }
    self_.reset();
    own_scopes_.clear();
}

void Protocol::set_metadata_version(std::uint32_t version) {
    if (self_)
        self_->metadata_version = version;
}

void Protocol::set_channels(std::vector<Channel> channels, const std::set<ChannelId>& opened,
                            Time now) {
    const std::vector<Channel> before = std::move(channels_);
    channels_ = std::move(channels);
    outbox_.remove_if(
        [this](const Outgoing& each) { return find_channel(each.channel) == nullptr; });
    for (const Channel& channel : channels_) {
        if (contains(before, channel) && !opened.contains(channel.id()))
            continue;
        if (self_)
            say_hello(channel, now);
        send_probe(channel, false, random_time(random_, settings_.timing.answer_delay), now);
        settled_rounds_ = 0;
    }
    if (before.empty() && !channels_.empty()) {
        rounds_ = 1;
        round_begun_ = now;
        next_round_ = now + period_;
    }
}

void Protocol::probe(const std::string& hint, Time now) {
    const std::string endpoint = endpoint_of(hint);
    const bool is_station_id = uuid_of(endpoint).has_value();
    for (const Channel& channel : channels_) {
        if (!is_station_id)
            send_probe(channel, hint == "*", Time(0), now);
        else
            for (const Version version : settings_.versions)
                send_resolve(channel, version, endpoint, true, now);
    }
}

void Protocol::advance(Time now) {
    found_.expire(now);
    std::erase_if(questions_, [&](const auto& each) { return each.second.until <= now; });
    if (now >= own_clash_until_)
        own_clash_.reset();
    if (!channels_.empty() && now >= next_round_)
        begin_round(now);
}

void Protocol::begin_round(Time now) {
    // A network where all who are known answer, round after round, needs no more than a look now
    // and then; Hello and Bye tell the rest.
    const bool is_settled =
        found_.size() > 0 && found_.is_settled_since(round_begun_, settings_.project);
    settled_rounds_ = is_settled ? std::min(settled_rounds_ + 1, settled_rounds_needed) : 0;
    const Timing& timing = settings_.timing;
    period_ = settled_rounds_ == settled_rounds_needed
                  ? std::max(timing.quiet_period, timing.probe_period)
                  : timing.probe_period;
    found_.prolong(ttl());
    ++rounds_;
    round_begun_ = now;
    // Stations that were switched on together do not stay together.
    next_round_ = now + period_ * 4 / 5 + random_time(random_, period_ * 2 / 5);
    const Time delay = random_time(random_, timing.answer_delay);
    for (const Channel& channel : channels_)
        send_probe(channel, false, delay, now);
}

Time Protocol::next_deadline() const {
    Time next = channels_.empty() ? Time::max() : next_round_;
    if (const auto due = outbox_.next_due())
        next = std::min(next, *due);
    if (const auto due = found_.next_deadline())
        next = std::min(next, *due);
    if (own_clash_)
        next = std::min(next, own_clash_until_);
    for (const auto& [id, question] : questions_)
        next = std::min(next, question.until);
    for (const Drops& each : drops_)
        if (each.untold > 0)
            next = std::min(next, each.told_at ? *each.told_at + drop_line_gap : Time(0));
    return next;
}

Header Protocol::next_header(Version version, const std::string& id, std::string_view relates_to) {
    return {version, id, relates_to, {self_->instance_id, ++message_number_}};
}

std::optional<Endpoint> Protocol::announced_on(const Channel& channel) const {
    if (!self_)
        return std::nullopt;
    for (const Endpoint& endpoint : self_->endpoints)
        if (channel.is_own(endpoint.address))
            return endpoint;
    for (const Endpoint& endpoint : self_->endpoints)
        if (endpoint.address.family == channel.family && endpoint.address.is_unspecified())
            return Endpoint{channel.networks.front().address, endpoint.port};
    return std::nullopt;
}

IpAddress Protocol::source_on(const Channel& channel) const {
    const auto endpoint = announced_on(channel);
    return endpoint ? endpoint->address : channel.networks.front().address;
}

std::string Protocol::description_of(const StationRecord& record,
                                     const std::vector<Endpoint>& endpoints,
                                     const std::vector<Channel>& channels) {
    std::string text;
    for (const std::string& scope : scopes_of(record))
        text += scope + '\n';
    for (const Endpoint& endpoint : endpoints)
        text += to_text(endpoint) + '\n';
    for (const Channel& channel : channels)
        text += channel.interface_name + ' ' + to_text(channel.networks.front().address) + '\n';
    return text;
}

OwnTarget Protocol::target_on(const Endpoint& endpoint) const {
    return {endpoint_of(self_->record.station_id), own_scopes_, "tcp://" + to_text(endpoint),
            self_->metadata_version};
}

void Protocol::say_hello(const Channel& channel, Time now) {
    outbox_.remove_if([&](const Outgoing& each) {
        return each.kind == Kind::hello && each.channel == channel.id();
    });
    const auto endpoint = announced_on(channel);
    if (!endpoint)
        return;
    const Time first = now + random_time(random_, settings_.timing.answer_delay);
    for (const Version version : settings_.versions) {
        const std::string id = new_message_id(random_);
        const Header header = next_header(version, id, {});
        auto bytes = std::make_shared<const std::string>(write_hello(header, target_on(*endpoint)));
        outbox_.add({channel.id(), Kind::hello, {}, std::move(bytes)},
                    multicast_times(first, random_));
    }
}

void Protocol::send_probe(const Channel& channel, bool is_any_project, Time delay, Time now) {
    for (const Version version : settings_.versions) {
        const std::string id = new_message_id(random_);
        const std::string scope = is_any_project ? "" : project_scope(settings_.project);
        ask(channel, {Kind::probe, channel.id(), is_any_project, {}, {}}, id,
            write_probe({version, id}, scope), now + delay);
    }
}

void Protocol::send_resolve(const Channel& channel, Version version, const std::string& endpoint,
                            bool is_any_project, Time now) {
    const std::string id = new_message_id(random_);
    ask(channel, {Kind::resolve, channel.id(), is_any_project, endpoint, {}}, id,
        write_resolve({version, id}, endpoint), now);
}

void Protocol::ask(const Channel& channel, Question question, const std::string& id,
                   std::string bytes, Time first) {
    if (questions_.size() >= questions_max)
        return;
    const std::vector<Time> times = multicast_times(first, random_);
    question.until = times.back() + settings_.timing.collect_window;
    const Kind kind = question.kind;
    questions_[id] = std::move(question);
    outbox_.add({channel.id(), kind, {}, std::make_shared<const std::string>(std::move(bytes))},
                times);
}

void Protocol::answer(Kind kind, const Message& message, const Datagram& datagram,
                      const Channel& channel, Time delay, Time now) {
    const auto endpoint = announced_on(channel);
    if (!endpoint)
        return;
    // It is sent back: quoted, it would make the answer larger than what it answers.
    if (xml_escaped(message.message_id).size() > echoed_bytes_max)
        return drop(DropReason::answer_size, datagram.from.address);
    if (!sources_.take_answer(datagram.from.address, channel.interface_index, now) ||
        !answers_.take(now))
        return drop(DropReason::answer_rate, datagram.from.address);
    const std::string id = new_message_id(random_);
    const Header header = next_header(message.version, id, message.message_id);
    auto bytes =
        std::make_shared<const std::string>(write_matches(kind, header, target_on(*endpoint)));
    outbox_.add({channel.id(), kind, datagram.from, std::move(bytes)}, {now + delay});
}

const Channel* Protocol::find_channel(ChannelId id) const {
    const auto place = std::find_if(channels_.begin(), channels_.end(),
                                    [&](const Channel& each) { return each.id() == id; });
    return place == channels_.end() ? nullptr : &*place;
}

void Protocol::drop(DropReason reason, const IpAddress& source) {
    Drops& drops = drops_[static_cast<std::size_t>(reason)];
    ++drops.total;
    ++drops.untold;
    drops.last_source = source;
}

std::uint64_t Protocol::dropped(DropReason reason) const {
    return drops_[static_cast<std::size_t>(reason)].total;
}

std::vector<DropLine> Protocol::take_drop_lines(Time now) {
    std::vector<DropLine> lines;
    for (std::size_t i = 0; i < drops_.size(); ++i) {
        Drops& drops = drops_[i];
        if (drops.untold == 0 || (drops.told_at && now - *drops.told_at < drop_line_gap))
            continue;
        lines.push_back({static_cast<DropReason>(i), drops.untold, drops.last_source});
        drops.untold = 0;
        drops.told_at = now;
    }
    return lines;
}

std::vector<std::string> Protocol::complaints() const {
    std::vector<std::string> texts = found_.clashes();
    if (own_clash_)
        texts.push_back(*own_clash_);
    if (self_)
        for (const Endpoint& endpoint : self_->endpoints)
            if (endpoint.port < link_port_min) {
                texts.push_back("Other stations do not look for port " +
                                std::to_string(endpoint.port) +
                                " on being announced, since it is below 1024: list this station "
                                "there, or choose another port.");
                break;
            }
    if (!is_answered_ && rounds_ > rounds_before_complaint)
        texts.emplace_back(
            is_heard_ ? "Stations are heard, but none has ever answered our Probes: let the "
                        "firewall of this computer pass UDP to the port of `probe_source_port`."
                      : "No station has ever answered our Probes: if there are others in this "
                        "network, let the firewalls pass UDP port 3702 and, on this computer, the "
                        "port of `probe_source_port`; or list the stations.");
    return texts;
}

} // namespace stationsync::discovery_wsd
