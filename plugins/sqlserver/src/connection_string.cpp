#include "connection_string.hpp"

#include "text.hpp"

#include <stationsync/error.hpp>
#include <stationsync/text.hpp>

#include <algorithm>
#include <array>

namespace stationsync::sqlserver {

namespace {

struct Part {
    std::string key; // lower case
    std::string value;
};

// Tolerant: what cannot be read is the driver's to refuse.
std::vector<Part> parts_of(std::string_view text) {
    std::vector<Part> parts;
    while (!text.empty()) {
        const std::size_t equals = text.find('=');
        if (equals == std::string_view::npos)
            break;
        Part part{lowered(trimmed(text.substr(0, equals))), {}};
        if (const std::size_t last = part.key.rfind(';'); last != std::string::npos)
            part.key = trimmed(std::string_view(part.key).substr(last + 1));
        text.remove_prefix(equals + 1);
        const std::size_t begin = text.find_first_not_of(" \t");
        if (begin != std::string_view::npos && text[begin] == '{') {
            std::size_t at = begin + 1;
            for (; at < text.size(); ++at) {
                const bool is_doubled = text.substr(at, 2) == "}}";
                if (text[at] == '}' && !is_doubled)
                    break;
                part.value += text[at];
                at += is_doubled ? 1 : 0;
            }
            text.remove_prefix(std::min(at + 1, text.size()));
        } else {
            part.value = trimmed(text.substr(0, text.find(';')));
        }
        const std::size_t end = text.find(';');
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        parts.push_back(std::move(part));
    }
    return parts;
}

bool is_password(std::string_view key) {
    return key == "pwd" || key.find("password") != std::string_view::npos;
}

bool is_secret(std::string_view key) {
    constexpr std::array<std::string_view, 3> words = {"secret", "token", "credential"};
    return is_password(key) || std::any_of(words.begin(), words.end(), [&](auto word) {
               return key.find(word) != std::string_view::npos;
           });
}

[[noreturn]] void refuse(const std::string& text) {
    throw sdk::Error(STSYNC_INVALID_ARG, text);
}

// Only what a host or an instance is made of, so that neither ends a value nor begins another.
void check_place(const char* setting, std::string_view text) {
    const bool is_plain = std::all_of(text.begin(), text.end(), [](char byte) {
        const auto unit = static_cast<unsigned char>(byte);
        return unit > 0x20 && unit != 0x7f &&
               std::string_view(";{}=[](),?*!@\"'/\\").find(byte) == std::string_view::npos;
    });
    if (!is_plain || !sdk::is_valid_utf8(text))
        refuse(
            std::string("The setting \"") + setting +
            "\" is no name or address: write `server`, "
            "`instance` and `port` each for itself, such as server = \"plant-pc\" and instance = "
            "\"SQLEXPRESS\".");
}

// What no driver may be told otherwise.
void check_own_string(const ConnectionString& own, const Driver& driver) {
    if (own.has_password())
        refuse(
            "A password must not stand in \"connection\": use `stationsync secret set NAME`, take "
            "it out, and add password = { secret = \"NAME\" }.");
    if (!own.has("driver") && !own.has("dsn") && !own.has("filedsn") && !own.has("servername"))
        refuse("The setting \"connection\" must name a driver or a data source, such as "
               "\"Driver={ODBC Driver 18 for SQL Server};Server=.\\SQLEXPRESS;\".");
    const auto tds = own.value("tds_version");
    if (!driver.is_microsoft() && (own.names_twice("tds_version") || (tds && *tds != "7.4")))
        refuse("TDS_Version in \"connection\" must be 7.4 or missing: other versions send the "
               "password so that it can be read on the way.");
    for (const char* const key : {"mars_connection", "mars connection"})
        if (const auto value = own.value(key); value && !is_same_name(*value, "no"))
            refuse("MARS_Connection in \"connection\" must be no or missing.");
    if (const auto database = own.value("database"); database && !is_same_name(*database, "master"))
        refuse(
            "Database in \"connection\" must be master or missing: a session in another database "
            "keeps it from being restored.");
}

std::string place_of(const ServerSettings& settings, const Driver& driver) {
    std::string place = settings.server.empty() ? "localhost" : settings.server;
#if defined(_WIN32)
    if (settings.is_local())
        place = "."; // shared memory, for TCP is off in a fresh Express
#else
    if (place == "." || is_same_name(place, "(local)"))
        place = "localhost";
#endif
    if (settings.port != 0 && driver.is_microsoft())
        return place + ',' + std::to_string(settings.port);
    if (settings.port == 0 && !settings.instance.empty())
        return place + '\\' + settings.instance;
    return place;
}

bool trusts(const ServerSettings& settings) {
    return settings.trusts_certificate.value_or(settings.is_local());
}

void add_encryption(ConnectionString& string, const ServerSettings& settings,
                    const Driver& driver) {
    if (!driver.is_microsoft()) {
        string.add("Encryption", settings.encryption == Encryption::no ? "request" : "require",
                   driver);
        return;
    }
    const char* const mode = settings.encryption == Encryption::strict ? "strict"
                             : settings.encryption == Encryption::yes  ? "yes"
                                                                       : "no";
    string.add("Encrypt", mode, driver);
    string.add("TrustServerCertificate", trusts(settings) ? "yes" : "no", driver);
}

// What our way of working needs, for the keys that are not there yet.
void add_fixed(ConnectionString& string, const Driver& driver, std::string_view application) {
    const auto add = [&](std::string_view key, std::string_view value) {
        if (!string.has(key))
            string.add(key, value, driver);
    };
    add("APP", application);
    if (driver.family == DriverFamily::microsoft || driver.family == DriverFamily::native_client)
        add("MARS_Connection", "no");
    // No silent reconnect between two steps of a restore.
    if (driver.family == DriverFamily::microsoft)
        add("ConnectRetryCount", "0");
    if (!driver.is_microsoft()) {
        add("ClientCharset", "UTF-8");
        // Without it a failed login is followed by one in TDS 5.0, with the password in clear.
        add("TDS_Version", "7.4");
    }
}

} // namespace

bool ServerSettings::is_local() const noexcept {
    return server.empty() || server == "." || is_same_name(server, "localhost") ||
           is_same_name(server, "(local)") || server == "127.0.0.1" || server == "::1";
}

ConnectionString::ConnectionString(std::string text) : text_(std::move(text)) {
    for (Part& part : parts_of(text_))
        if (is_secret(part.key))
            keep_secret(std::move(part.value));
}

ConnectionString::~ConnectionString() {
    wipe(text_);
    for (std::string& secret : secrets_)
        wipe(secret);
}

void ConnectionString::keep_secret(std::string value) {
    if (value.empty())
        return;
    secrets_.push_back(std::move(value));
    std::sort(secrets_.begin(), secrets_.end(),
              [](const auto& a, const auto& b) { return a.size() > b.size(); });
}

std::optional<std::string> ConnectionString::value(std::string_view key) const {
    std::optional<std::string> found;
    for (Part& part : parts_of(text_))
        if (is_same_name(part.key, key))
            found = std::move(part.value);
    return found;
}

bool ConnectionString::has_password() const {
    const std::vector<Part> parts = parts_of(text_);
    return std::any_of(parts.begin(), parts.end(),
                       [](const Part& part) { return is_password(part.key); });
}

bool ConnectionString::names_twice(std::string_view key) const {
    const std::vector<Part> parts = parts_of(text_);
    return std::count_if(parts.begin(), parts.end(),
                         [&](const Part& part) { return is_same_name(part.key, key); }) > 1;
}

void ConnectionString::add(std::string_view key, std::string_view value, const Driver& driver) {
    std::string quoted = quoted_value(key, value, driver);
    if (!text_.empty() && text_.back() != ';')
        text_ += ';';
    text_.append(key).append("=").append(quoted).append(";");
    if (!is_secret(lowered(key)))
        return;
    if (quoted.size() > 2 && quoted.front() == '{')
        keep_secret(quoted.substr(1, quoted.size() - 2));
    keep_secret(std::string(value));
    wipe(quoted);
}

std::string ConnectionString::without_secrets(std::string said) const {
    for (const std::string& secret : secrets_)
        for (std::size_t at = 0; (at = said.find(secret, at)) != std::string::npos; at += 3)
            said.replace(at, secret.size(), "***");
    return said;
}

std::string quoted_value(std::string_view key, std::string_view value, const Driver& driver) {
    const std::string what = "The value of " + std::string(key) + " for the ODBC driver ";
    if (!sdk::is_valid_utf8(value))
        refuse(what + "is no valid text.");
    if (std::any_of(value.begin(), value.end(),
                    [](char byte) { return static_cast<unsigned char>(byte) < 0x20; }))
        refuse(what + "holds a control character or line break.");
    const bool is_simple = value.find_first_of("[]{}(),;?*=!@\\ ") == std::string_view::npos &&
                           !is_secret(lowered(key));
    // Without braces the words are the usual ones: yes, 7.4, UTF-8.
    if (is_simple && !value.empty())
        return std::string(value);
    if (value.empty())
        return {};
    if (driver.family == DriverFamily::freetds && value.find("};") != std::string_view::npos)
        refuse(what + "\"" + driver.name +
               "\" holds \"};\", which this driver takes for its end: choose another one.");
    // Nobody knows how it reads one; a part of a password might end in a message.
    if (driver.family == DriverFamily::other && value.find('}') != std::string_view::npos)
        refuse(what + "\"" + driver.name +
               "\" holds \"}\", which this driver may misread: choose another one, or name a "
               "known driver in `connection`.");
    std::string quoted = "{";
    for (const char byte : value)
        quoted.append(byte == '}' && driver.is_microsoft() ? 2 : 1, byte);
    return quoted + '}';
}

void check_settings(const ServerSettings& settings, const Driver& driver) {
    if (!settings.connection.empty()) {
        check_own_string(ConnectionString(settings.connection), driver);
        return;
    }
    check_place("server", is_same_name(settings.server, "(local)") ? "." : settings.server);
    check_place("instance", settings.instance);
    if (settings.is_trusted && !settings.user.empty())
        refuse("\"user\" and trusted = true contradict each other: leave one of them out.");
    if (!settings.is_trusted && settings.user.empty())
        refuse("It is not said how to log in to SQL Server: add `user` with `password = { secret = "
               "\"NAME\" }`, or `trusted = true` for the account of the service.");
    if (settings.encryption == Encryption::strict &&
        !(driver.family == DriverFamily::microsoft && driver.version >= 18))
        refuse(
            "encrypt = \"strict\" needs \"ODBC Driver 18 for SQL Server\", but the driver is \"" +
            driver.name + "\".");
    if (!driver.is_microsoft() && settings.encryption != Encryption::no && !trusts(settings))
        refuse("The driver \"" + driver.name +
               "\" does not check the certificate of the server: install Microsoft's driver, or "
               "accept that with trust_certificate = true.");
}

ConnectionString make_connection_string(const ServerSettings& settings, const Driver& driver,
                                        std::string_view password, std::string_view application) {
    check_settings(settings, driver);
    ConnectionString string(settings.connection);
    if (settings.connection.empty()) {
        string = ConnectionString("Driver={" + driver.name +
                                  "};Server=" + place_of(settings, driver) + ';');
        if (settings.port != 0 && !driver.is_microsoft())
            string.add("Port", std::to_string(settings.port), driver);
        if (settings.is_trusted)
            string.add("Trusted_Connection", "yes", driver);
        else
            string.add("UID", settings.user, driver);
        add_encryption(string, settings, driver);
    }
    if (!string.has("database"))
        string.add("Database", settings.database, driver);
    if (!settings.is_trusted && !password.empty())
        string.add("PWD", password, driver);
    add_fixed(string, driver, application);
    return string;
}

std::vector<std::string> connection_warnings(const ServerSettings& settings) {
    std::vector<std::string> warnings;
    if (!settings.connection.empty() || settings.is_local())
        return warnings;
    if (settings.encryption == Encryption::no)
        warnings.emplace_back("What is exchanged with the SQL Server on another computer is not "
                              "encrypted: take encrypt = \"no\" out.");
    else if (trusts(settings))
        warnings.emplace_back(
            "The certificate of the SQL Server on another computer is not checked "
            "(trust_certificate = true): who pretends to be it learns the "
            "password.");
    return warnings;
}

} // namespace stationsync::sqlserver
