#include "settings.hpp"

namespace stationsync::sqlserver {

namespace {

constexpr std::int64_t port_max = 65535;

[[noreturn]] void refuse(const std::string& text) {
    throw sdk::Error(STSYNC_INVALID_ARG, text);
}

// A key that may hold a secret: asked for as text, such a key answers DENIED.
std::optional<std::string> text_unless_secret(const sdk::Host& host, const char* key) {
    try {
        return host.config(key);
    } catch (const sdk::Error& failure) {
        if (failure.status() == STSYNC_DENIED)
            return std::nullopt;
        throw;
    }
}

Encryption encryption_of(const std::string& text) {
    if (text == "yes")
        return Encryption::yes;
    if (text == "no")
        return Encryption::no;
    if (text == "strict")
        return Encryption::strict;
    refuse("The setting \"encrypt\" must be \"yes\", \"no\" or \"strict\", but is \"" + text +
           "\".");
}

} // namespace

ServerSettings server_settings_of(const sdk::Host& host) {
    ServerSettings settings;
    settings.server = host.config("server").value_or("");
    settings.instance = host.config("instance").value_or("");
    settings.user = host.config("user").value_or("");
    settings.driver = host.config("driver").value_or("");
    settings.connection = host.config("connection").value_or("");
    settings.encryption = encryption_of(host.config("encrypt").value_or("yes"));
    if (host.config("trust_certificate"))
        settings.trusts_certificate = host.config_flag("trust_certificate", false);
    const std::int64_t port = host.config_integer("port", 0);
    if (port < 0 || port > port_max)
        refuse("The setting \"port\" must be a number from 1 to 65535, but is " +
               std::to_string(port) + ".");
    settings.port = static_cast<std::uint16_t>(port);
#if defined(_WIN32)
    constexpr bool is_trusted_by_default = true;
#else
    constexpr bool is_trusted_by_default = false; // needs Kerberos, which few have
#endif
    settings.is_trusted =
        host.config_flag("trusted", is_trusted_by_default && settings.user.empty());
    if (const auto text = text_unless_secret(host, "password"); text && !text->empty())
        refuse("The setting \"password\" must not stand in the file: use `stationsync secret set "
               "NAME`, and write password = { secret = \"NAME\" }.");
    if (!settings.connection.empty()) {
        settings.is_trusted = false; // the string itself says
        for (const char* const key : {"server", "instance", "port", "user", "trusted", "encrypt",
                                      "trust_certificate", "driver"})
            if (host.config(key))
                refuse(std::string("\"connection\" and \"") + key +
                       "\" contradict each other: leave one of them out.");
    }
    return settings;
}

std::string password_of(const sdk::Host& host, const ServerSettings& settings) {
    auto secret = host.secret("password");
    if (secret && !secret->empty())
        return *std::move(secret);
    if (!settings.user.empty())
        throw sdk::Error(STSYNC_DENIED,
                         "The secret of `password` is not set: use `stationsync secret set` with "
                         "the name that stands there.");
    return {};
}

} // namespace stationsync::sqlserver
