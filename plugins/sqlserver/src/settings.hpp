// The keys of the configuration that say how SQL Server is reached.
#pragma once

#include "connection_string.hpp"

#include <stationsync/host_ref.hpp>

namespace stationsync::sqlserver {

// server, instance, port, user, password, trusted, encrypt, trust_certificate, driver, connection.
// Throws sdk::Error(INVALID_ARG) when a value is none of those allowed, or a password stands in the
// file. What fits which driver is judged by check_settings.
ServerSettings server_settings_of(const sdk::Host& host);

// The secret granted to `password`, read when it is needed, for it may be set or changed later;
// empty when the login needs none. Throws sdk::Error(DENIED) when it is not set. Wipe what comes.
std::string password_of(const sdk::Host& host, const ServerSettings& settings);

} // namespace stationsync::sqlserver
