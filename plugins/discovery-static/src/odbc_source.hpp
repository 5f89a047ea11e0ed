// The station list in a database that is reached over ODBC, such as SQL Server.
#pragma once

#include "backoff.hpp"
#include "blocking_call.hpp"
#include "odbc_text.hpp"
#include "station_source.hpp"

#include <stationsync/host_ref.hpp>

namespace stationsync::discovery_static {

struct OdbcSettings {
    std::string where; // the connection string without its secrets, or empty: it is a secret
    bool has_password = false;         // the secret of `password` is added as PWD
    std::chrono::seconds interval{10}; // between two readings
};

// Connects for each reading and leaves again: a session that stays keeps the database from being
// restored.
class OdbcSource final : public StationSource {
public:
    // Throws sdk::Error(INVALID_ARG) when the configuration is wrong.
    static OdbcSettings settings_of(const sdk::Host& host);

    OdbcSource(sdk::Host host, OdbcSettings settings, Queries queries);

    bool is_due(bool is_asked) override;
    Listing read(const std::function<bool()>& is_stopping) override;
    std::string identity() const override;

private:
    struct Job;

    odbc::ConnectionString connection_string() const;
    std::string fingerprint() const;
    [[noreturn]] void fail(odbc::Cause cause, const std::string& text);
    Listing listing_of(Job& job) const;

    sdk::Host host_;
    OdbcSettings settings_;
    Queries queries_;
    BlockingCall call_;
    Backoff away_{std::chrono::seconds(5), std::chrono::minutes(1)};
    Backoff refused_{std::chrono::minutes(1), std::chrono::minutes(30)};
    std::string refused_with_; // fingerprint of the login that was refused
    std::chrono::steady_clock::time_point read_at_{};
};

} // namespace stationsync::discovery_static
