// What FreeTDS makes of our connection strings, seen from the other end of the line.
#include "component/sqlserver_odbc/login_listener.hpp"
#include "component/sqlserver_odbc/odbc_fixture.hpp"

#include "errors.hpp"

#include <algorithm>

namespace stationsync::test {
namespace {

class FreeTds : public OdbcFixture {
protected:
    sql::Opened log_in(const LoginListener& listener) {
        settings_.server = "127.0.0.1";
        settings_.port = listener.port();
        settings_.encryption = sql::Encryption::no;
        if (settings_.user.empty())
            settings_.user = "sync";
        return open("");
    }
};

TEST_F(FreeTds, SpeaksTds74WithTheLoginOfTheSettings) {
    const LoginListener listener(LoginListener::Manner::refuse);
    password_ = "geheim47";
    const sql::Opened opened = log_in(listener);
    EXPECT_EQ(opened.session, nullptr);
    const auto logins = listener.logins();
    ASSERT_EQ(logins.size(), 1u) << "one attempt only: " << sql::to_text(opened.messages);
    EXPECT_EQ(logins[0].tds_version, 0x74000004u);
    EXPECT_EQ(logins[0].user, "sync");
    EXPECT_EQ(logins[0].password, "geheim47");
    EXPECT_EQ(logins[0].database, "master");
    EXPECT_EQ(logins[0].application.rfind("StationSync worker ", 0), 0u) << logins[0].application;
    EXPECT_EQ(sql::problem_of(opened.messages, opened.ending, sql::Phase::connecting, {}).rule,
              "login-refused")
        << sql::to_text(opened.messages);
}

TEST_F(FreeTds, TakesEveryPasswordAsItWasGiven) {
    const LoginListener listener(LoginListener::Manner::refuse);
    settings_.user = "pl{a}nt;x";
    const std::vector<std::string> passwords = {
        "a;b", "{a}",  "}",     "a}",   "{",    ";UID=sa", "a=b",   " a ",
        "ž😀",  "a}}b", "\"'\\", "{a}b", "a}b{", "}}",      "PWD={",
    };
    for (const std::string& password : passwords) {
        password_ = password;
        log_in(listener);
    }
    const auto logins = listener.logins();
    ASSERT_EQ(logins.size(), passwords.size());
    for (std::size_t i = 0; i < passwords.size(); ++i) {
        EXPECT_EQ(logins[i].password, passwords[i]);
        EXPECT_EQ(logins[i].user, settings_.user);
        EXPECT_EQ(logins[i].database, "master") << passwords[i];
    }
}

TEST_F(FreeTds, NeverFallsBackToAnOlderProtocol) {
    const LoginListener listener(LoginListener::Manner::hang_up);
    password_ = "geheim47";
    const sql::Opened opened = log_in(listener);
    EXPECT_EQ(opened.session, nullptr);
    EXPECT_EQ(sql::problem_of(opened.messages, opened.ending, sql::Phase::connecting, {}).rule,
              "server-unreachable")
        << sql::to_text(opened.messages);
    const auto packets = listener.packets();
    ASSERT_FALSE(packets.empty());
    // 2 would be the login of TDS 5.0, with the password in clear.
    EXPECT_TRUE(
        std::all_of(packets.begin(), packets.end(), [](auto each) { return each == 0x12; }));
}

TEST_F(FreeTds, AlsoWithAStringOfTheOperator) {
    const LoginListener listener(LoginListener::Manner::hang_up);
    settings_.server.clear();
    password_ = "geheim47";
    const sql::Opened opened = open("Driver={Plant TDS};Server=127.0.0.1;UID=sync;Port=" +
                                    std::to_string(listener.port()));
    EXPECT_EQ(opened.session, nullptr);
    const auto packets = listener.packets();
    ASSERT_FALSE(packets.empty());
    EXPECT_TRUE(
        std::all_of(packets.begin(), packets.end(), [](auto each) { return each == 0x12; }));
}

TEST_F(FreeTds, AServerThatIsAwayIsToldAsUnreachable) {
    std::uint16_t port = 0;
    {
        const LoginListener gone(LoginListener::Manner::refuse);
        port = gone.port();
    }
    settings_.server = "127.0.0.1";
    settings_.port = port;
    settings_.user = "sync";
    settings_.encryption = sql::Encryption::no;
    const sql::Opened opened = open("");
    const sql::Problem problem =
        sql::problem_of(opened.messages, opened.ending, sql::Phase::connecting, {});
    EXPECT_EQ(problem.rule, "server-unreachable") << sql::to_text(opened.messages);
    EXPECT_EQ(problem.status, STSYNC_BUSY);
}

} // namespace
} // namespace stationsync::test
