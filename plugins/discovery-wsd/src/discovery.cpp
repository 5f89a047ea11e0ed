// The discovery `wsd`: finds stations by WS-Discovery and announces our own.
#include "network.hpp"
#include "own_sequence.hpp"
#include "settings.hpp"

#include <stationsync/plugin.hpp>

#include <algorithm>
#include <mutex>
#include <random>
#include <thread>

namespace stationsync::discovery_wsd {

namespace {

constexpr Time interface_settle{1000}; // changes come in bursts
constexpr Time interface_poll{10'000}; // also when nobody told of a change
constexpr Time note_gap{5000}; // between two notes to the operator, whoever makes them change
constexpr Time flood_pause{4};
constexpr Time farewell_max{1000};
constexpr std::size_t complaints_max = 256;
const std::string instance_key = "instance_id";
const std::string metadata_key = "metadata";

Time monotonic_now() {
    return std::chrono::duration_cast<Time>(std::chrono::steady_clock::now().time_since_epoch());
}

// What is announced, before its numbers are known.
struct Announcement {
    StationRecord record;
    std::vector<Endpoint> endpoints;
};

std::string text_of(const sdk::Peer& peer, std::string_view name) {
    for (const auto& [key, value] : peer.texts)
        if (key == name)
            return value;
    return {};
}

bool can_be_announced(const std::string& text) {
    return !text.empty() && text.size() <= name_bytes_max &&
           percent_decoded(percent_encoded(text)).has_value();
}

void check_name(const std::string& what, const std::string& text) {
    if (!can_be_announced(text))
        throw sdk::Error(STSYNC_INVALID_ARG, "The " + what +
                                                 " cannot be announced: it must have 1 to 48 bytes "
                                                 "of UTF-8 without control characters.");
}

Announcement announcement_of(const sdk::Peer& self, std::uint16_t link_port) {
    Announcement own;
    own.record.station_id = uuid_of(endpoint_of(self.station_id)).value_or("");
    if (own.record.station_id.empty())
        throw sdk::Error(STSYNC_INVALID_ARG,
                         "A station without a UUID as its id cannot be announced.");
    own.record.project = self.project;
    own.record.name = self.name;
    const std::string protocol = text_of(self, "proto");
    own.record.protocol = protocol.empty() ? "1" : protocol;
    own.record.product = text_of(self, "app");
    check_name("name of the project", own.record.project);
    check_name("name of the station", own.record.name);
    check_name("protocol version", own.record.protocol);
    // Shown to people before stations connect, no more; stations compare it themselves.
    if (!can_be_announced(own.record.product))
        own.record.product.clear();
    for (std::string text : self.endpoints) {
        // Where it is said belongs to the channel already.
        if (const std::size_t zone = text.find('%'); zone != std::string::npos)
            text.erase(zone, text.find(']', zone) - zone);
        if (const auto endpoint = parse_endpoint(text))
            own.endpoints.push_back(*endpoint);
    }
    // Listening on all addresses is told by telling none.
    if (self.endpoints.empty())
        own.endpoints = {{IpAddress{Family::v4, {}}, link_port},
                         {IpAddress{Family::v6, {}}, link_port}};
    return own;
}

std::size_t bytes_of_answer(const StationRecord& record) {
    const std::string id(45, 'x'); // "urn:uuid:" and a UUID
    return write_matches(Kind::resolve_matches, {Version::oasis_2009, id, id, {}},
                         {endpoint_of(record.station_id), scopes_of(record),
                          "tcp://[fe80::1111:2222:3333:4444]:8883", 0})
        .size();
}

class WsDiscovery final : public sdk::Discovery {
public:
    static constexpr sdk::Options options{0, 1, 0, "StationSync", {}, settings_schema};

    explicit WsDiscovery(sdk::Host host) : host_(host), settings_(read_settings(host)) {}

    ~WsDiscovery() override { join(); }

    void start(sdk::Op&, sdk::DiscoverySink sink) override {
        try {
            network_ = std::make_unique<Network>(settings_.question_port,
                                                 settings_.protocol.limits.datagram_bytes);
        } catch (const NetworkError& failure) {
            throw sdk::Error(STSYNC_INTERNAL,
                             std::string("The network cannot be used: ") + failure.what() + ".");
        }
        is_stopping_ = false;
        const std::string stored = kept(instance_key);
        instance_id_ =
            next_instance_id(stored.empty() ? std::nullopt : std::optional(stored), utc_seconds());
        keep(instance_key, std::to_string(instance_id_));
        metadata_ = decode_metadata(kept(metadata_key));
        thread_ = std::thread([this, sink] { run(sink); });
    }

    void stop(sdk::Op&) override { join(); }

    void announce(sdk::Op&, const sdk::Peer& self) override {
        Announcement own = announcement_of(self, settings_.link_port);
        if (bytes_of_answer(own.record) > datagram_bytes_max)
            host_.log(
                STSYNC_LOG_WARNING, "discovery-wsd.size", "",
                "What is announced travels in two pieces, of which either can be lost: shorten "
                "the names of project and station, letters beyond ASCII count thrice.");
        const std::lock_guard lock(mutex_);
        wanted_ = std::move(own);
        is_wanted_new_ = true;
        wake();
    }

    void withdraw(sdk::Op&) override {
        const std::lock_guard lock(mutex_);
        wanted_.reset();
        is_wanted_new_ = true;
        wake();
    }

    void probe(sdk::Op&, const std::string& hint) override {
        constexpr std::size_t hints_max = 8; // more at once ask for the same
        const std::lock_guard lock(mutex_);
        const bool is_there = std::find(hints_.begin(), hints_.end(), hint) != hints_.end();
        if (!is_there && hints_.size() < hints_max)
            hints_.push_back(hint);
        wake();
    }

private:
    void wake() noexcept {
        if (network_)
            network_->wake();
    }

    void join() {
        {
            const std::lock_guard lock(mutex_);
            is_stopping_ = true;
            wake();
        }
        if (thread_.joinable())
            thread_.join();
        network_.reset();
    }

    bool is_stopping() {
        const std::lock_guard lock(mutex_);
        return is_stopping_;
    }

    // The thread of the plugin; everything below runs on it.
    void run(const sdk::DiscoverySink& sink) {
        Protocol protocol(settings_.protocol, [source = std::make_shared<std::random_device>()] {
            return static_cast<std::uint32_t>((*source)());
        });
        own_.reset();
        note_ = "";
        next_note_at_ = Time(0);
        note_is_late_ = false;
        channels_.clear();
        look_at_interfaces_at_ = monotonic_now();
        bool is_flooded = false;
        while (!is_stopping()) {
            try {
                is_flooded = work(protocol, sink, is_flooded);
            } catch (const std::exception& failure) {
                complain("discovery-wsd.failed", failure.what());
                network_->wait(Time(100), false); // whatever it is, it must not take the processor
            }
        }
        try {
            say_goodbye(protocol);
        } catch (const std::exception& failure) {
            complain("discovery-wsd.failed", failure.what());
        }
    }

    // One turn. True when datagrams come faster than they may: they are left waiting for a moment,
    // so that many are dropped at once.
    bool work(Protocol& protocol, const sdk::DiscoverySink& sink, bool is_flooded) {
        if (monotonic_now() >= look_at_interfaces_at_)
            look_at_interfaces(protocol);
        take_orders(protocol);
        protocol.advance(monotonic_now());
        send_due(protocol);
        tell(protocol, sink);
        const Time now = monotonic_now();
        Time next = std::min(protocol.next_deadline(), look_at_interfaces_at_);
        if (note_is_late_)
            next = std::min(next, next_note_at_);
        const Time pause = std::max(next - now, Time(0));
        if (network_->wait(is_flooded ? std::min(pause, flood_pause) : pause, !is_flooded))
            look_at_interfaces_at_ =
                std::min(look_at_interfaces_at_, monotonic_now() + interface_settle);
        return receive(protocol);
    }

    bool receive(Protocol& protocol) {
        const Time now = monotonic_now();
        std::size_t dropped = 0;
        const std::size_t count = network_->receive([&](const Received& each) {
            if (protocol.receive({each.channel, each.is_at_question_socket, each.is_to_group,
                                  each.from, each.bytes},
                                 now))
                ++dropped;
        });
        return dropped > 0 && 2 * dropped >= count;
    }

    void look_at_interfaces(Protocol& protocol) {
        const Time now = monotonic_now();
        look_at_interfaces_at_ = now + interface_poll;
        std::vector<Channel> channels;
        try {
            channels = channels_of(network_->interfaces(), settings_.interfaces);
        } catch (const NetworkError& failure) {
            return complain("discovery-wsd.interfaces", failure.what());
        }
        const auto opened = network_->open(channels);
        if (channels != channels_)
            complaints_.clear(); // a new network may have new troubles
        channels_ = channels;
        if (own_)
            protocol.set_metadata_version(metadata_version());
        protocol.set_channels(std::move(channels), opened, now);
    }

    void take_orders(Protocol& protocol) {
        std::optional<Announcement> wanted;
        std::vector<std::string> hints;
        bool is_new = false;
        {
            const std::lock_guard lock(mutex_);
            is_new = std::exchange(is_wanted_new_, false);
            wanted = wanted_;
            hints = std::exchange(hints_, {});
        }
        const Time now = monotonic_now();
        if (is_new) {
            own_ = wanted;
            if (own_)
                protocol.announce({own_->record, own_->endpoints, instance_id_, metadata_version()},
                                  now);
            else
                protocol.withdraw(now);
        }
        for (const std::string& hint : hints)
            protocol.probe(hint, now);
    }

    // Of what is announced now; grows durably before anybody hears of a change.
    std::uint32_t metadata_version() {
        std::string description =
            Protocol::description_of(own_->record, own_->endpoints, channels_);
        const Metadata next = next_metadata(metadata_, std::move(description), utc_seconds());
        if (!metadata_ || metadata_->version != next.version)
            keep(metadata_key, encode(next));
        metadata_ = next;
        return next.version;
    }

    void send_due(Protocol& protocol) {
        for (const Outgoing& each : protocol.take_due(monotonic_now())) {
            const Channel* const channel = protocol.find_channel(each.channel);
            if (channel == nullptr)
                continue;
            const std::string failure = network_->send(*channel, each.is_question(), each.to,
                                                       protocol.source_on(*channel), *each.bytes);
            if (!failure.empty())
                complain("discovery-wsd.send", "Cannot send by " + failure + ".");
        }
    }

    void say_goodbye(Protocol& protocol) {
        const Time end = monotonic_now() + farewell_max;
        protocol.withdraw(monotonic_now());
        send_due(protocol);
        while (protocol.has_farewell() && monotonic_now() < end) {
            network_->wait(
                std::clamp(protocol.next_deadline() - monotonic_now(), Time(1), Time(100)), false);
            send_due(protocol);
        }
    }

    void tell(Protocol& protocol, const sdk::DiscoverySink& sink) {
        const Time now = monotonic_now();
        for (const FindChange& change : protocol.take_changes(now))
            tell_change(change, sink);
        for (const DropLine& line : protocol.take_drop_lines(now)) {
            const std::string text(to_text(line.reason));
            host_.log(is_ordinary(line.reason) ? STSYNC_LOG_DEBUG : STSYNC_LOG_INFO,
                      "discovery-wsd.dropped", "",
                      std::to_string(line.count) + " datagrams: " + text + " (last from " +
                          to_text(line.last_source) + ").");
        }
        std::string note;
        for (const std::string& text : network_->complaints())
            note += (note.empty() ? "" : " ") + text;
        if (channels_.empty())
            note += "There is no network interface for discovery: connect one, or correct "
                    "`interfaces`.";
        for (const std::string& text : protocol.complaints())
            note += (note.empty() ? "" : " ") + text;
        note_is_late_ = note != note_ && now < next_note_at_;
        if (note == note_ || note_is_late_)
            return;
        note_ = note;
        next_note_at_ = now + note_gap;
        sink.note(note);
        if (!note.empty())
            host_.log(STSYNC_LOG_WARNING, "discovery-wsd.note", "", note);
    }

    void tell_change(const FindChange& change, const sdk::DiscoverySink& sink) const {
        if (change.what == FindChange::What::lost)
            return sink.lost(change.station_id);
        const Find& find = change.find;
        sdk::Peer peer;
        peer.id = change.station_id;
        peer.station_id = change.station_id;
        peer.name = find.record.name;
        peer.project = find.record.project;
        peer.endpoints = find.endpoints;
        peer.texts = {
            {"proto", find.record.protocol}, {"app", find.record.product},
            {"source", find.source},         {"via", find.via},
            {"wsd", find.versions},          {"verified", find.is_verified ? "true" : "false"}};
        peer.ttl_s = static_cast<std::uint32_t>(std::max<Time::rep>(1, find.ttl.count() / 1000));
        if (change.what == FindChange::What::found)
            sink.found(peer);
        else
            sink.updated(peer);
    }

    // Each trouble once, until the network changes.
    void complain(const char* code, const std::string& text) {
        if (complaints_.size() < complaints_max && complaints_.insert(text).second)
            host_.log(STSYNC_LOG_WARNING, code, "", text);
    }

    [[nodiscard]] std::int64_t utc_seconds() const {
        const stsync_time now = host_.utc_now();
        return now == STSYNC_TIME_NONE ? 0 : now / 1'000'000;
    }

    std::string kept(const std::string& key) const {
        try {
            return host_.kv_get(key).value_or("");
        } catch (const sdk::Error&) {
            return {}; // the clock makes the numbers grow as well
        }
    }

    void keep(const std::string& key, const std::string& value) const {
        try {
            host_.kv_put({{key, value}});
        } catch (const sdk::Error& failure) {
            host_.log(STSYNC_LOG_WARNING, "discovery-wsd.kept", "", failure.what());
        }
    }

    sdk::Host host_;
    Settings settings_;
    std::uint32_t instance_id_ = 0;
    std::optional<Metadata> metadata_;
    std::optional<Announcement> own_; // as it was handed to the protocol
    std::vector<Channel> channels_;
    std::string note_; // as it was told
    Time next_note_at_{0};
    bool note_is_late_ = false; // there is another one, too soon after it
    std::set<std::string> complaints_;
    Time look_at_interfaces_at_{0};

    std::unique_ptr<Network> network_; // made before the thread, ended after it

    std::mutex mutex_; // guards what follows
    std::optional<Announcement> wanted_;
    std::vector<std::string> hints_;
    bool is_wanted_new_ = false;
    bool is_stopping_ = false;
    std::thread thread_;
};

} // namespace
} // namespace stationsync::discovery_wsd

STSYNC_DISCOVERY(stationsync::discovery_wsd::WsDiscovery, "discovery-wsd",
                 "Stations of the network (WS-Discovery)", "1.0.0")
