// The sessions of the provider, and what judges their answers, with FreeTDS against the stand-in
// for SQL Server.
#include "component/sqlserver_odbc/stand_in.hpp"

#include "errors.hpp"
#include "folder_access.hpp"
#include "job_outcome.hpp"
#include "lsn.hpp"
#include "odbc/odbc_server.hpp"
#include "permissions.hpp"
#include "quoting.hpp"
#include "server_version.hpp"
#include "support/fake_host.hpp"
#include "support/temp_folder.hpp"

#include <stationsync/error.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

namespace stationsync::test {
namespace {

namespace sql = ::stationsync::sqlserver;
using sql::Answer;
using sql::Ending;
using std::chrono::milliseconds;

class StandInSession : public ::testing::Test {
protected:
    StandInSession() {
        write_file(folder_ / "odbcinst.ini", "[FreeTDS]\nDriver=" STATIONSYNC_TDS_ODBC "\n");
        write_file(folder_ / "odbc.ini", "");
        ::setenv("ODBCSYSINI", folder_.path().c_str(), 1);
        ::setenv("ODBCINI", (folder_ / "odbc.ini").c_str(), 1);
    }
    ~StandInSession() override {
        if (stand_in_) {
            EXPECT_EQ(stand_in_->problems(), "");
        }
    }

    void start(const std::string& version = "2019") {
        std::filesystem::create_directory(folder_ / "server");
        stand_in_ = std::make_unique<StandIn>(
            folder_ / "server",
            std::vector<std::string>{"--version", version, "--edition", "express"});
    }
    sql::Opened open(const std::string& user = "sa", const std::string& password = "secret") {
        sql::ServerSettings settings;
        settings.server = "127.0.0.1";
        settings.port = stand_in_->port();
        settings.user = user;
        settings.encryption = sql::Encryption::no;
        sql::odbc::OdbcServer server(settings, [password] { return password; }, {});
        return server.open(sql::SessionRole::worker, nullptr);
    }
    std::unique_ptr<sql::SqlSession> session(const std::string& user = "sa") {
        sql::Opened opened = open(user);
        EXPECT_NE(opened.session, nullptr) << sql::to_text(opened.messages);
        return std::move(opened.session);
    }
    std::string backup_statement(const std::string& database) const {
        return "BACKUP DATABASE " + sql::quoted_name(database) +
               " TO DISK = " + sql::quoted_path((folder_ / "server" / "1.bak").string()) +
               " WITH COPY_ONLY, FORMAT, INIT, CHECKSUM, STATS = 5";
    }
    void hold(const std::string& match) {
        stand_in_->tell(R"("do":"fault","match":")" + match +
                        R"(","stage":"data","percent":40,"action":"hang")");
    }

    TempFolder folder_;
    std::unique_ptr<StandIn> stand_in_;
};

// Fails the test when the statement did not go through.
Answer must(sql::SqlSession& session, const std::string& statement) {
    Answer answer = session.run(statement, {});
    EXPECT_TRUE(answer.is_complete()) << statement << ": " << sql::to_text(answer.messages);
    return answer;
}

TEST_F(StandInSession, BeginsWithThePrologueAndKnowsItsNumber) {
    start();
    const auto one = session();
    const auto other = session();
    ASSERT_TRUE(one && other);
    EXPECT_GT(one->id(), 0);
    EXPECT_NE(one->id(), other->id());
    EXPECT_EQ(must(*one, "SELECT @@SPID AS spid").row()["spid"].integer(), one->id());
    EXPECT_EQ(must(*one, "SELECT DB_NAME() AS name").row()["name"].text(), "master");
}

TEST_F(StandInSession, GivesTheTypesOfSqlServer) {
    start();
    const auto session = this->session();
    ASSERT_TRUE(session);
    const Answer answer =
        must(*session, "SELECT CONVERT(bigint, -9007199254740993) AS whole, N'Žluť😀' AS words, "
                       "CONVERT(bit, 1) AS flag, CONVERT(float, 0.1) AS fraction, "
                       "CONVERT(numeric(25, 0), 45000000016600190) AS lsn, NULL AS missing, "
                       "CONVERT(uniqueidentifier, '6F9619FF-8B86-D011-B42D-00C04FC964FF') AS guid, "
                       "CONVERT(datetime, '2024-03-31T02:30:00.997') AS moment, "
                       "SYSDATETIMEOFFSET() AS now");
    const sql::Row row = answer.row();
    EXPECT_EQ(row["whole"].integer(), -9007199254740993);
    EXPECT_EQ(row["words"].text(), "Žluť😀");
    EXPECT_EQ(row["flag"].flag(), true);
    EXPECT_EQ(row["fraction"].real(), 0.1);
    EXPECT_EQ(sql::parse_lsn(*row["lsn"].numeric()), sql::parse_lsn("0000002d:000000a6:00be"));
    EXPECT_TRUE(row["missing"].is_null());
    EXPECT_EQ(row["guid"].guid(), "6F9619FF-8B86-D011-B42D-00C04FC964FF");
    EXPECT_EQ(row["moment"].date_time()->microseconds(), 1711852200997000);
    EXPECT_TRUE(row["now"].date_time()) << row["now"].text().value_or("");
}

TEST_F(StandInSession, ServersSayWhatTheyAre) {
    start("2022");
    const auto session = this->session();
    ASSERT_TRUE(session);
    const sql::ServerFacts facts = sql::ask_server_facts(*session, nullptr);
    EXPECT_EQ(facts.version.major, 16);
    EXPECT_EQ(facts.format, 957);
    EXPECT_TRUE(facts.is_express());
    EXPECT_FALSE(facts.can_compress());
    EXPECT_EQ(sql::unsupported_reason(facts), "");
    EXPECT_TRUE(facts.has_log_stats());
    EXPECT_FALSE(facts.collation.empty());
}

TEST_F(StandInSession, AnOldServerIsAskedNothingThatItDoesNotKnow) {
    start("2012");
    const auto session = this->session();
    ASSERT_TRUE(session);
    const sql::ServerFacts facts = sql::ask_server_facts(*session, nullptr);
    EXPECT_EQ(facts.version.major, 11);
    EXPECT_EQ(facts.format, 706);
    EXPECT_FALSE(sql::check_permissions(*session, facts, {"master"}, nullptr).empty());
}

TEST_F(StandInSession, HostileNamesGoThroughABackupAndARestore) {
    start();
    const auto session = this->session();
    ASSERT_TRUE(session);
    const sql::ServerFacts facts = sql::ask_server_facts(*session, nullptr);
    for (const std::string name : {"a]b", "x'y", "Žluť😀", "a;b--", "[x", "\"q\""}) {
        must(*session, "CREATE DATABASE " + sql::quoted_name(name));
        const Answer backup = session->run(backup_statement(name), {});
        EXPECT_EQ(sql::claim_of(backup), sql::JobClaim::success)
            << name << ": " << sql::to_text(backup.messages);
        const std::string file = sql::quoted_path((folder_ / "server" / "1.bak").string());
        const Answer header = must(*session, "RESTORE HEADERONLY FROM DISK = " + file);
        EXPECT_EQ(header.row()["DatabaseName"].text(), name);
        EXPECT_EQ(header.row()["IsCopyOnly"].flag(), true);
        EXPECT_EQ(sql::judge_package(sql::parse_header_version(header.row()), facts, true).obstacle,
                  "");
        const Answer restore =
            session->run("RESTORE DATABASE " + sql::quoted_name(name) + " FROM DISK = " + file +
                             " WITH FILE = 1, REPLACE, RECOVERY",
                         {});
        EXPECT_TRUE(sql::is_restored(sql::claim_of(restore),
                                     sql::ask_database_state(*session, name, nullptr)))
            << name << ": " << sql::to_text(restore.messages);
    }
    EXPECT_FALSE(sql::ask_database_state(*session, "nobody", nullptr));
}

TEST_F(StandInSession, AFailedBackupIsReducedToItsCause) {
    start();
    const auto session = this->session();
    ASSERT_TRUE(session);
    must(*session, "CREATE DATABASE plant");
    stand_in_->tell(R"("do":"fault","match":"^BACKUP","stage":"data","percent":40,)"
                    R"("action":"error","errors":[3202,3013])");
    const Answer backup = session->run(backup_statement("plant"), {});
    EXPECT_EQ(backup.ending, Ending::failed);
    EXPECT_EQ(sql::claim_of(backup), sql::JobClaim::failure);
    EXPECT_EQ(sql::problem_of(backup.messages, backup.ending, sql::Phase::running, {}).number, 3202)
        << sql::to_text(backup.messages);
    EXPECT_TRUE(session->is_usable());
    EXPECT_EQ(sql::claim_of(session->run(backup_statement("plant"), {})), sql::JobClaim::success);
}

TEST_F(StandInSession, AnErrorOfALateResultFailsTheWhole) {
    start();
    const auto session = this->session();
    ASSERT_TRUE(session);
    stand_in_->tell(R"("do":"fault","match":"SELECT 4711","stage":"start","action":"late_error",)"
                    R"("results":3,"errors":[3201])");
    const Answer answer = session->run("SELECT 4711 AS a", {});
    EXPECT_EQ(answer.ending, Ending::failed);
    EXPECT_TRUE(answer.has(3201)) << sql::to_text(answer.messages);
}

TEST_F(StandInSession, ProgressIsSeenOnTheOtherSessionAndTheJobEndsOnRequest) {
    start();
    const auto worker = session();
    const auto monitor = session();
    ASSERT_TRUE(worker && monitor);
    must(*worker, "CREATE DATABASE plant");
    stand_in_->tell(R"("do":"allow_attentions","count":10)");
    hold("^BACKUP");
    double percent = 0;
    sql::RunOptions options;
    options.limit = milliseconds(0);
    options.tick = milliseconds(20);
    options.on_tick = [&] {
        const Answer seen =
            must(*monitor, "SELECT percent_complete FROM sys.dm_exec_requests WHERE session_id = " +
                               std::to_string(worker->id()));
        if (!seen.rows().rows.empty())
            percent = seen.row()["percent_complete"].real().value_or(0);
        return percent < 40;
    };
    const Answer backup = worker->run(backup_statement("plant"), options);
    EXPECT_GE(percent, 40);
    EXPECT_EQ(backup.ending, Ending::cancelled) << sql::to_text(backup.messages);
    EXPECT_EQ(sql::claim_of(backup), sql::JobClaim::unclear);
    EXPECT_TRUE(worker->is_usable());
    EXPECT_TRUE(sql::ask_database_state(*worker, "plant", nullptr)->is_online());
}

TEST_F(StandInSession, AConnectionLostDuringARestoreLeavesTheStateToBeAsked) {
    start();
    const auto worker = session();
    ASSERT_TRUE(worker);
    must(*worker, "CREATE DATABASE plant");
    must(*worker, backup_statement("plant"));
    stand_in_->tell(
        R"("do":"fault","match":"^RESTORE","stage":"data","percent":40,"action":"drop")");
    const Answer restore = worker->run(
        "RESTORE DATABASE [plant] FROM DISK = " +
            sql::quoted_path((folder_ / "server" / "1.bak").string()) + " WITH REPLACE, RECOVERY",
        {});
    EXPECT_EQ(restore.ending, Ending::lost) << sql::to_text(restore.messages);
    EXPECT_EQ(sql::claim_of(restore), sql::JobClaim::unclear);
    EXPECT_FALSE(worker->is_usable());
    const auto other = session();
    ASSERT_TRUE(other);
    const auto state = sql::ask_database_state(*other, "plant", nullptr);
    ASSERT_TRUE(state);
    EXPECT_EQ(state->state, "RESTORING");
    EXPECT_FALSE(sql::is_restored(sql::claim_of(restore), state));
}

TEST_F(StandInSession, ARefusedLoginIsOneAttempt) {
    start();
    const sql::Opened opened = open("sa", "wrong");
    EXPECT_EQ(opened.session, nullptr);
    EXPECT_EQ(sql::problem_of(opened.messages, opened.ending, sql::Phase::connecting, {}).number,
              18456);
    const std::string logins = stand_in_->tell("\"do\":\"logins\"");
    EXPECT_EQ(opened.messages.empty(), false);
    EXPECT_EQ(logins.find("}, {"), std::string::npos) << logins;
}

TEST_F(StandInSession, TheLinesOfTheSelfTestGiveExactlyWhatWasMissing) {
    start();
    const auto administrator = session();
    ASSERT_TRUE(administrator);
    must(*administrator, "CREATE DATABASE [Bat]]ch]");
    must(*administrator, "CREATE LOGIN [sync] WITH PASSWORD = N'secret'");
    const auto login = session("sync");
    ASSERT_TRUE(login);
    const sql::ServerFacts facts = sql::ask_server_facts(*login, nullptr);
    const auto rights = [&] {
        return sql::parse_server_rights(must(*login, sql::server_rights_statement()).row());
    };
    const auto inside = [&] {
        return sql::parse_database_rights(
            must(*login, sql::database_rights_statement("Bat]ch")).row());
    };
    const auto lines = sql::server_grant_lines(rights(), facts);
    EXPECT_GE(lines.size(), 3u);
    // The stand-in knows no rights on single tables of msdb: that line is left out.
    const auto is_of_msdb = [](const std::string& line) { return line.starts_with("USE [msdb]"); };
    for (const std::string& line : lines)
        if (!is_of_msdb(line))
            must(*administrator, line);
    const auto left = sql::server_grant_lines(rights(), facts);
    EXPECT_TRUE(std::all_of(left.begin(), left.end(), is_of_msdb));
    const auto more = sql::database_grant_lines(inside(), "Bat]ch", "sync", facts);
    EXPECT_FALSE(more.empty());
    for (const std::string& line : more)
        must(*administrator, line);
    EXPECT_TRUE(sql::database_grant_lines(inside(), "Bat]ch", "sync", facts).empty());
    EXPECT_EQ(sql::claim_of(login->run(backup_statement("Bat]ch"), {})), sql::JobClaim::success);
}

TEST_F(StandInSession, AProbeFileTellsWhetherSqlServerMayReadTheFolder) {
    start();
    const auto session = this->session();
    ASSERT_TRUE(session);
    const auto probe = folder_ / "server" / "probe";
    write_file(probe, "neither a backup nor empty");
    EXPECT_EQ(
        sql::judge_folder_probe(session->run(sql::folder_probe_statement(probe.string()), {})),
        sql::FolderProbe::readable);
    EXPECT_EQ(sql::judge_folder_probe(session->run(
                  sql::folder_probe_statement((folder_ / "elsewhere" / "probe").string()), {})),
              sql::FolderProbe::not_there);
    const sql::ServerFacts facts = sql::ask_server_facts(*session, nullptr);
    EXPECT_FALSE(
        sql::service_account(session->run(sql::service_account_statement(), {}), facts).empty());
}

} // namespace
} // namespace stationsync::test
