// Texts to and from ODBC drivers, and when to try again.
#include "backoff.hpp"
#include "blocking_call.hpp"
#include "odbc_text.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace stationsync {
namespace {

using odbc::Cause;
using odbc::cause_of;
using odbc::ConnectionString;

TEST(OdbcText, Utf8AndUtf16AreTheSameText) {
    const std::string text = "a ü € 🏭";
    EXPECT_EQ(odbc::utf16_of(text), u"a ü € 🏭");
    EXPECT_EQ(odbc::utf8_of(u"a ü € 🏭"), text);
}

TEST(OdbcText, WhatIsNoTextBecomesTheReplacementCharacter) {
    EXPECT_EQ(odbc::utf16_of("a\xff\xc3"), u"a\ufffd\ufffd");
    EXPECT_EQ(odbc::utf16_of("\xed\xa0\x80"), u"\ufffd\ufffd\ufffd");
    const std::u16string lone{0xd83c, u'x', 0xdfed};
    EXPECT_EQ(odbc::utf8_of(lone), "\ufffdx\ufffd");
}

TEST(OdbcConnectionString, KeysAreFoundWhateverTheirCaseAndQuotes) {
    const ConnectionString where("DRIVER={a;PWD=}};x}; Server = s ;;database=d");
    EXPECT_TRUE(where.has("Driver"));
    EXPECT_TRUE(where.has("server"));
    EXPECT_TRUE(where.has("DATABASE"));
    EXPECT_FALSE(where.has("dsn"));
    EXPECT_FALSE(where.has_password());
    EXPECT_TRUE(ConnectionString("dsn=x;pwd=").has_password());
    EXPECT_TRUE(ConnectionString("x={y};Trust Store Password=1").has_password());
    EXPECT_FALSE(ConnectionString("").has_password());
    EXPECT_FALSE(ConnectionString("{;}=;=").has_password());
    EXPECT_FALSE(ConnectionString("a={").has("b"));
}

TEST(OdbcConnectionString, AddedSecretsAreQuotedAndHidden) {
    ConnectionString where("Driver=x");
    where.add_secret("PWD", "a;b}c");
    EXPECT_EQ(where.text(), "Driver=x;PWD={a;b}}c}");
    EXPECT_TRUE(where.has_password());
    EXPECT_EQ(where.without_secrets("it is a;b}c or {a;b}}c}, no?"), "it is *** or {***}, no?");
}

TEST(OdbcConnectionString, SecretsOfTheTextAreHidden) {
    const ConnectionString where("Server=s;UID=plant;PWD={x;y};AccessToken=tok");
    EXPECT_EQ(where.without_secrets("plant x;y tok x;y s"), "plant *** *** *** s");
}

TEST(OdbcDiagnostics, SayWhetherAnotherAttemptIsWise) {
    EXPECT_EQ(cause_of({{"28000", 18456, ""}}, false), Cause::refused);
    EXPECT_EQ(cause_of({{"42000", 4060, ""}, {"28000", 18456, ""}}, false), Cause::away);
    EXPECT_EQ(cause_of({{"08001", 0, ""}}, false), Cause::away);
    EXPECT_EQ(cause_of({{"HYT00", 0, ""}, {"28000", 0, ""}}, false), Cause::late);
    EXPECT_EQ(cause_of({{"IM002", 0, ""}}, false), Cause::no_driver);
    EXPECT_EQ(cause_of({{"01000", 0, "[unixODBC]Can't open lib 'x'"}}, false), Cause::no_driver);
    EXPECT_EQ(cause_of({{"42S02", 208, ""}}, true), Cause::statement);
    EXPECT_EQ(cause_of({{"08S01", 0, ""}}, true), Cause::away);
    EXPECT_EQ(cause_of({{"HY008", 0, ""}}, true), Cause::late);
    EXPECT_EQ(cause_of({}, false), Cause::away);
}

TEST(OdbcDiagnostics, AreAllShown) {
    EXPECT_EQ(odbc::to_text({{"42S02", 208, "No table"}, {"01000", 0, "Hint"}}),
              "No table (42S02, 208); Hint (01000)");
    EXPECT_EQ(odbc::to_text({}), "the driver gives no reason");
}

TEST(OdbcBackoff, PausesDoubleUpToTheLongest) {
    using namespace std::chrono_literals;
    discovery_static::Backoff backoff(1s, 5s);
    discovery_static::Backoff::Time now{};
    EXPECT_TRUE(backoff.is_due(now));
    for (const auto pause : {1s, 2s, 4s, 5s, 5s}) {
        backoff.failed(now);
        EXPECT_FALSE(backoff.is_due(now + pause - 1ms));
        EXPECT_TRUE(backoff.is_due(now + pause));
        now += pause;
    }
    backoff.succeeded();
    EXPECT_TRUE(backoff.is_due({}));
    backoff.failed(now);
    EXPECT_TRUE(backoff.is_due(now + 1s));
}

using discovery_static::BlockingCall;

TEST(OdbcBlockingCall, LeavesBehindWhatDoesNotReturnAndWaitsForItsEnd) {
    BlockingCall call;
    const auto never = [] { return false; };
    EXPECT_EQ(call.run([] {}, [] {}, std::chrono::seconds(60), never), BlockingCall::End::done);
    const auto release = std::make_shared<std::promise<void>>();
    const auto released = release->get_future().share();
    std::atomic<int> cancels{0};
    EXPECT_EQ(call.run([released] { released.wait(); }, [&] { ++cancels; },
                       std::chrono::milliseconds(100), never),
              BlockingCall::End::late);
    EXPECT_EQ(cancels, 1);
    EXPECT_TRUE(call.is_busy());
    release->set_value();
    while (call.is_busy()) {
    }
    EXPECT_EQ(call.run([] {}, [] {}, std::chrono::seconds(60), never), BlockingCall::End::done);
}

TEST(OdbcBlockingCall, EndsWhenAskedAndLetsTheCallEnd) {
    BlockingCall call;
    const auto cancelled = std::make_shared<std::promise<void>>();
    const auto ended = cancelled->get_future().share();
    EXPECT_EQ(call.run([ended] { ended.wait(); }, [cancelled] { cancelled->set_value(); },
                       std::chrono::seconds(60), [] { return true; }),
              BlockingCall::End::stopped);
    EXPECT_FALSE(call.is_busy());
}

} // namespace
} // namespace stationsync
