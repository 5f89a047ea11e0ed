// A station whose SQL Server is the stand-in, with packages to apply.
#pragma once

#include "component/sqlserver_odbc/stand_in.hpp"

#include "content_id.hpp"
#include "odbc/odbc_server.hpp"
#include "restorer.hpp"
#include "support/fake_host.hpp"
#include "support/temp_folder.hpp"

#include <gtest/gtest.h>

#include <optional>

namespace stationsync::test {

namespace sql = ::stationsync::sqlserver;

// A server that does what a test says at a statement of the one that is tested.
class WatchedServer final : public sql::SqlServer {
public:
    explicit WatchedServer(sql::SqlServer& inner) : inner_(inner) {}

    sql::Opened open(sql::SessionRole role, const sdk::Op* op) override;

    // What becomes of a statement; each gets its number, from 1, and its text. Not for monitors.
    std::function<void(int, const std::string&)> before;
    std::function<void(int, const std::string&)> after;
    // True: it is refused with error 1222 and never sent.
    std::function<bool(int, const std::string&)> refuses;
    // True: it was sent and its answer is lost with the connection.
    std::function<bool(int, const std::string&)> loses_answer;

    std::vector<std::string> statements; // all of them, in order

private:
    friend class WatchedSession;
    sql::SqlServer& inner_;
};

struct Package {
    std::filesystem::path file;
    sql::ContentId content;
    std::string set_guid;
};

struct Ended {
    std::optional<sdk::Mark> mark; // nothing: it failed
    stsync_time changed_at = STSYNC_TIME_NONE;
    stsync_status status = STSYNC_OK;
    std::string text;
};

class ApplyStation {
public:
    // Uses the stand-in at `port`; values of the host are kept in `folder`.
    ApplyStation(const std::filesystem::path& folder, std::uint16_t port);

    void begin(); // a service that was just started: after `host` and `settings` are as wanted
    Ended apply(const std::string& database, const Package& package, const sdk::Mark& expected,
                std::uint8_t id = 1, stsync_time changed_at = 1'700'000'000'000'000);
    Ended recover();
    // As a scan makes it: the present content counts as this one.
    void know(const std::string& database, const sql::ContentId& content, sql::Origin origin);
    // A scan: the mark that it reports, absent without the database.
    sdk::Mark mark_of(const std::string& database);
    std::vector<std::string> open_intents();
    // Names of databases that are to be put away when that is possible.
    std::vector<std::string> leftovers();
    // What a scan settles first; the sentences of what it could not.
    std::vector<std::string> settle();

    // A statement of somebody else; the first field of the first row, "NULL" for NULL, "" without.
    std::string sql(const std::string& statement);
    void disconnect() { session_.reset(); } // that somebody else

    FakeHost host;
    FakeOp op;
    sql::ProviderSettings settings;
    std::optional<WatchedServer> server;

private:
    sql::odbc::OdbcServer odbc_;
    std::unique_ptr<sql::SqlSession> session_;
    std::unique_ptr<sql::BaselineStore> baselines_;
    std::unique_ptr<sql::ExchangeFolder> folder_;
    std::unique_ptr<sql::Restorer> restorer_;
};

class SqlServerApply : public ::testing::Test {
protected:
    SqlServerApply();
    ~SqlServerApply() override;

    void start(const std::vector<std::string>& options = {"--version", "2019", "--edition",
                                                          "express"});
    // A database whose only recipe has this note.
    void make(const std::string& database, const std::string& note);
    void write(const std::string& database, const std::string& note);
    Package pack(const std::string& database, const std::string& file);
    // `database` with `old`, known as the first package; a second one with `fresh` beside it.
    void make_two_states(const std::string& database = "plant");
    std::string note_in(const std::string& database);

    // State and access, "ONLINE MULTI_USER"; "none".
    std::string standing(const std::string& database);
    // Databases that are not of the system.
    std::vector<std::string> databases();
    // Names of the files in the data folder of the server but those of the system databases.
    std::vector<std::string> data_files();
    void expect_whole(const std::string& database, const std::string& note,
                      const std::string& where = "");

    std::filesystem::path server_folder() const { return folder_ / "server"; }

    TempFolder folder_;
    std::unique_ptr<StandIn> stand_in_;
    std::unique_ptr<ApplyStation> station_;
    Package old_;
    Package fresh_;
};

} // namespace stationsync::test
