// Read-only pictures of the engine for status, listings and explain.
#pragma once

#include "stationsync/core/message.hpp"

namespace stationsync::core {

enum class ObjectState : std::uint8_t {
    in_sync,
    settling,
    exporting,
    waiting,
    fetching,
    applying,
    failed,
    held
};
std::string_view to_text(ObjectState state);

struct ConflictView {
    StationId with; // author of the greatest loser
    WallTime at;
    std::vector<StationId> loser_kept_on;
    bool order_uncertain = false;
};
// A station that does not bring new states of a provider in at present.
struct WaitView {
    StationId station;
    Hindrance hindrance = Hindrance::none;
    std::string text; // one sentence, without the station's name
    WallTime since;
    std::optional<WallTime> until; // of a hold that ends by itself
};
struct ObjectView {
    ObjectId id;
    ObjectState state = ObjectState::in_sync;
    std::string reason;  // empty only when in sync
    double progress = 0; // 0..1 of a fetch
    std::uint64_t bytes = 0;
    WallTime changed_at;
    StationId author;
    Stamp stamp;
    std::optional<Digest> digest;
    std::vector<StationId> present_on; // stations known to hold the head
    std::optional<ConflictView> conflict;
    std::vector<WaitView> waits_on; // linked stations where the head waits, this one first
};

enum class StationState : std::uint8_t { connected, checking, rejected, unreachable, searching };
std::string_view to_text(StationState state);

// One check of the compatibility report. `text` names both stations and is the same on both sides.
struct CheckResult {
    std::string check; // "time", "project", "protocol", "product-version", "provider:NAME",
                       // "on-provider-mismatch", "clone", "key", "blocked"
    bool passed = true;
    bool suspends_only = false; // stops one provider on the link, not the link
    bool skipped = false;       // does so because it does not fit, see ProviderMismatch
    std::string ours;
    std::string theirs;
    std::string limit;
    std::string text;
    std::string remedy; // what a person can do; the same on both sides
    bool operator==(const CheckResult&) const = default;
};
struct StationView {
    std::optional<StationId> id; // none: nobody told it; a hint until a link stood
    std::string name;
    std::string project;
    std::string protocol;        // "1.0"; empty: not told yet
    std::string product_version; // as it says itself, or as discovery announced it
    std::vector<std::string> addresses;
    bool found = false;    // a link dialled by us stands
    bool found_by = false; // a link dialled to us stands
    StationState state = StationState::searching;
    std::vector<CheckResult> reasons; // failed checks, or why a direction is missing
    std::vector<CheckResult> checks;  // the whole report, passed or not; empty before a profile
    std::optional<Duration> time_difference; // its clock minus ours, the mean of both measurements
    Duration time_uncertainty{};             // of our measurement
    WallTime last_seen;
    bool blocked = false;
};

enum class ProviderState : std::uint8_t {
    ok,
    disabled,
    newcomer,
    suspended,
    fault,
    held,   // by a person here
    waiting // something new waits for its `apply_when`
};
std::string_view to_text(ProviderState state);
struct ProviderView {
    std::string name;
    std::string plugin;
    ProviderState state = ProviderState::ok;
    std::string reason;
    std::uint64_t objects = 0;
    std::uint64_t unsynced = 0;
    std::uint64_t published = 0;
    std::uint64_t applied = 0;
    WallTime last_applied_at;
    bool established = false;
    std::vector<WaitView> waits_on; // this station, if it is one of them, and the linked ones
};

} // namespace stationsync::core
