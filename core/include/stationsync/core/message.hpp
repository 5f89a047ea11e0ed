// What two engines say to each other over a link. Plain structs; the host encodes them.
#pragma once

#include "stationsync/core/records.hpp"

#include <variant>

namespace stationsync::core {

inline constexpr std::uint32_t protocol_major = 1;
inline constexpr std::uint32_t protocol_minor = 0;

// Stations of another major version exchange no data; a later minor version sends more, which is
// passed over.
struct ProtocolVersion {
    std::uint32_t major = protocol_major;
    std::uint32_t minor = protocol_minor;
    bool operator==(const ProtocolVersion&) const = default;
};
std::string to_text(ProtocolVersion version); // "1.0"

struct ProviderProfile {
    std::string name;
    std::string plugin;         // id of the plugin
    std::string plugin_version; // compatible when the major part is equal
    bool known = false; // the back end's tokens are known; false suspends the provider on the link
    std::vector<Token> tokens;
    bool established = false;
    bool operator==(const ProviderProfile&) const = default;
};

// First message on every link, in both directions, and again whenever it changes.
// What becomes of a pair whose back ends or plugins of one provider do not fit.
enum class ProviderMismatch : std::uint8_t {
    reject_station, // nothing is exchanged
    skip_provider,  // everything but that provider is
};
std::string_view to_text(ProviderMismatch policy); // as in the project file

struct Profile {
    std::uint32_t protocol_major = core::protocol_major;
    std::uint32_t protocol_minor = core::protocol_minor;
    StationId station;
    std::uint64_t run_id = 0; // random, drawn at each process start
    std::string station_name;
    std::string project;
    std::string product_version;
    std::vector<ProviderProfile> providers; // sorted by name
    std::vector<std::string> addresses;     // where this station listens, "host:port"
    ProviderMismatch on_provider_mismatch = ProviderMismatch::reject_station;
    bool operator==(const Profile&) const = default;
};

// What our plugins say of the peer's tokens. Both sides act on both sides' verdicts.
struct TokenVerdict {
    std::string provider; // or "/time", "/clone": the sender's judgement of the pair itself
    bool compatible = true;
    std::string text; // why not
    bool operator==(const TokenVerdict&) const = default;
};
struct Verdicts {
    std::vector<TokenVerdict> verdicts;
    // Grows with every new judgement of this process: what comes late, over the other link of the
    // pair, does not replace what is newer.
    std::uint64_t number = 0;
    bool operator==(const Verdicts&) const = default;
};

// Our measurement: the receiver's clock minus ours, half the round trip taken off.
struct TimeReport {
    Duration offset{};
    Duration uncertainty{};
    bool operator==(const TimeReport&) const = default;
};

// Highest sequence and index position of the receiver that we have seen, for one of its
// incarnations.
struct KnownOfYou {
    std::uint64_t incarnation = 0;
    std::uint64_t sequence = 0;
    std::uint64_t index = 0;
    bool operator==(const KnownOfYou&) const = default;
};
// After the profile. Also names the sender's present incarnation.
struct Greeting {
    std::uint64_t incarnation = 0;
    std::vector<KnownOfYou> known;
    bool answer_wanted = false; // the sender has no greeting of the receiver on this exchange yet
    bool operator==(const Greeting&) const = default;
};

// Asks for everything of the receiver's index beyond `after`, and acknowledges all up to it.
// Changes that come later are sent without being asked for, one batch at a time.
struct IndexRequest {
    std::uint64_t incarnation = 0; // of the receiver; a wrong one is answered from the beginning
    std::uint64_t after = 0;
    bool wants_answer = true; // false: acknowledges only; nothing new needs no answer
    bool operator==(const IndexRequest&) const = default;
};

struct IndexEntry {
    ObjectId object;
    std::vector<SetEntry> set;
    RevisionId held;                    // empty: holds nothing of it (yet)
    std::vector<LocalPackage> packages; // that the sender can serve, `live` not told apart
    std::vector<RevisionId> kept;       // entries of `set` whose content the sender keeps
    std::uint64_t index = 0;
    // Not on the wire, filled in by the receiving host for providers whose keys are paths:
    std::string folded_key; // see ObservedObject
    std::string refused;    // why the key may not be used here; empty = it may
    bool operator==(const IndexEntry&) const;
};

struct IndexBatch {
    std::uint64_t incarnation = 0; // of the sender
    std::uint64_t after = 0;       // continues from here
    std::uint64_t last = 0;        // everything of (after, last] is in `entries` or out of date
    std::vector<IndexEntry> entries;
    bool more = false;
    std::vector<std::string> established; // providers for which the sender is established
    bool operator==(const IndexBatch&) const = default;
};

// A change of `object` is settling at the sender. Dies with the link.
struct PendingChange {
    ObjectId object;
    bool active = true;
    WallTime since;
    bool operator==(const PendingChange&) const = default;
};

// What keeps a station from bringing new states of a provider into its live data.
enum class Hindrance : std::uint8_t {
    none,
    held,      // by a person there
    condition, // its `apply_when`
    other,     // what this version does not know
};
std::string_view to_text(Hindrance hindrance);
// How it stands at the sender; told when it changes, and all that is not `none` to whom opens. Dies
// with the link.
struct ApplyState {
    std::string provider;
    Hindrance hindrance = Hindrance::none;
    std::string text; // of a condition: why not
    WallTime since;
    std::optional<WallTime> until; // of a hold that ends by itself
    // Grows with every state of this process: what comes late, over the other link of the pair,
    // does not replace what is newer.
    std::uint64_t number = 0;
    bool operator==(const ApplyState&) const = default;
};

// The sender has begun to fetch this package and serves the blocks that it has. Dies with the link.
struct PartialPackage {
    ObjectId object;
    RevisionId revision;
    PackageInfo package;
    bool active = true;
    bool operator==(const PartialPackage&) const = default;
};

struct Introduction {
    StationId id;
    std::string name;
    std::vector<std::string> addresses;
    bool operator==(const Introduction&) const = default;
};
struct Introductions {
    std::vector<Introduction> stations;
    bool operator==(const Introductions&) const = default;
};

struct BlockEntry {
    StationId id;
    bool blocked = false;
    Stamp stamp; // last one wins
    StationId by;
    bool operator==(const BlockEntry&) const = default;
};
struct BlockList {
    std::vector<BlockEntry> entries;
    bool operator==(const BlockList&) const = default;
};

// Who keeps this state of the object? Asked by `restore`.
struct KeptQuery {
    ObjectId object;
    std::string version;
    bool operator==(const KeptQuery&) const = default;
};
struct KeptAnswer {
    ObjectId object;
    std::string version;
    bool found = false;
    RevisionPtr revision; // null when the state never was a revision
    PackageInfo package;
    bool operator==(const KeptAnswer&) const;
};

// Asks a peer to read all content of a provider again and compare it with its records.
struct VerifyRequest {
    std::uint64_t request = 0;
    std::string provider;
    bool operator==(const VerifyRequest&) const = default;
};
struct VerifyReport {
    std::uint64_t request = 0;
    std::string provider;
    std::uint64_t checked = 0;
    std::vector<std::string> different; // keys, at most 100
    bool operator==(const VerifyReport&) const = default;
};

using Message = std::variant<Profile, Verdicts, TimeReport, Greeting, IndexRequest, IndexBatch,
                             PendingChange, PartialPackage, Introductions, BlockList, KeptQuery,
                             KeptAnswer, VerifyRequest, VerifyReport, ApplyState>;

std::string to_text(const Message& message); // one line

} // namespace stationsync::core
