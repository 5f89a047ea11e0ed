// SqlServer and SqlSession over the system's ODBC.
#pragma once

#include "../connection_string.hpp"
#include "../sql_session.hpp"

namespace stationsync::sqlserver::odbc {

struct OdbcOptions {
    std::chrono::seconds login_limit{10}; // told to the driver; held by us a little later
    // How long a statement that was asked to end may take before its session is given up.
    std::chrono::milliseconds cancel_grace{8000};
    // Not the language and lock timeout of SQL Server: for another database behind ODBC.
    bool has_prologue = true;
};

// Drivers that the system lists; empty when it has none or no ODBC. Throws sdk::Error(DENIED) when
// there is no ODBC at all.
std::vector<InstalledDriver> installed_drivers();

class OdbcServer final : public SqlServer {
public:
    // `password` is asked for each attempt and may throw sdk::Error.
    OdbcServer(ServerSettings settings, std::function<std::string()> password,
               const OdbcOptions& options);

    // Throws sdk::Error: DENIED no ODBC or no driver, INVALID_ARG settings, BUSY too many earlier
    // calls have not returned.
    Opened open(SessionRole role, const sdk::Op* op) override;

    // The driver that would be used. Throws like open.
    Driver driver() const;

private:
    ServerSettings settings_;
    std::function<std::string()> password_;
    OdbcOptions options_;
};

} // namespace stationsync::sqlserver::odbc
