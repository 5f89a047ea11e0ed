// Sessions of the SQL Server provider over unixODBC: with the driver of SQLite, and with one that
// hangs, refuses and breaks off when a test says so.
#include "component/sqlserver_odbc/odbc_fixture.hpp"

#include "errors.hpp"
#include "job_outcome.hpp"
#include "odbc/driver_thread.hpp"

#include <stationsync/error.hpp>

#include <future>
#include <thread>

namespace stationsync::test {

int OdbcFixture::left_behind() {
    return sql::odbc::DriverThread::left_behind();
}

namespace {

using sql::Answer;
using sql::Ending;

class OdbcSession : public OdbcFixture {};

Answer run(sql::SqlSession& session, std::string_view statement,
           const sql::RunOptions& options = {}) {
    return session.run(statement, options);
}

TEST_F(OdbcSession, GivesEveryTypeOfValue) {
    const auto session = sqlite();
    ASSERT_TRUE(session);
    const Answer made = run(*session, "CREATE TABLE kinds(whole BIGINT, fraction DOUBLE, flag "
                                      "BIT, words VARCHAR(100), bytes BLOB, moment TIMESTAMP, "
                                      "missing INTEGER)");
    ASSERT_TRUE(made.is_complete()) << sql::to_text(made.messages);
    const Answer filled = run(*session, "INSERT INTO kinds VALUES(-9007199254740993, 0.1, 1, 'Z', "
                                        "x'00ff10', '2024-03-31 02:30:00.997', NULL)");
    ASSERT_TRUE(filled.is_complete()) << sql::to_text(filled.messages);
    const Answer answer = run(*session, "SELECT * FROM kinds");
    ASSERT_TRUE(answer.is_complete()) << sql::to_text(answer.messages);
    const sql::Row row = answer.row();
    EXPECT_EQ(row["whole"].integer(), -9007199254740993);
    EXPECT_EQ(row["fraction"].real(), 0.1);
    EXPECT_EQ(row["flag"].flag(), true);
    EXPECT_EQ(row["WORDS"].text(), "Z");
    EXPECT_EQ(row["bytes"].bytes(), std::string("\0\xff\x10", 3));
    EXPECT_EQ(row["moment"].date_time()->microseconds(), 1711852200997000);
    EXPECT_TRUE(row["missing"].is_null());
    EXPECT_TRUE(session->is_usable());
}

TEST_F(OdbcSession, GivesLongTextsAndBytesWhole) {
    const auto session = sqlite();
    ASSERT_TRUE(session);
    run(*session, "CREATE TABLE big(words TEXT, bytes BLOB)");
    run(*session, "INSERT INTO big VALUES(replace(hex(zeroblob(50000)), '00', char(0x1f3ed) || "
                  "'x'), zeroblob(100001))");
    const Answer answer = run(*session, "SELECT * FROM big");
    ASSERT_TRUE(answer.is_complete());
    std::string words;
    for (int i = 0; i < 50000; ++i)
        words += "🏭x";
    EXPECT_EQ(answer.row()["words"].text(), words);
    EXPECT_TRUE(answer.row()["words"].is_exact());
    EXPECT_EQ(answer.row()["bytes"].bytes(), std::string(100001, '\0'));
    sql::RunOptions options;
    options.value_bytes_max = 4096;
    const Answer cut = run(*session, "SELECT words FROM big", options);
    EXPECT_LT(cut.row()["words"].text()->size(), 20000u);
    EXPECT_FALSE(cut.row()["words"].is_exact());
}

TEST_F(OdbcSession, StopsAtTheLimitOfRowsAndGoesOn) {
    const auto session = sqlite();
    ASSERT_TRUE(session);
    sql::RunOptions options;
    options.rows_max = 3;
    const std::string numbers =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10) "
        "SELECT i FROM n";
    const Answer some = run(*session, numbers, options);
    EXPECT_EQ(some.rows().rows.size(), 3u);
    EXPECT_TRUE(some.rows().has_more);
    EXPECT_EQ(run(*session, numbers).rows().rows.size(), 10u);
}

TEST_F(OdbcSession, AFailedStatementIsAnAnswerAndTheSessionGoesOn) {
    const auto session = sqlite();
    ASSERT_TRUE(session);
    const Answer refused = run(*session, "SELECT * FROM nowhere");
    EXPECT_EQ(refused.ending, Ending::failed);
    EXPECT_NE(sql::to_text(refused.messages).find("no such table"), std::string::npos);
    EXPECT_TRUE(refused.results.empty());
    EXPECT_EQ(run(*session, "SELECT 1 AS one").row()["one"].integer(), 1);
}

TEST_F(OdbcSession, EachOtherSessionSeesAtOnceWhatOneHasWritten) {
    const auto one = sqlite();
    const auto other = sqlite();
    ASSERT_TRUE(one && other);
    run(*one, "CREATE TABLE t(a)");
    run(*one, "INSERT INTO t VALUES(1)");
    EXPECT_EQ(run(*other, "SELECT count(*) AS n FROM t").row()["n"].integer(), 1)
        << "autocommit is on";
}

TEST_F(OdbcSession, AllResultsAreTakenUntilTheLast) {
    const auto session = this->session(puppet("Mode=backup"));
    ASSERT_TRUE(session);
    const Answer answer = run(*session, "BACKUP");
    EXPECT_TRUE(answer.is_complete());
    EXPECT_EQ(answer.messages.size(), 21u);
    EXPECT_EQ(sql::claim_of(answer), sql::JobClaim::success);
}

TEST_F(OdbcSession, AnErrorOfALaterResultFailsTheWhole) {
    const auto session = this->session(puppet("Mode=late_error"));
    ASSERT_TRUE(session);
    const Answer answer = run(*session, "BACKUP");
    EXPECT_EQ(answer.ending, Ending::failed);
    EXPECT_TRUE(answer.has(3201));
    EXPECT_EQ(answer.results.size(), 1u) << "the rows before it are there";
}

TEST_F(OdbcSession, AStatementWithoutAWordIsNoSuccessOfABackup) {
    const auto session = this->session(puppet("Mode=silent"));
    ASSERT_TRUE(session);
    const Answer answer = run(*session, "BACKUP");
    EXPECT_TRUE(answer.is_complete());
    EXPECT_EQ(sql::claim_of(answer), sql::JobClaim::unclear);
}

TEST_F(OdbcSession, TextsAreNotSplitWithinACharacter) {
    const auto session = this->session(puppet("Mode=pieces"));
    ASSERT_TRUE(session);
    std::string factories = "P";
    for (int i = 0; i < 600; ++i)
        factories += "🏭";
    EXPECT_EQ(run(*session, "SELECT").row()["name"].text(), factories);
}

TEST_F(OdbcSession, OtherThreadEndsARunningStatement) {
    const auto session = this->session(puppet("Mode=hang_query"));
    ASSERT_TRUE(session);
    auto answer = std::async(std::launch::async, [&] { return run(*session, "WAITFOR"); });
    // A cancel before the statement begins is none of its business: again until it ends.
    while (answer.wait_for(milliseconds(20)) != std::future_status::ready)
        session->cancel();
    const Answer ended = answer.get();
    EXPECT_EQ(ended.ending, Ending::cancelled);
    EXPECT_TRUE(ended.was_asked_to_end);
    EXPECT_TRUE(session->is_usable());
}

TEST_F(OdbcSession, EndsWhenTheHostAsksForIt) {
    const auto session = this->session(puppet("Mode=hang_query"));
    ASSERT_TRUE(session);
    FakeOp op;
    op.cancel_at_poll(3);
    const sdk::Op running(op.abi());
    sql::RunOptions options;
    options.op = &running;
    const Answer answer = run(*session, "WAITFOR", options);
    EXPECT_EQ(answer.ending, Ending::cancelled);
    EXPECT_THROW(sql::require_complete(answer, &running), sdk::Cancelled);
}

TEST_F(OdbcSession, EndsAtItsTimeLimit) {
    const auto session = this->session(puppet("Mode=hang_query"));
    ASSERT_TRUE(session);
    sql::RunOptions options;
    options.limit = milliseconds(200);
    const Answer answer = run(*session, "WAITFOR", options);
    EXPECT_EQ(answer.ending, Ending::late);
    EXPECT_THROW(sql::require_complete(answer, nullptr), sdk::Error);
    EXPECT_TRUE(session->is_usable());
}

TEST_F(OdbcSession, TheCallerWatchesProgressMeanwhile) {
    const auto session = this->session(puppet("Mode=hang_query"));
    ASSERT_TRUE(session);
    int ticks = 0;
    sql::RunOptions options;
    options.limit = milliseconds(0);
    options.tick = milliseconds(1);
    options.on_tick = [&] { return ++ticks < 3; };
    EXPECT_EQ(run(*session, "BACKUP", options).ending, Ending::cancelled);
    EXPECT_EQ(ticks, 3);
    options.on_tick = []() -> bool { throw std::runtime_error("the monitor failed"); };
    EXPECT_THROW(run(*session, "BACKUP", options), std::runtime_error);
    EXPECT_TRUE(session->is_usable()) << "the statement had been ended";
}

TEST_F(OdbcSession, ALateCancelThatSucceededIsRecognised) {
    const auto session = this->session(puppet("Mode=late_cancel"));
    ASSERT_TRUE(session);
    sql::RunOptions options;
    options.limit = milliseconds(100);
    const Answer answer = run(*session, "BACKUP", options);
    EXPECT_EQ(answer.ending, Ending::late);
    EXPECT_EQ(sql::claim_of(answer), sql::JobClaim::success);
}

TEST_F(OdbcSession, ADriverThatDoesNotReturnIsLeftBehind) {
    options_.cancel_grace = milliseconds(200);
    auto session = this->session(puppet("Mode=deaf_query"));
    ASSERT_TRUE(session);
    sql::RunOptions options;
    options.limit = milliseconds(100);
    const Answer answer = run(*session, "BACKUP", options);
    EXPECT_EQ(answer.ending, Ending::lost);
    EXPECT_EQ(sql::claim_of(answer), sql::JobClaim::unclear);
    EXPECT_FALSE(session->is_usable());
    EXPECT_EQ(run(*session, "SELECT").ending, Ending::lost);
    session.reset();
    EXPECT_EQ(left_behind(), 1);
}

TEST_F(OdbcSession, ALoginThatDoesNotReturnIsLeftBehindAndTheirNumberIsBounded) {
    FakeOp op;
    op.cancel_at_poll(1);
    const sdk::Op running(op.abi());
    int refused = 0;
    for (int i = 0; i < 10; ++i) {
        try {
            const sql::Opened opened = open(puppet("Mode=hang_connect"), &running);
            EXPECT_EQ(opened.session, nullptr);
            EXPECT_EQ(opened.ending, Ending::cancelled);
        } catch (const sdk::Error& error) {
            EXPECT_EQ(error.status(), STSYNC_BUSY);
            ++refused;
        }
    }
    EXPECT_EQ(refused, 2);
    EXPECT_EQ(left_behind(), 8);
}

TEST_F(OdbcSession, ALostConnectionIsOfNoUseAnyMore) {
    const auto session = this->session(puppet("Mode=lost"));
    ASSERT_TRUE(session);
    const Answer answer = run(*session, "RESTORE");
    EXPECT_EQ(answer.ending, Ending::lost);
    EXPECT_TRUE(answer.has(20017));
    EXPECT_FALSE(session->is_usable());
}

TEST_F(OdbcSession, ARefusedLoginSaysWhyButNotThePassword) {
    password_ = "geheim{;47";
    const sql::Opened opened = open(puppet("RightToken=other"));
    EXPECT_EQ(opened.session, nullptr);
    EXPECT_EQ(opened.ending, Ending::failed);
    const sql::Problem problem =
        sql::problem_of(opened.messages, opened.ending, sql::Phase::connecting, {});
    EXPECT_EQ(problem.rule, "login-refused");
    EXPECT_EQ(problem.status, STSYNC_DENIED);
    EXPECT_EQ(sql::to_text(opened.messages).find("geheim"), std::string::npos)
        << sql::to_text(opened.messages);
}

TEST_F(OdbcSession, ADatabaseInRestoreIsNoRefusedLogin) {
    const sql::Opened opened = open(puppet("Mode=restoring"));
    const sql::Problem problem =
        sql::problem_of(opened.messages, opened.ending, sql::Phase::connecting, {});
    EXPECT_EQ(problem.number, 4060);
    EXPECT_EQ(problem.status, STSYNC_BUSY);
}

TEST_F(OdbcSession, AMissingDriverIsToldWithThoseThatThereAre) {
    const sql::Opened opened = open("Driver={No Such};Server=x");
    const sql::Problem problem =
        sql::problem_of(opened.messages, opened.ending, sql::Phase::connecting, {});
    EXPECT_EQ(problem.rule, "driver-missing") << sql::to_text(opened.messages);
    const sql::Opened source = open("DSN=nobody");
    EXPECT_EQ(sql::problem_of(source.messages, source.ending, sql::Phase::connecting, {}).rule,
              "driver-missing")
        << sql::to_text(source.messages);
}

TEST_F(OdbcSession, DriversAreKnownByTheirLibrary) {
    std::string names;
    for (const sql::InstalledDriver& each : sql::odbc::installed_drivers())
        names += each.name + '=' + each.library + '\n';
    EXPECT_NE(names.find("Plant TDS=" STATIONSYNC_TDS_ODBC), std::string::npos) << names;
    settings_.user = "sync";
    sql::odbc::OdbcServer server(
        settings_, [] { return std::string(); }, options_);
    EXPECT_EQ(server.driver().name, "Plant TDS");
    EXPECT_EQ(server.driver().family, sql::DriverFamily::freetds);
    settings_.connection = "Driver={Plant TDS};Server=x";
    sql::odbc::OdbcServer own(
        settings_, [] { return std::string(); }, options_);
    EXPECT_EQ(own.driver().family, sql::DriverFamily::freetds);
    settings_.connection = "DSN=plant source";
    sql::odbc::OdbcServer source(
        settings_, [] { return std::string(); }, options_);
    EXPECT_EQ(source.driver().family, sql::DriverFamily::freetds);
    settings_.connection = "DSN=nobody";
    sql::odbc::OdbcServer nobody(
        settings_, [] { return std::string(); }, options_);
    EXPECT_EQ(nobody.driver().family, sql::DriverFamily::other);
}

} // namespace
} // namespace stationsync::test
