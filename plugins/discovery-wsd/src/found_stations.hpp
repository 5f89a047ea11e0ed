// The table of found stations: bounded, and hard to fill for one who only claims things.
#pragma once

#include "drop_reason.hpp"
#include "ip_address.hpp"
#include "limits.hpp"
#include "message.hpp"
#include "rates.hpp"
#include "scope.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace stationsync::discovery_wsd {

// What one message says of one station.
struct Sighting {
    StationRecord record;
    Endpoint endpoint; // the source of the datagram with the port of the station
    std::uint32_t zone = 0;
    std::string via; // name of the interface
    Version version = Version::draft_2005;
    std::optional<AppSequence> sequence;
    bool is_answer = false; // to a question of ours, so that the source exists
    Time ttl{0};
};

struct Find {
    StationRecord record;
    std::vector<std::string> endpoints; // best first
    std::string source;                 // address of the best one
    std::string via;
    std::string versions; // "2005/04 2009/01"
    bool is_verified = false;
    Time ttl{0};

    friend bool operator==(const Find&, const Find&) = default;
};
struct FindChange {
    enum class What : std::uint8_t { found, updated, lost };
    What what = What::found;
    std::string station_id;
    Find find; // of found and updated
};

class FoundStations {
public:
    explicit FoundStations(const Limits& limits);

    // Nothing: it was taken up.
    std::optional<DropReason> see(const Sighting& sighting, Time now);
    // Only from where that station was announced.
    std::optional<DropReason> leave(const std::string& station_id, const IpAddress& source,
                                    std::uint32_t zone, const std::optional<AppSequence>& sequence);
    void expire(Time now);
    // From now on they are asked less often: what is known lasts so long.
    void prolong(Time ttl);

    std::vector<FindChange> take_changes(Time now);
    [[nodiscard]] std::optional<Time> next_deadline() const;

    [[nodiscard]] bool contains(const std::string& station_id) const;
    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
    [[nodiscard]] bool has_verified() const;
    // Of the project: everyone has been heard since then, and nobody was new.
    [[nodiscard]] bool is_settled_since(Time then, const std::string& project) const;
    // Stations whose id is used at two addresses by two programs at once: one sentence each.
    [[nodiscard]] std::vector<std::string> clashes() const;

private:
    struct Path {
        Sighting sighting;
        bool is_verified = false;
        Time first_seen{0};
        Time last_seen{0};
        Time expires{0};
        std::set<Version> versions;
    };
    struct Entry {
        std::vector<Path> paths;
        Time first_seen{0};
        std::optional<Find> reported;
        Time reported_at{0};
        std::optional<std::string> clash; // the two addresses
    };
    using Entries = std::map<std::string, Entry>;

    std::optional<DropReason> make_room(const Sighting& sighting, Time now);
    bool make_room_at(const Sighting& sighting);
    bool drop_oldest_claim(const std::optional<IpAddress>& source);
    static std::optional<DropReason> see_path(Entry& entry, const Sighting& sighting, Time now);
    static void note_clash(Entry& entry, const Path& heard);
    static Find view_of(const Entry& entry);
    static bool has_path(const Entry& entry, const Sighting& sighting);
    [[nodiscard]] std::size_t count_at(const IpAddress& source, std::uint32_t zone) const;

    Limits limits_;
    Bucket new_finds_;
    Bucket new_answers_; // of those who answer: claims do not use it up
    Entries entries_;
    std::set<std::string> dirty_; // to be looked at for what is to be told
    std::vector<std::string> lost_;
};

} // namespace stationsync::discovery_wsd
