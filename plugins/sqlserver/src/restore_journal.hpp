// What a restore is about to do, durable before each step that leaves traces, so that whoever comes
// after a crash can finish or undo it. What the server says decides; this only tells what was
// meant.
#pragma once

#include <stationsync/host_ref.hpp>

#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace stationsync::sqlserver {

enum class RestoreStep : std::uint8_t {
    preparing,   // side by side: the package comes up under its own name, the database is in use
    exchanging,  // users are out; the names are exchanged
    exchanged,   // the new database has the name and its baseline is stored
    opened,      // it has been seen to be open to its users; only the old one is to go
    saving,      // in place: users are out, the copy is written
    replacing,   // in place: the copy is proved, the database is overwritten
    overwritten, // in place: the server said that the new content is complete
    replaced,    // in place: that is so, its baseline is stored
    put_back,    // in place: the old content is there again and noted; its users may come
};

struct Intent {
    std::string key;      // of the object
    std::string database; // its name
    RestoreStep step = RestoreStep::preparing;
    std::string backup_set; // GUID of the package
    std::string family;     // GUID of the database in it
    std::string content;    // content id as text
    std::int64_t changed_at = 0;
    std::string apply_id; // 32 hexadecimal digits
    std::string primary;  // path of the first data file of the new database
    std::string incoming; // work names; empty when in place
    std::string outgoing;
    std::string kept_name;   // what was there stays under this name, offline; empty = it is dropped
    std::string safety_file; // the copy, as SQL Server sees it; empty when side by side
    std::string safety_here; // as this computer sees it
    std::string before;      // the encoded baseline of what is replaced
    std::int64_t session = 0;        // the one that restores, 0 = none yet
    bool was_taken_offline = false;  // in place, so that its counters began anew
    bool is_given_up = false;        // the new content is not wanted, whatever is there
    bool is_checked = false;         // in place: the new content has passed its check
    bool is_kept_for_safety = false; // `kept_name`, for what nobody else may have
    bool was_there = false;          // there was a database before
    std::string access;              // of it: MULTI_USER …
    std::string fork;                // its recovery fork, GUID
    std::int64_t last_restore = 0;   // newest row of restorehistory
    std::string owner;
    bool was_trustworthy = false;
    bool was_chaining = false;
    bool had_broker = false;

    bool is_in_place() const noexcept { return incoming.empty(); }
    friend bool operator==(const Intent&, const Intent&) = default;
};

// Of the database that a leftover is.
const std::string& leftover_name(const Intent& leftover) noexcept;

std::string encode(const Intent& intent);
// Nothing for what is none.
std::optional<Intent> decode_intent(std::string_view bytes);

// The open intents of one instance, in the host's durable values. Thread-safe.
class RestoreJournal {
public:
    explicit RestoreJournal(sdk::Host host) : host_(host) {}

    // Durable when it returns. Throws sdk::Error when the host does not store it.
    void put(const Intent& intent);
    void remove(const std::string& key);
    // The database is whole, and only a database of ours is still to be put away: the one of
    // `incoming` and `outgoing` that is not empty. Nothing waits for that; the intent is closed.
    // Again for the same name: replaces what was meant.
    void set_aside(const Intent& leftover);
    // The same beside an open intent.
    void put_leftover(const Intent& leftover);
    std::vector<Intent> leftovers();
    void forget(const Intent& leftover);
    // Its new database is another one now, which the leftovers of this key lie beside.
    void move_leftovers(const std::string& key, const std::string& primary);
    std::optional<Intent> find(const std::string& key);
    // One that cannot be read is moved out of the way and told once.
    std::vector<Intent> open_intents();
    // Also where one cannot be read.
    bool has_open();

private:
    std::vector<std::string> names(const char* list); // of the values, one for each record
    std::vector<Intent> read_all(const char* list);

    sdk::Host host_;
    std::mutex mutex_;
};

} // namespace stationsync::sqlserver
