// The messages for the operator in the state database.
#include "state/sqlite_error.hpp"
#include "state/sqlite_statement.hpp"
#include "state/state_database.hpp"

#include <map>

namespace stationsync::host {

IoResult<std::vector<StoredMessage>> StateDatabase::messages() {
    Statement select(database_, "SELECT id, subject, severity, text, remedy, since FROM message");
    std::vector<StoredMessage> messages;
    while (select.step())
        messages.push_back({std::string(select.bytes(0)),
                            std::string(select.bytes(1)),
                            static_cast<std::uint8_t>(select.integer(2)),
                            std::string(select.bytes(3)),
                            std::string(select.bytes(4)),
                            core::WallTime{select.integer(5)},
                            {}});
    if (!select.ended_well())
        return error_of(database_, "read the messages");
    for (StoredMessage& message : messages) {
        Statement values(database_,
                         "SELECT name, value FROM message_value WHERE id = ? AND subject = ?");
        values.text(message.id).text(message.subject);
        while (values.step())
            message.values[std::string(values.bytes(0))] = values.bytes(1);
        if (!values.ended_well())
            return error_of(database_, "read the messages");
    }
    return messages;
}

// The message last: with it all its values are there, should the process end in between.
IoResult<void> StateDatabase::put_message(const StoredMessage& message) {
    Statement forget(database_, "DELETE FROM message_value WHERE id = ? AND subject = ?");
    if (!forget.text(message.id).text(message.subject).run())
        return error_of(database_, "write a message");
    for (const auto& [name, value] : message.values) {
        Statement put(database_, "INSERT INTO message_value VALUES (?, ?, ?, ?)");
        if (!put.text(message.id).text(message.subject).text(name).text(value).run())
            return error_of(database_, "write a message");
    }
    Statement put(database_, "INSERT OR REPLACE INTO message VALUES (?, ?, ?, ?, ?, ?)");
    put.text(message.id).text(message.subject).bind(std::int64_t{message.severity});
    if (!put.text(message.text).text(message.remedy).bind(message.since.us).run())
        return error_of(database_, "write a message");
    return {};
}

IoResult<void> StateDatabase::erase_message(std::string_view id, std::string_view subject) {
    for (const char* const command : {"DELETE FROM message WHERE id = ? AND subject = ?",
                                      "DELETE FROM message_value WHERE id = ? AND subject = ?"}) {
        Statement erase(database_, command);
        if (!erase.text(id).text(subject).run())
            return error_of(database_, "delete a message");
    }
    return {};
}

} // namespace stationsync::host
