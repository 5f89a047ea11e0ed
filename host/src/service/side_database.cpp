#include "service/side_database.hpp"

namespace stationsync::host {

bool SideDatabase::get(const std::string& instance, const std::string& key,
                       std::optional<std::string>& value, std::string& error) {
    const std::lock_guard lock(mutex_);
    auto found = database_->plugin_value(instance, key);
    if (!found) {
        error = found.error().text;
        return false;
    }
    value = std::move(*found);
    return true;
}

bool SideDatabase::put(const std::string& instance, const KeyValues& values, std::string& error) {
    const std::lock_guard lock(mutex_);
    const auto stored = database_->put_plugin_values(instance, values);
    if (!stored)
        error = stored.error().text;
    return stored.has_value();
}

IoResult<std::vector<core::HistoryEntry>> SideDatabase::history(const HistoryQuery& query) {
    const std::lock_guard lock(mutex_);
    return database_->history(query);
}

IoResult<std::vector<StoredMessage>> SideDatabase::messages() {
    const std::lock_guard lock(mutex_);
    return database_->messages();
}

bool SideDatabase::is_newest(const std::string& id, const std::string& subject,
                             std::uint64_t ticket) {
    std::uint64_t& newest = tickets_[{id, subject}];
    if (ticket < newest)
        return false;
    newest = ticket;
    return true;
}

IoResult<void> SideDatabase::put_message(const StoredMessage& message, std::uint64_t ticket) {
    const std::lock_guard lock(mutex_);
    if (!is_newest(message.id, message.subject, ticket))
        return {};
    return database_->put_message(message);
}

IoResult<void> SideDatabase::erase_message(const std::string& id, const std::string& subject,
                                           std::uint64_t ticket) {
    const std::lock_guard lock(mutex_);
    if (!is_newest(id, subject, ticket))
        return {};
    return database_->erase_message(id, subject);
}

} // namespace stationsync::host
