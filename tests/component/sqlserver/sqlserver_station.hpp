// The plugin as the service loads it, against the stand-in for SQL Server.
#pragma once

#include "component/sqlserver_odbc/stand_in.hpp"
#include "support/fake_plugin.hpp"
#include "support/temp_folder.hpp"

#include "odbc/odbc_server.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace stationsync::test {

namespace sql = ::stationsync::sqlserver;

inline const FakeLibrary& sqlserver_library() {
    static const FakeLibrary library(STATIONSYNC_SQLSERVER_PLUGIN);
    return library;
}

// unixODBC finds its drivers where the environment says, and asks only once.
inline void use_test_drivers() {
    static const TempFolder folder;
    static const bool is_done = [] {
        write_file(folder / "odbcinst.ini", "[FreeTDS]\nDriver=" STATIONSYNC_TDS_ODBC "\n");
        write_file(folder / "odbc.ini", "");
        ::setenv("ODBCSYSINI", folder.path().c_str(), 1);
        ::setenv("ODBCINI", (folder / "odbc.ini").c_str(), 1);
        return true;
    }();
    static_cast<void>(is_done);
}

// Another client of the server, such as the batch system.
class SqlClient {
public:
    explicit SqlClient(std::uint16_t port) {
        sql::ServerSettings settings;
        settings.server = "127.0.0.1";
        settings.port = port;
        settings.user = "sa";
        settings.encryption = sql::Encryption::no;
        sql::odbc::OdbcServer server(settings, [] { return std::string("secret"); }, {});
        session_ = server.open(sql::SessionRole::worker, nullptr).session;
        if (!session_)
            throw std::runtime_error("the stand-in takes no session");
    }

    sql::Answer run(const std::string& statement) {
        sql::Answer answer = session_->run(statement, {});
        EXPECT_TRUE(answer.is_complete()) << statement << ": " << sql::to_text(answer.messages);
        return answer;
    }

    // Columns separated by '|', rows by a line feed.
    std::string text(const std::string& statement) {
        const sql::Answer answer = run(statement);
        std::string text;
        for (const auto& row :
             answer.results.empty() ? std::vector<std::vector<sql::Value>>() : answer.rows().rows)
            for (std::size_t i = 0; i < row.size(); ++i)
                text += (i > 0 ? "|" : text.empty() ? "" : "\n") + row[i].text().value_or("NULL");
        return text;
    }

private:
    std::unique_ptr<sql::SqlSession> session_;
};

// One station: a server of its own, a host, the plugin.
class SqlStation {
public:
    SqlStation(const std::filesystem::path& folder, const std::string& version = "2019",
               const std::string& edition = "express")
        : folder_(folder) {
        std::filesystem::create_directories(folder / "server");
        std::filesystem::create_directories(folder / "staging");
        server_ = std::make_unique<StandIn>(
            folder / "server",
            std::vector<std::string>{"--version", version, "--edition", edition});
        host_.config["@instance"] = {"instance of " + folder.string()};
        host_.config["@packages"] = {(folder / "staging").string()};
        host_.config["server"] = {"127.0.0.1"};
        host_.config["port"] = {std::to_string(server_->port())};
        host_.config["user"] = {"sa"};
        host_.config["encrypt"] = {"no"};
        host_.config["databases"] = {"plant"};
        host_.secrets["password"] = "secret";
    }
    ~SqlStation() { plugin_.reset(); }
    SqlStation(const SqlStation&) = delete;
    SqlStation& operator=(const SqlStation&) = delete;

    // As a start, or restart, of the service: the durable values stay.
    void start() {
        plugin_.reset();
        plugin_.emplace(sqlserver_library(), host_);
        ASSERT_EQ(plugin_->created().status, STSYNC_OK) << plugin_->created().text;
        const Outcome outcome = plugin_->recover();
        ASSERT_EQ(outcome.status, STSYNC_OK) << outcome.text;
    }
    void stop() { plugin_.reset(); }

    StandIn& server() noexcept { return *server_; }
    FakeHost& host() noexcept { return host_; }
    FakeProvider& plugin() { return *plugin_; }
    SqlClient client() const { return SqlClient(server_->port()); }
    std::filesystem::path package(const std::string& name) const {
        return folder_ / "staging" / name;
    }
    const std::filesystem::path& folder() const noexcept { return folder_; }

    // A database with a table of recipes; AUTO_CLOSE off unless asked for.
    void make_database(const std::string& name = "plant", bool is_auto_close = false) {
        SqlClient client = this->client();
        const std::string quoted = "[" + name + "]";
        client.run("CREATE DATABASE " + quoted);
        if (!is_auto_close)
            client.run("ALTER DATABASE " + quoted + " SET AUTO_CLOSE OFF");
        client.run("CREATE TABLE " + quoted +
                   ".dbo.recipe (id int PRIMARY KEY, name nvarchar(50), amount int)");
        client.run("INSERT INTO " + quoted +
                   ".dbo.recipe VALUES (1, N'cake', 3), (2, N'bread', 5)");
    }

    // The object as a scan finds it; fails the test when there is none.
    sdk::Object object(const std::string& key = "plant") {
        const ScanOutcome outcome = plugin_->scan();
        EXPECT_EQ(outcome.status, STSYNC_OK) << outcome.text;
        for (const auto& [name, fault] : outcome.faults)
            ADD_FAILURE() << name << ": " << fault.text;
        const auto at = outcome.objects.find(key);
        if (at != outcome.objects.end())
            return at->second;
        ADD_FAILURE() << "no object " << key;
        return {};
    }

    ExportOutcome export_to(const std::string& name, const std::string& key = "plant") {
        ExportOutcome outcome = plugin_->export_object(key, package(name));
        EXPECT_EQ(outcome.status, STSYNC_OK) << outcome.text;
        return outcome;
    }

    std::set<std::string> files() const {
        std::set<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(folder_ / "staging"))
            names.insert(entry.path().filename().string());
        return names;
    }

    // Statements of the plugin since a number of them, one a line.
    std::string journal(std::size_t since = 0) {
        return server_->tell("\"do\":\"journal\",\"since\":" + std::to_string(since));
    }
    std::size_t journal_length() {
        const std::string answer = server_->tell("\"do\":\"journal_length\"");
        return std::stoul(answer.substr(answer.find(':') + 1));
    }

    stsync_time now() const {
        stsync_time now = 0;
        const auto* clock = static_cast<const stsync_host_clock_v1*>(
            host_.abi()->query(host_.abi(), STSYNC_HOST_CLOCK_V1));
        clock->utc_now(host_.abi(), &now);
        return now;
    }

private:
    std::filesystem::path folder_;
    std::unique_ptr<StandIn> server_;
    FakeHost host_;
    std::optional<FakeProvider> plugin_;
};

// Progress of one kind begins at most once, never goes back and stays within 0 to 100.
inline void expect_monotone(const std::vector<FakeOp::Progress>& progress) {
    std::map<std::string, std::uint64_t> done;
    std::string what;
    for (const FakeOp::Progress& each : progress) {
        EXPECT_EQ(each.total, 100u) << each.what;
        EXPECT_LE(each.done, each.total) << each.what;
        EXPECT_TRUE(each.what == what || !done.contains(each.what)) << each.what << " twice";
        EXPECT_GE(each.done, done[each.what]) << each.what;
        done[what = each.what] = each.done;
    }
}

class SqlServerPlugin : public ::testing::Test {
protected:
    SqlServerPlugin() { use_test_drivers(); }
    ~SqlServerPlugin() override {
        if (station_) {
            station_->stop();
            EXPECT_EQ(station_->server().problems(), "");
        }
    }

    SqlStation& station(const std::string& version = "2019",
                        const std::string& edition = "express") {
        if (!station_)
            station_ = std::make_unique<SqlStation>(folder_ / "station", version, edition);
        return *station_;
    }

    TempFolder folder_;
    std::unique_ptr<SqlStation> station_;
};

} // namespace stationsync::test
