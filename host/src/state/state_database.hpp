// The service's own state of one project: an SQLite database in WAL mode with full synchronization.
//
// Not thread-safe: one call at a time, on worker threads (all functions block). Reading a history
// page and writing share the connection.
#pragma once

#include "base/io_result.hpp"
#include "stationsync/core/operator_message.hpp"
#include "stationsync/core/records.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct sqlite3;

namespace stationsync::host {

// An operator message that stands until its cause is gone; survives restarts.
struct StoredMessage {
    std::string id;
    std::string subject;
    std::uint8_t severity = 0; // core::Severity
    std::string text;
    std::string remedy;
    core::WallTime since;
    core::MessageValues values; // for sentences of other languages
};

struct HistoryQuery {
    std::string provider;             // empty: all
    std::string key;                  // empty: all of the provider
    std::uint32_t entries_max = 1000; // newest first
};

struct OpenedState;
struct LoadedState;

class StateDatabase {
public:
    // Opens or creates `file`. A damaged database is moved aside to FILE.damaged-UTC (never
    // deleted) and an empty one made; `moved_aside` says where to. An error is a sentence (no
    // space, no rights).
    [[nodiscard]] static IoResult<OpenedState> open(const std::filesystem::path& file);
    // Another connection to a file that open() has made or looked at: without the check, and damage
    // is an error that leaves the file where it is.
    [[nodiscard]] static IoResult<std::unique_ptr<StateDatabase>>
    open_again(const std::filesystem::path& file);
    // The same, with everything that it holds. Damage that shows only while reading is handled
    // alike; what a process left that died before its first transaction is cleared away.
    [[nodiscard]] static IoResult<LoadedState> open_and_load(const std::filesystem::path& file);
    ~StateDatabase();
    StateDatabase(const StateDatabase&) = delete;
    StateDatabase& operator=(const StateDatabase&) = delete;

    // All transactions in one commit, durable on return. `no_space`: nothing was changed, try
    // again.
    [[nodiscard]] IoResult<void>
    commit(const std::vector<std::vector<core::Mutation>>& transactions);

    [[nodiscard]] IoResult<std::vector<core::HistoryEntry>> history(const HistoryQuery& query);

    [[nodiscard]] IoResult<std::vector<StoredMessage>> messages();
    [[nodiscard]] IoResult<void> put_message(const StoredMessage& message);
    [[nodiscard]] IoResult<void> erase_message(std::string_view id, std::string_view subject);

    // Values of plugin instances (stsync.host.kv/1). An absent value removes its key.
    using KeyValues = std::vector<std::pair<std::string, std::optional<std::string>>>;
    [[nodiscard]] IoResult<std::optional<std::string>> plugin_value(std::string_view instance,
                                                                    std::string_view key);
    [[nodiscard]] IoResult<void> put_plugin_values(std::string_view instance,
                                                   const KeyValues& values);

private:
    explicit StateDatabase(sqlite3* database);
    struct Content;
    [[nodiscard]] IoResult<Content> load(bool& damaged);
    [[nodiscard]] IoResult<void> clear();
    [[nodiscard]] IoResult<void> apply(const core::Mutation& mutation);
    struct Statements;
    sqlite3* database_ = nullptr;
    std::unique_ptr<Statements> statements_;
};

struct OpenedState {
    std::unique_ptr<StateDatabase> database;
    std::filesystem::path moved_aside; // of a damaged database; empty: none
};

struct LoadedState {
    std::unique_ptr<StateDatabase> database;
    core::DurableState state;
    bool fresh = false;                // no engine has stored anything in it yet
    std::filesystem::path moved_aside; // of a damaged database; empty: none
};

} // namespace stationsync::host
