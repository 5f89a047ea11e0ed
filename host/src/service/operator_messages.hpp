// Messages for the operator: raised once per cause, cleared when the cause is gone. What has
// happened and what waits for a person is kept over restarts; a condition that is looked at anew
// (core::MessageLife) is told again only if it still lasts, with the time since which it does. An
// event that happens again is told again: of the same kind and subject, the last one is kept.
#pragma once

#include "base/worker_pool.hpp"
#include "service/side_database.hpp"
#include "stationsync/core/action.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace stationsync::host {

// Engine thread.
class OperatorMessages {
public:
    using Changed = std::function<void(const StoredMessage& message, bool standing)>;
    // `database` may be null (no project is running): messages then live in memory only.
    OperatorMessages(std::shared_ptr<SideDatabase> database, WorkerPool& pool, Changed changed);

    void raise(const core::RaiseMessage& message, core::WallTime now);
    void clear(const std::string& id, const std::string& subject);
    // What merely happened is told for a week; that the state was damaged, at least until all is in
    // step again.
    void forget_events(core::WallTime now, bool in_step);
    [[nodiscard]] std::vector<StoredMessage> standing() const; // oldest first

private:
    using Key = std::pair<std::string, std::string>; // id and subject
    void erase_stored(const Key& key);

    std::shared_ptr<SideDatabase> database_;
    WorkerPool& pool_;
    Changed changed_;
    std::uint64_t tickets_ = 0;
    std::map<Key, StoredMessage> standing_;
    std::map<Key, core::WallTime> before_; // conditions at the last end: since when
};

// What stands while no engine runs: what has happened and what waits for a person, oldest first.
[[nodiscard]] IoResult<std::vector<StoredMessage>> kept_messages(SideDatabase& database);

[[nodiscard]] std::string_view severity_text(std::uint8_t severity); // "info", "warning", "error"

} // namespace stationsync::host
