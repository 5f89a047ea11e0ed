// Everything that the operator may be told, in one catalogue: what it is called, how bad it is, the
// sentence, and what to do.
//
// Prepared for translation: who raises a message names the kind and gives values; sentence and
// remedy are filled in from the catalogue. The values travel with the message, so that whoever
// shows it can fill in a sentence of another language with the same names in braces.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace stationsync::core {

enum class Severity : std::uint8_t { info, warning, error };

// When a message goes.
enum class MessageLife : std::uint8_t {
    // Its cause is looked at anew by whoever raised it: gone with the cause, and raised again after
    // a restart only if it still lasts.
    condition,
    // Stands until it is cleared, over restarts: something waits for a person or for a later
    // change.
    standing,
    // Something that happened once; told for a week, over restarts.
    event,
};

struct MessageKind {
    std::string_view id; // never changes once it was in a release
    Severity severity{};
    MessageLife life{};
    std::string_view sentence; // English, with {names} of values
    std::string_view remedy;   // the same
};

// Sorted by id.
std::span<const MessageKind> message_catalogue();
// Null: no such message.
const MessageKind* find_message_kind(std::string_view id);

using MessageValues = std::map<std::string, std::string>; // by name, without the braces

// `sentence` with its values in place; a name without a value gives nothing.
std::string fill_in(std::string_view sentence, const MessageValues& values);

struct RaiseMessage {
    std::string id; // of the catalogue
    Severity severity = Severity::info;
    std::string subject; // object, provider or station that it is about
    std::string text;
    std::string remedy;
    MessageValues values;
};

// `id` must be in the catalogue (std::logic_error else: a defect).
RaiseMessage make_message(std::string_view id, std::string subject, MessageValues values = {});

} // namespace stationsync::core
