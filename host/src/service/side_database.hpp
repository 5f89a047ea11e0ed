// The second connection to the state database: plugin values, operator messages, history pages.
// Apart from the engine's transactions, so that none waits for a page of history.
#pragma once

#include "plugins/host_services.hpp"
#include "state/state_database.hpp"

#include <map>
#include <memory>
#include <mutex>

namespace stationsync::host {

// Any thread; calls block.
class SideDatabase final : public PluginValueStore {
public:
    explicit SideDatabase(std::unique_ptr<StateDatabase> database)
        : database_(std::move(database)) {}

    bool get(const std::string& instance, const std::string& key, std::optional<std::string>& value,
             std::string& error) override;
    bool put(const std::string& instance, const KeyValues& values, std::string& error) override;

    IoResult<std::vector<core::HistoryEntry>> history(const HistoryQuery& query);
    IoResult<std::vector<StoredMessage>> messages();
    // `ticket` rises with each call for one message: what arrives late from another worker is
    // ignored.
    IoResult<void> put_message(const StoredMessage& message, std::uint64_t ticket);
    IoResult<void> erase_message(const std::string& id, const std::string& subject,
                                 std::uint64_t ticket);

private:
    bool is_newest(const std::string& id, const std::string& subject, std::uint64_t ticket);

    std::mutex mutex_;
    std::map<std::pair<std::string, std::string>, std::uint64_t> tickets_;
    std::unique_ptr<StateDatabase> database_;
};

} // namespace stationsync::host
