// An account that may not look at the station, or cannot ask its service, gets no wrong verdicts.
#include "doctor/checks.hpp"

#include "support/temp_folder.hpp"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stationsync::host::doctor {
namespace {

// Stands for the service: listens on a port of 127.0.0.1 that the system chooses.
class Listener {
public:
    Listener() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), size), 0);
        EXPECT_EQ(::listen(socket_, 1), 0);
        EXPECT_EQ(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), 0);
        endpoint_ = {"127.0.0.1", ntohs(address.sin_port)};
    }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    ~Listener() { ::close(socket_); }
    [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }

private:
    int socket_;
    Endpoint endpoint_;
};

StationFacts on_port(const Endpoint& endpoint) {
    StationFacts facts;
    facts.station.emplace();
    facts.station->net.listen = {endpoint};
    facts.station->net.listen_is_default = false;
    facts.station->net.api = endpoint;
    return facts;
}

TEST(DoctorRights, APortIsNotJudgedWhileTheServiceThatMayHoldItCannotBeAsked) {
    const Listener service;
    const auto plain = on_port(service.endpoint());
    Findings of_plain;
    check_ports(plain, of_plain);
    ASSERT_EQ(of_plain.worst(), Severity::problem) << "nobody to ask: a stranger holds the port";

    auto silent = plain;
    silent.service.trouble = "the token cannot be read";
    auto hidden = plain;
    hidden.is_hidden = true;
    for (const auto& facts : {silent, hidden}) {
        Findings findings;
        check_ports(facts, findings);
        EXPECT_TRUE(findings.all().empty()) << findings.all().front().text;
    }
}

TEST(DoctorRights, WhereThisAccountMayNotLookThereIsOneWarningInAll) {
    const test::TempFolder folder;
    StationFacts facts;
    facts.paths = paths_of(folder.path());
    facts.is_hidden = true;
    facts.service.trouble = "the token cannot be read";
    facts.report.trouble = "ended with code 1";
    facts.report.configuration = {"station.toml: cannot be read"};
    Findings findings;
    for (const auto check : {check_configuration, check_service, check_ports, check_discovery_port,
                             check_directories, check_keys, check_plugins, check_providers}) {
        check(facts, findings);
    }
    std::vector<Finding> told;
    for (const auto& finding : findings.all()) {
        if (finding.severity != Severity::ok) {
            told.push_back(finding);
        }
    }
    ASSERT_EQ(told.size(), 1u) << told.back().text;
    EXPECT_EQ(told[0].id, "configuration.rights");
    EXPECT_EQ(told[0].remedy, "sudo stationsync doctor");
}

TEST(DoctorRights, AStationOfAnotherAccountIsHiddenAndItsOwnIsNot) {
    const test::TempFolder folder;
    const auto paths = paths_of(folder.path());
    std::filesystem::create_directories(paths.state);
    EXPECT_FALSE(read_station(paths).is_hidden) << "there is none";
    test::write_file(paths.identity_file(), "key");
    EXPECT_FALSE(read_station(paths).is_hidden);
    if (::geteuid() != 0) {
        GTEST_SKIP() << "needs root for the view of another account";
    }
    ASSERT_EQ(::seteuid(65534), 0);
    const auto from_outside = read_station(paths).is_hidden;
    EXPECT_EQ(::seteuid(0), 0);
    EXPECT_TRUE(from_outside);
    ASSERT_EQ(::chown(paths.identity_file().c_str(), 65534, 65534), 0);
    test::write_file(paths.station_file(), "");
    ASSERT_EQ(::chmod(paths.station_file().c_str(), 0600), 0);
    ASSERT_EQ(::seteuid(65534), 0);
    const auto facts = read_station(paths);
    EXPECT_EQ(::seteuid(0), 0);
    EXPECT_TRUE(facts.is_hidden);
    EXPECT_TRUE(facts.problems.empty()) << "what cannot be read has no mistake";
}

} // namespace
} // namespace stationsync::host::doctor
