// The provider `sqlserver`: one object per database.
#include "configuration_schema.hpp"
#include "sql_provider.hpp"

#include <stationsync/plugin.hpp>

namespace stationsync::sqlserver {

namespace {

class SqlServerProvider final : public SqlProvider {
public:
    static constexpr std::uint32_t four_hours_ms = 4 * 60 * 60 * 1000;
    static constexpr sdk::Options options{
        0, 2, four_hours_ms, "StationSync", ".bak", configuration_schema};
    using SqlProvider::SqlProvider;
};

} // namespace
} // namespace stationsync::sqlserver

STSYNC_PROVIDER(stationsync::sqlserver::SqlServerProvider, "sqlserver", "SQL Server databases",
                "1.0.0")
