// The stand-in for SQL Server (tests/support/sqlserver) as a process of a test.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace stationsync::test {

class StandIn {
public:
    // Keeps its databases in `folder`. Throws when it does not start.
    StandIn(const std::filesystem::path& folder, const std::vector<std::string>& options);
    StandIn(const StandIn&) = delete;
    StandIn& operator=(const StandIn&) = delete;
    ~StandIn();

    std::uint16_t port() const noexcept { return port_; }
    // One request of control.py, without its braces: "do":"problems". Gives the answer, a line of
    // JSON; throws when it is an error.
    std::string tell(const std::string& request);
    // Statements that it does not know and sins against the protocol; empty = none.
    std::string problems();

private:
    int process_ = -1;
    int control_ = -1;
    std::uint16_t port_ = 0;
};

} // namespace stationsync::test
