#include "service/operator_messages.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <chrono>

namespace stationsync::host {

std::string_view severity_text(std::uint8_t severity) {
    constexpr std::string_view names[] = {"info", "warning", "error"};
    return names[std::min<std::size_t>(severity, 2)];
}

namespace {

// Long enough for a holiday, short enough that the list stays worth reading.
constexpr std::chrono::hours event_age_max{24 * 7};

core::MessageLife life_of(const std::string& id) {
    const core::MessageKind* const kind = core::find_message_kind(id);
    return kind == nullptr ? core::MessageLife::condition : kind->life; // of a later version
}

} // namespace

OperatorMessages::OperatorMessages(std::shared_ptr<SideDatabase> database, WorkerPool& pool,
                                   Changed changed)
    : database_(std::move(database)), pool_(pool), changed_(std::move(changed)) {
    if (!database_)
        return;
    auto stored = database_->messages();
    if (!stored) {
        log::error("service", stored.error().text);
        return;
    }
    for (StoredMessage& message : *stored) {
        const Key key(message.id, message.subject);
        if (life_of(message.id) == core::MessageLife::condition) {
            before_.emplace(key, message.since);
            erase_stored(key);
        } else {
            standing_.emplace(key, std::move(message));
        }
    }
}

void OperatorMessages::raise(const core::RaiseMessage& raised, core::WallTime now) {
    StoredMessage message{raised.id,    raised.subject, static_cast<std::uint8_t>(raised.severity),
                          raised.text,  raised.remedy,  now,
                          raised.values};
    if (const auto before = before_.find({raised.id, raised.subject}); before != before_.end()) {
        message.since = before->second;
        before_.erase(before);
    }
    auto [place, added] = standing_.emplace(std::pair(raised.id, raised.subject), message);
    if (!added) {
        // What has happened once more is told once more, with its own time.
        if (life_of(message.id) != core::MessageLife::event) {
            if (place->second.text == message.text && place->second.severity == message.severity)
                return;
            message.since = place->second.since;
        }
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
    const Key key(id, subject);
    before_.erase(key);
    const auto place = standing_.find(key);
    if (place == standing_.end())
        return;
    const StoredMessage message = std::move(place->second);
    standing_.erase(place);
    if (database_)
        erase_stored(key);
    changed_(message, false);
}

void OperatorMessages::erase_stored(const Key& key) {
    auto erase = [database = database_, key, ticket = ++tickets_] {
        if (const auto erased = database->erase_message(key.first, key.second, ticket); !erased)
            log::write_limited("messages", log::Level::error, "service", erased.error().text);
    };
    pool_.submit(std::move(erase), [] {});
}

void OperatorMessages::forget_events(core::WallTime now, bool in_step) {
    std::vector<Key> old;
    for (const auto& [key, message] : standing_)
        if (life_of(message.id) == core::MessageLife::event &&
            message.since + event_age_max < now && (in_step || message.id != "state-damaged"))
            old.push_back(key);
    for (const Key& key : old)
        clear(key.first, key.second);
}

std::vector<StoredMessage> OperatorMessages::standing() const {
    std::vector<StoredMessage> list;
    for (const auto& [key, message] : standing_)
        list.push_back(message);
    std::stable_sort(list.begin(), list.end(),
                     [](const auto& a, const auto& b) { return a.since < b.since; });
    return list;
}

IoResult<std::vector<StoredMessage>> kept_messages(SideDatabase& database) {
    auto messages = database.messages();
    if (!messages)
        return messages.error();
    std::erase_if(*messages, [](const StoredMessage& message) {
        return life_of(message.id) == core::MessageLife::condition;
    });
    std::ranges::sort(*messages, {}, &StoredMessage::since);
    return std::move(*messages);
}

} // namespace stationsync::host
