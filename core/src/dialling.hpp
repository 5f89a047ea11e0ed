// Which addresses to connect to, and when: each address that somebody claims to be a station's is
// dialled again and again, with growing pauses, until a link dialled by us stands to that station.
//
// A claim is a hint: who really answers is known only once a link stands.
#pragma once

#include "context.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace stationsync::core {

inline constexpr std::size_t dials_at_once = 16;
inline constexpr std::size_t dial_addresses_max = 4096;
inline constexpr Duration dial_pause_min = std::chrono::seconds(1);
inline constexpr Duration dial_pause_max = std::chrono::seconds(60);

// Anybody in the network can announce anything. What nobody else tells of has a budget of its own:
// a forged announcement must not make every station of a plant knock at a third party's door.
inline constexpr std::size_t announced_dials_at_once = 4;
inline constexpr Duration announced_interval_min = std::chrono::milliseconds(500);
inline constexpr Duration announced_pause_min = std::chrono::seconds(5);
inline constexpr Duration announced_pause_max = std::chrono::minutes(5);

class Dialling {
public:
    struct Failure {
        std::string reason;
        bool wrong_key = false;
    };
    struct Picture {                     // of one address, for the listing
        std::optional<StationId> proven; // who answered there last
        bool is_self = false;
        bool linked = false;
        std::optional<Failure> failure; // of the last attempt
    };

    explicit Dialling(Context& context) : context_(context) {}

    // `claim` names who says so; what it said before is replaced. Addresses: the most promising
    // first.
    void claim(const std::string& claim, const std::optional<StationId>& id, CandidateSource source,
               const std::vector<std::string>& addresses);
    void withdraw(const std::string& claim);

    // A served station needs no dial: a link dialled by us stands, or it is blocked.
    void set_served(const StationId& id, bool served);
    // It was seen alive just now: do not wait for the end of the pause.
    void hurry(const StationId& id);
    void hurry_claim(const std::string& claim);

    // The address that was dialled; empty for an unknown dial.
    std::string linked(DialId dial, const StationId& id);
    // `lasted`: it was a good link, so that the pauses begin anew.
    void link_lost(const std::string& address, bool lasted);
    // The address that failed; empty for an unknown dial.
    std::string failed(const DialFailed& event);
    void own_addresses_changed(); // what was ourselves may be somebody else now

    void pump(); // starts what is due
    std::optional<Instant> next_deadline() const;

    std::optional<Picture> picture(const std::string& address) const;
    // The last failure among the addresses of that station.
    std::optional<Failure> failure_of(const StationId& id) const;
    bool has_address(const StationId& id) const { return by_station_.contains(id); }

private:
    struct Claim {
        std::optional<StationId> id;
        CandidateSource source = CandidateSource::configured;
    };
    using Queue = std::set<std::pair<Instant, std::string>>; // waiting addresses by due time
    struct Entry {
        std::map<std::string, Claim> claims;
        std::optional<StationId> proven;
        std::optional<DialId> dial; // being dialled
        bool linked = false;
        bool is_self = false;
        Queue* queue = nullptr; // the one that it waits in
        Duration pause = dial_pause_min;
        Instant due;
        Instant tried_at;
        bool tried = false;
        std::optional<Failure> failure;
        std::uint64_t failure_order = 0;
    };
    struct Flight {
        std::string address;
        std::vector<StationId> ids;
        bool announced = false;
    };
    using Place = std::map<std::string, Entry>::iterator;

    std::vector<StationId> ids_of(const Entry& entry) const;
    bool needed(const std::string& address, const Entry& entry) const;
    bool is_configured(const Entry& entry) const;
    bool is_only_announced(const Entry& entry) const;
    void trust(Place place, Instant due);
    void unclaim(const std::string& claim, const std::string& address);
    void reindex(Place place, const std::vector<StationId>& before);
    void schedule(Place place);
    void schedule_station(const StationId& id);
    void postpone(Place place, Instant due);
    void hurry_entry(Place place);
    void drop_if_unclaimed(Place place);
    void unqueue(Place place);
    void start_first(Queue& queue); // or puts it off while its station is being dialled
    void start(Place place);
    bool has_room(const Queue& queue) const;
    Flight land(DialId dial);

    Context& context_;
    std::map<std::string, Entry> entries_;                    // by address
    std::map<std::string, std::vector<std::string>> claimed_; // claim -> addresses
    std::map<StationId, std::set<std::string>> by_station_;   // addresses claimed or proven
    std::set<StationId> served_;
    std::map<StationId, unsigned> in_flight_; // dials by station
    std::map<DialId, Flight> flights_;
    Queue queue_;
    Queue announced_; // what only announcements tell of
    std::size_t announced_flights_ = 0;
    Instant next_announced_; // not before
    std::uint64_t last_dial_ = 0;
    std::uint64_t failures_ = 0;
};

} // namespace stationsync::core
