// WS-Discovery without sockets, clock and threads: datagrams and times in; datagrams, finds and
// counters out. Everything that waits is data, so that a test can turn the clock.
#pragma once

#include "channel.hpp"
#include "drop_reason.hpp"
#include "found_stations.hpp"
#include "limits.hpp"
#include "message.hpp"
#include "outbox.hpp"
#include "rates.hpp"
#include "scope.hpp"
#include "writer.hpp"

#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace stationsync::discovery_wsd {

struct ProtocolSettings {
    std::vector<Version> versions{Version::draft_2005, Version::oasis_2009};
    std::string project;
    Limits limits;
    Timing timing;
};

// Us, as we are announced.
struct OwnStation {
    StationRecord record;
    // Where we listen; an unspecified address stands for all of its family.
    std::vector<Endpoint> endpoints;
    std::uint32_t instance_id = 0;
    std::uint32_t metadata_version = 0;
};

struct Datagram {
    ChannelId channel = 0;
    bool is_at_question_socket = false;
    bool is_to_group = false;
    Endpoint from;
    std::string_view bytes; // one more than allowed is enough of a larger one
};

// One line for the log: a reason, how often since the last one, and who did it last.
struct DropLine {
    DropReason reason{};
    std::uint64_t count = 0;
    IpAddress last_source;
};

class Protocol {
public:
    Protocol(ProtocolSettings settings, Random random);

    // Replaces what was announced before; answers and Hellos begin with the first one.
    void announce(OwnStation self, Time now);
    // Takes it back with a Bye on all channels.
    void withdraw(Time now);
    // Replaces the channels: on one that is new, has other addresses, or is named in `opened`,
    // since its sockets are new, we say Hello and probe.
    void set_channels(std::vector<Channel> channels, const std::set<ChannelId>& opened, Time now);
    // For the messages from now on, without a Hello of its own.
    void set_metadata_version(std::uint32_t version);
    // Now. hint: empty = stations of our project; "*" = of any; a station id = that one.
    void probe(const std::string& hint, Time now);

    // True when it was dropped before it was looked at, for there are too many.
    bool receive(const Datagram& datagram, Time now);
    // What the time itself brings: probes, ends of finds.
    void advance(Time now);

    std::vector<Outgoing> take_due(Time now) { return outbox_.take_due(now); }
    std::vector<FindChange> take_changes(Time now) { return found_.take_changes(now); }
    std::vector<DropLine> take_drop_lines(Time now); // each reason at most once a minute
    [[nodiscard]] Time next_deadline() const;
    [[nodiscard]] bool has_farewell() const { return outbox_.has(Kind::bye); }

    // The address that our datagrams on a channel come from.
    [[nodiscard]] IpAddress source_on(const Channel& channel) const;
    [[nodiscard]] const Channel* find_channel(ChannelId id) const;
    // The address and port under which we are announced on a channel, if at all.
    [[nodiscard]] std::optional<Endpoint> announced_on(const Channel& channel) const;
    // All that changes with what is announced; see next_metadata.
    static std::string description_of(const StationRecord& record,
                                      const std::vector<Endpoint>& endpoints,
                                      const std::vector<Channel>& channels);

    // States worth telling; empty = all is well.
    [[nodiscard]] std::vector<std::string> complaints() const;
    [[nodiscard]] std::uint64_t dropped(DropReason reason) const;
    [[nodiscard]] const FoundStations& found() const noexcept { return found_; }

private:
    // A question of ours whose answers are awaited.
    struct Question {
        Kind kind = Kind::probe;
        ChannelId channel = 0;
        bool is_any_project = false;
        std::string endpoint; // of a Resolve
        Time until{0};
    };
    struct Drops {
        std::uint64_t total = 0;
        std::uint64_t untold = 0;
        std::optional<Time> told_at;
        IpAddress last_source;
    };

    void drop(DropReason reason, const IpAddress& source);
    Header next_header(Version version, const std::string& id, std::string_view relates_to);
    [[nodiscard]] OwnTarget target_on(const Endpoint& endpoint) const;

    void say_hello(const Channel& channel, Time now);
    void send_probe(const Channel& channel, bool is_any_project, Time delay, Time now);
    void send_resolve(const Channel& channel, Version version, const std::string& endpoint,
                      bool is_any_project, Time now);
    void ask(const Channel& channel, Question question, const std::string& id, std::string bytes,
             Time first);
    void begin_round(Time now);
    [[nodiscard]] Time ttl() const noexcept { return 3 * period_; }

    [[nodiscard]] std::optional<DropReason> refuse(const Datagram& datagram,
                                                   const Channel& channel) const;
    void handle(const Message& message, const Datagram& datagram, const Channel& channel, Time now);
    void on_hello(const Message& message, const Datagram& datagram, const Channel& channel,
                  Time now);
    void on_bye(const Message& message, const Datagram& datagram, const Channel& channel, Time now);
    void on_probe(const Message& message, const Datagram& datagram, const Channel& channel,
                  Time now);
    void on_resolve(const Message& message, const Datagram& datagram, const Channel& channel,
                    Time now);
    void on_matches(const Message& message, const Datagram& datagram, const Channel& channel,
                    Time now);
    void take_target(const Target& target, const Message& message, const Datagram& datagram,
                     const Channel& channel, bool is_any_project, Time now);
    void answer(Kind kind, const Message& message, const Datagram& datagram, const Channel& channel,
                Time delay, Time now);
    [[nodiscard]] bool is_own(const Target& target) const;
    void note_own_clash(const Message& message, const Datagram& datagram, const Channel& channel,
                        Time now);

    ProtocolSettings settings_;
    Random random_;
    std::vector<Channel> channels_;
    std::optional<OwnStation> self_;
    std::vector<std::string> own_scopes_;
    std::uint32_t message_number_ = 0;
    std::optional<std::uint32_t> instance_id_; // of the last announcement

    Outbox outbox_;
    std::map<std::string, Question> questions_; // by message id
    FoundStations found_;
    SourceRates sources_;
    SeenMessages seen_;
    Bucket datagrams_;
    Bucket answers_;
    Bucket resolves_;
    std::array<Drops, drop_reason_count> drops_{};

    Time period_;
    Time next_round_{0};
    Time round_begun_{0};
    unsigned rounds_ = 0;
    unsigned settled_rounds_ = 0;
    bool is_answered_ = false; // some time since the start
    bool is_heard_ = false;    // a station of ours has said Hello
    std::optional<std::string> own_clash_;
    Time own_clash_until_{0};
};

} // namespace stationsync::discovery_wsd
