// Connection strings for ODBC, made from settings or by the operator, and what of them must not be
// seen.
#pragma once

#include "driver_choice.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stationsync::sqlserver {

enum class Encryption : std::uint8_t {
    no,     // of the login only, where the server offers it
    yes,    // of everything
    strict, // TDS 8.0, Microsoft's driver 18 and SQL Server 2022
};

// How to reach the server. `connection` replaces all but the password.
struct ServerSettings {
    std::string server;     // host or address; empty, "." or "localhost" = this computer
    std::string instance;   // empty = the default one
    std::uint16_t port = 0; // 0 = not set; with a port, SQL Server Browser is not asked
    std::string database = "master";
    std::string user;        // of SQL Server; empty with is_trusted
    bool is_trusted = false; // log in as the account of the service (Windows, or Kerberos)
    Encryption encryption = Encryption::yes;
    // Take any certificate; by default only on this computer, where SQL Server makes its own.
    std::optional<bool> trusts_certificate;
    std::string driver;     // name, or path of its library; empty = the best one installed
    std::string connection; // the operator's own string, without a password

    bool is_local() const noexcept;
};

// "Driver={…};Server=…;PWD={…};" Wipes itself.
class ConnectionString {
public:
    // Everything in it that looks like a password or token is a secret.
    explicit ConnectionString(std::string text);
    ConnectionString(const ConnectionString&) = default;
    ConnectionString& operator=(const ConnectionString&) = default;
    ~ConnectionString();

    // Wipe what comes of it.
    const std::string& text() const noexcept { return text_; }

    // The last value of a key, without regard to case; nothing when it is not there.
    std::optional<std::string> value(std::string_view key) const;
    bool has(std::string_view key) const { return value(key).has_value(); }
    bool has_password() const;
    bool names_twice(std::string_view key) const;

    // Appends KEY=value; with the value quoted for `driver`. Throws sdk::Error(INVALID_ARG) for
    // what this driver cannot be given.
    void add(std::string_view key, std::string_view value, const Driver& driver);

    // `said` with every secret replaced by "***": a driver may repeat what it was given.
    std::string without_secrets(std::string said) const;

private:
    std::string text_;
    std::vector<std::string> secrets_; // longest first
    void keep_secret(std::string value);
};

// The value as it stands in a connection string: in braces when the ODBC rules ask for it, with }
// doubled for Microsoft's drivers and left alone for FreeTDS, which ends a value at "};". Throws
// sdk::Error(INVALID_ARG) for a zero or a line break, for "};" with FreeTDS, and for } with a
// driver that nobody knows. `key` is for the text of the failure; the value never is in it.
std::string quoted_value(std::string_view key, std::string_view value, const Driver& driver);

// Refuses, with sdk::Error(INVALID_ARG), settings that contradict each other or cannot be sent.
void check_settings(const ServerSettings& settings, const Driver& driver);

// `application` is shown by SQL Server as the name of the program.
ConnectionString make_connection_string(const ServerSettings& settings, const Driver& driver,
                                        std::string_view password, std::string_view application);

// What is less safe than it could be, one sentence each.
std::vector<std::string> connection_warnings(const ServerSettings& settings);

} // namespace stationsync::sqlserver
