// Inside of the station half, shared by the files stations*.cpp:
// stations.cpp (entries, deadlines, telling the listener), stations_links.cpp (links, runs,
// clones), stations_judge.cpp (profiles, verdicts, time, who is open), stations_gossip.cpp
// (candidates, records, introductions), stations_block.cpp, stations_queries.cpp,
// stations_views.cpp (listing).
//
// A *session* is the time for which a peer is open without a break. Its messages go over one link
// from beginning to end, so that they stay in order; when that link is lost, all links of the pair
// are closed, and both sides begin anew.
#pragma once

#include "clock_judge.hpp"
#include "compatibility.hpp"
#include "dialling.hpp"
#include "stations.hpp"
#include "timers.hpp"

#include <map>
#include <optional>
#include <set>
#include <vector>

namespace stationsync::core {

inline constexpr Duration profile_wait_max = std::chrono::seconds(30);
inline constexpr Duration verdict_wait_max = std::chrono::seconds(10);
inline constexpr Duration rejudge_interval = std::chrono::seconds(10);
inline constexpr Duration direction_grace = std::chrono::seconds(15);
inline constexpr Duration introduce_pause = std::chrono::seconds(2);
inline constexpr Duration sweep_interval = std::chrono::hours(1);
inline constexpr Duration last_seen_age_max = std::chrono::hours(24);
inline constexpr Duration lasting_link = std::chrono::seconds(30);
inline constexpr std::size_t accepted_links_max = 4; // of one station
inline constexpr std::size_t record_addresses_max = 8;
inline constexpr std::size_t own_addresses_max = 16;
inline constexpr std::size_t hearsay_records_max = 1024;
inline constexpr std::size_t announced_records_max = 256;
inline constexpr std::size_t candidates_max = 4096;
inline constexpr std::size_t refusals_max = 256;
inline constexpr Duration refusal_shown = std::chrono::minutes(3);
inline constexpr std::size_t gossip_batch = 256;

// Values of StationRecord::forgotten.
inline constexpr std::uint64_t record_seen = 0; // it had a link with us
inline constexpr std::uint64_t record_hidden =
    1; // not shown, dialled or introduced until it is seen
inline constexpr std::uint64_t record_hearsay = 2;   // others told of it, we never saw it
inline constexpr std::uint64_t record_announced = 3; // nobody but discovery told of it

struct Link {
    LinkId id{};
    StationId station;
    std::uint64_t run_id = 0;
    bool dialled = false;
    std::string dialled_address; // when we dialled it
    std::string peer_address;
    Instant up_at;
    bool probing = false;
    std::optional<Duration> offset;
    Duration uncertainty{};
};

// What one process of a station told us, over any of its links.
struct Told {
    std::uint64_t order = 0; // the run that appeared last has the greatest
    std::optional<Profile> profile;
    std::optional<Verdicts> verdicts;
    std::optional<Duration> time_offset;
};

struct Peer {
    StationId id;
    std::optional<StationRecord> record;
    std::vector<LinkId> links;          // of all runs, oldest first
    std::map<std::uint64_t, Told> runs; // more than one: restarted, or a cloned disk
    std::uint64_t runs_seen = 0;
    std::optional<std::uint64_t> active; // the run that we talk to
    bool cloned = false;                 // two runs proved to be alive at the same time
    std::optional<Instant> linked_since;

    ClockJudge clock;
    std::optional<Verdicts> verdicts_sent; // to the active run
    std::optional<Duration> offset_sent;
    Duration uncertainty{};       // of the best measurement
    bool verdict_overdue = false; // a plugin takes its time: told without its verdict
    std::vector<CheckResult> checks;
    bool rejected = false;
    bool open = false;
    LinkId session_link{};
    std::uint64_t session = 0;
    std::set<std::string> open_providers;

    bool told_open = false; // what the listener knows
    std::uint64_t told_session = 0;
    LinkId told_link{}; // that session's
    std::set<std::string> told_providers;
    std::string told_rejection; // names of the failed checks in the operator's message
    std::string told_skipped;   // the same of the providers that are left out
};

struct Candidate {
    CandidateFound found;
    bool foreign = false; // of another project
};

// Somebody connected to us and did not become a link.
struct Refusal {
    IncomingRefused event;
    Instant at;
};

struct Stations::Impl {
    enum class TimerKind : std::uint8_t {
        profile,
        verdict,
        rejudge,
        direction,
        introduce,
        refusals,
        sweep
    };
    struct TimerKey {
        TimerKind kind{};
        StationId station;
        LinkId link{};
        auto operator<=>(const TimerKey&) const = default;
    };

    Impl(Context& context, TokenJudge& judge, StationsListener& listener,
         std::vector<StationRecord> records);

    // -- stations.cpp
    void finish(); // ends a public entry: dials what is due, sends what changed, tells the listener
    void tell(const StationId& id);
    void handle_deadline();
    void on_timer(const TimerKey& key);
    std::optional<Instant> next_deadline() const;
    void set_own_addresses();
    Peer* find(const StationId& id);
    const Peer* find(const StationId& id) const;
    Link* find_link(LinkId id);
    Peer& get(const StationId& id);
    void changed(const Peer& peer) { dirty.insert(peer.id); }
    void send(const Peer& peer, const Message& message); // on all links of the active run
    std::string name_of(const StationId& id) const;

    // -- stations_links.cpp
    void link_up(const LinkUp& event);
    void link_down(LinkId id);
    void link_alive(LinkId id);
    void refuse(const LinkUp& event, std::string reason);
    void own_clone_up(const LinkUp& event);
    void close(LinkId id, std::string reason);
    void close_all(Peer& peer, const std::string& reason);
    void probe(Link& link);
    void handle_duplicates(Peer& peer, const Link& added);
    void begin_run(Peer& peer, Link& link);
    bool is_newest_run(const Peer& peer, std::uint64_t run_id) const;
    void remember_run(Peer& peer, const std::string& name);
    void raise_clone(Peer& peer);
    void close_superfluous(Peer& peer, std::uint64_t run_id);
    std::optional<Link> remove_link(LinkId id);
    void settle_runs(Peer& peer);
    void end_run(Peer& peer);
    void end_session(Peer& peer);
    void greet(Peer& peer, const Link& link);
    void update_clone(Peer& peer);
    std::vector<const Link*> active_links(const Peer& peer) const;
    std::optional<LinkId> preferred_link(const Peer& peer) const;
    bool has_link(const Peer& peer, bool dialled) const; // of the active run
    void update_served(const Peer& peer);

    // -- stations_judge.cpp
    void on_profile(LinkId id, const Profile& message);
    void clock_measured(const ClockMeasured& event);
    void refresh_profile();
    void judge_all();
    void judge(Peer& peer);
    void update_clock(Peer& peer, const Told& told);
    std::uint64_t next_verdicts();
    std::uint64_t verdicts_made = 0;
    Verdicts make_verdicts(Peer& peer, const Profile& theirs, bool& pending);
    void judge_clone(Peer& peer);
    void conclude(Peer& peer, Compatibility result, bool complete);
    void tell_rejection(Peer& peer);
    static std::string told_of(const CheckResult& check);
    void tell_skipped(Peer& peer);
    Told* told_on(LinkId id, Link*& link);

    // -- stations_gossip.cpp
    void candidate_found(const CandidateFound& event);
    void candidate_lost(const CandidateLost& event);
    void dial_failed(const DialFailed& event);
    void incoming_refused(const IncomingRefused& event);
    void forget_refusals();
    void clear_wrong_key(const std::string& address);
    std::string name_at(const std::string& address) const;
    bool has_room_for(std::uint64_t told_by) const; // among the records of its kind
    void hear_of(const StationId& id, const std::string& name,
                 const std::vector<std::string>& addresses, std::uint64_t told_by);
    void note_last_seen(Peer& peer);
    void remember(Peer& peer, const std::string& name, const std::vector<std::string>& addresses,
                  bool good);
    bool add_addresses(StationRecord& record, const std::vector<std::string>& addresses, bool good);
    void store(const Peer& peer);
    void claim_record(const Peer& peer);
    void introduce_all(const Peer& peer);
    void introduce_changes();
    std::optional<Introduction> introduction_of(const StationId& id) const;
    bool may_gossip(const Peer& peer) const;
    void on_introductions(LinkId id, const Introductions& message);
    void forget_requested(const ForgetRequested& event);
    void sweep();
    void erase_record(Peer& peer);
    void note_introducible(const StationId& id);

    // -- stations_block.cpp
    void on_block_list(LinkId id, const BlockList& message);
    void apply_block(Peer& peer, const BlockEntry& entry);
    void spread_block(const BlockEntry& entry, const std::optional<StationId>& except);
    void send_block_list(const Peer& peer);
    void block_requested(const BlockRequested& event);

    // -- stations_views.cpp
    std::vector<StationView> views() const;
    StationView view_of(const Peer& peer) const;
    void describe(const Peer& peer, StationView& view) const;
    void explain_direction(const Peer& peer, StationView& view) const;
    const Candidate* announcement_of(const StationId& id) const;
    void announced_reasons(const Candidate& candidate, StationView& view) const;
    bool is_listed(const std::string& address) const;
    std::optional<StationView> view_of(const Candidate& candidate) const;
    StationView view_of(const IncomingRefused& event) const;
    const IncomingRefused* refusal_of(const std::vector<std::string>& addresses) const;

    Context& context;
    TokenJudge& token_judge;
    StationsListener& listener;
    Dialling dialling;
    Profile own; // what we tell of ourselves
    bool own_changed = false;
    std::map<StationId, Peer> peers; // known by record or link
    std::map<LinkId, Link> links;
    std::set<LinkId> own_clones; // links to another process with our own id
    std::map<std::pair<std::string, std::string>, Candidate> candidates; // by origin, handle
    Timers<TimerKey> timers;
    std::set<StationId> dirty; // peers to tell of at the end of the entry
    std::set<StationId> to_introduce;
    std::set<std::string> wrong_key_told;   // addresses and hosts in the operator's messages
    std::map<std::string, Refusal> refused; // last one of who connected to us, by host
    bool telling = false;
};

std::string_view host_of(std::string_view address); // "host" of "host:port", "[::1]" of "[::1]:80"
std::string_view bare_host_of(std::string_view address); // the same without brackets
// Foreign text as it may be shown: one line, not too long.
std::string shown_text(std::string_view text, std::size_t bytes_max = 500);
// What a station says of its listeners, with its address as we see it in place of "all interfaces".
std::vector<std::string> reachable_addresses(const std::vector<std::string>& listens,
                                             const std::string& peer_address);
std::string wrong_key_text(const std::string& name, const std::string& address,
                           const std::string& project);
std::string record_claim(const StationId& id);
std::string candidate_claim(const std::string& origin, const std::string& handle);

} // namespace stationsync::core
