#include "service/operator_messages.hpp"

#include "base/log.hpp"

#include <algorithm>

namespace stationsync::host {

std::string_view severity_text(std::uint8_t severity) {
    constexpr std::string_view names[] = {"info", "warning", "error"};
    return names[std::min<std::size_t>(severity, 2)];
}

OperatorMessages::OperatorMessages(std::shared_ptr<SideDatabase> database, WorkerPool& pool,
                                   Changed changed)
    : database_(std::move(database)), pool_(pool), changed_(std::move(changed)) {
    if (!database_)
        return;
    if (auto stored = database_->messages())
        for (StoredMessage& message : *stored)
            standing_.emplace(std::pair(message.id, message.subject), std::move(message));
    else
        log::error("service", stored.error().text);
}

void OperatorMessages::raise(const core::RaiseMessage& raised, core::WallTime now) {
    StoredMessage message{raised.id,   raised.subject, static_cast<std::uint8_t>(raised.severity),
                          raised.text, raised.remedy,  now};
    auto [place, added] = standing_.emplace(std::pair(raised.id, raised.subject), message);
    if (!added) {
        if (place->second.text == message.text && place->second.severity == message.severity)
            return;
        message.since = place->second.since;
        place->second = message;
    }
    const log::Level level = message.severity == 0   ? log::Level::info
                             : message.severity == 1 ? log::Level::warning
                                                     : log::Level::error;
    log::write(level, "messages", message.text, {{}, message.subject, message.id});
    if (database_) {
        auto store = [database = database_, message, ticket = ++tickets_] {
            if (const auto stored = database->put_message(message, ticket); !stored)
                log::write_limited("messages", log::Level::error, "service", stored.error().text);
        };
        pool_.submit(std::move(store), [] {});
    }
    changed_(message, true);
}

void OperatorMessages::clear(const std::string& id, const std::string& subject) {
    const auto place = standing_.find({id, subject});
    if (place == standing_.end())
        return;
    const StoredMessage message = std::move(place->second);
    standing_.erase(place);
    if (database_) {
        auto erase = [database = database_, id, subject, ticket = ++tickets_] {
            if (const auto erased = database->erase_message(id, subject, ticket); !erased)
                log::write_limited("messages", log::Level::error, "service", erased.error().text);
        };
        pool_.submit(std::move(erase), [] {});
    }
    changed_(message, false);
}

std::vector<StoredMessage> OperatorMessages::standing() const {
    std::vector<StoredMessage> list;
    for (const auto& [key, message] : standing_)
        list.push_back(message);
    std::stable_sort(list.begin(), list.end(),
                     [](const auto& a, const auto& b) { return a.since < b.since; });
    return list;
}

} // namespace stationsync::host
