// What SQL Server's and the drivers' error numbers mean for who tries again, and for the operator.
// Numbers decide, never texts: those come in the language of the server.
#pragma once

#include "sql_answer.hpp"

#include <stationsync/error.hpp>

#include <map>
#include <span>

namespace stationsync::sqlserver {

enum class Handling : std::uint8_t {
    none,         // information, or the trailer of another error
    retry,        // passes by itself: again with growing pauses
    retry_once,   // again at once in another way, as the rule says; then a failure
    after_change, // a person or time must change something
    never,        // the same again gives the same
};

struct ErrorRule {
    std::string_view id;
    Handling handling = Handling::never;
    stsync_status status = STSYNC_INTERNAL; // what the plugin returns; OK for Handling::none
    // Whole sentences; {name|otherwise} stands for a value or, where it is not known, for what is
    // behind the bar.
    std::string_view sentence;
    std::string_view remedy;
};

// When a message came: some numbers of the system mean a server out of reach during a login only,
// and what cannot be read is the package, but for a BACKUP the database.
enum class Phase : std::uint8_t { connecting, running, backing_up };

struct ErrorNumber {
    std::int32_t number = 0;
    // Of the system, "Operating system error 5", within the text of the server; 0 = any other.
    std::int32_t system = 0;
    std::string_view rule;
    bool is_of_login = false; // counts while connecting only
};

// Sorted by id, and by number and system.
std::span<const ErrorRule> error_rules();
std::span<const ErrorNumber> error_numbers();
const ErrorRule* find_error_rule(std::string_view id);

// The rule for one message; null when it is not known.
const ErrorRule* rule_of(const Diagnostic& message, Phase phase);

// 5 of "Cannot open backup device 'C:\x'. Operating system error 5(Access is denied.)."; 0 = none.
// In every language the number stands before a parenthesis.
std::int32_t system_error_in(std::string_view text);

using Values = std::map<std::string, std::string, std::less<>>;
std::string fill_in(std::string_view sentence, const Values& values);

// The one message that counts, out of all that came with it; null when there is no error. Trailers
// (3013) give way to what they trail, the refused login (18456) to the database that is missing
// (4060), a cancelled statement (HY008) to what the server refused, and a claimed file (3156) to
// what the system says about it.
const Diagnostic* main_message(const std::vector<Diagnostic>& messages, Phase phase);

// A failure, ready to be told.
struct Problem {
    std::string rule; // id, empty = unknown number
    std::int32_t number = 0;
    Handling handling = Handling::retry;
    stsync_status status = STSYNC_INTERNAL;
    std::string sentence;
    std::string remedy;
    std::string said; // by the server, the message that counts

    sdk::Error to_error() const; // "sentence remedy (3101: said)"
};

// `values` that sentences know: database, server, file, folder, sessions, grant, access, ours,
// theirs, drivers.
Problem problem_of(const std::vector<Diagnostic>& messages, Ending ending, Phase phase,
                   const Values& values);

} // namespace stationsync::sqlserver
