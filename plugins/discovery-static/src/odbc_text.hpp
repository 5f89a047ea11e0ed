// Texts that go to ODBC drivers and come from them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace stationsync::odbc {

// What is no valid text on one side becomes U+FFFD on the other.
std::u16string utf16_of(std::string_view utf8);
std::string utf8_of(std::u16string_view utf16);

// Overwrites the bytes before they are given back.
void wipe(std::string& text) noexcept;
void wipe(std::u16string& text) noexcept;

// "Driver={ODBC Driver 18 for SQL Server};Server=…;UID=…;PWD=…" and what of it must not be seen.
class ConnectionString {
public:
    explicit ConnectionString(std::string text);
    ConnectionString(const ConnectionString&) = default;
    ConnectionString& operator=(const ConnectionString&) = default;
    ~ConnectionString(); // wipes

    // Keys are compared without regard to case.
    bool has(std::string_view key) const;
    // A password that stands in the text itself.
    bool has_password() const;
    // Appends KEY={value}; "}" in the value is doubled, as the ODBC standard asks. The value is a
    // secret from now on.
    void add_secret(std::string_view key, std::string_view value);
    // Wipe what comes of it.
    const std::string& text() const noexcept { return text_; }

    // `said` with every password and token of this string replaced by "***": a driver may repeat
    // what it was given.
    std::string without_secrets(std::string said) const;

private:
    std::string text_;
    std::vector<std::string> secrets_; // longest first
    void keep_secret(std::string value);
};

// One message of the driver or the server.
struct Diagnostic {
    std::string state; // SQLSTATE, five characters
    std::int32_t native = 0;
    std::string text; // without control characters, at most 500 bytes
};

// What a failure means for who tries again.
enum class Cause : std::uint8_t {
    no_driver, // there is no such driver, data source, or no ODBC at all
    refused,   // this login is not accepted: another attempt may lock the account
    away,      // not reached, no answer, broken off
    late,      // the time limit passed, or somebody cancelled
    statement, // what was asked for cannot be done
};

Cause cause_of(const std::vector<Diagnostic>& diagnostics, bool is_connected) noexcept;

// "text (28000, 18456); text (01000)", one line.
std::string to_text(const std::vector<Diagnostic>& diagnostics);

} // namespace stationsync::odbc
