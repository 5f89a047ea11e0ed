// Sessions over unixODBC with drivers that belong to one test.
#pragma once

#include "odbc/odbc_server.hpp"
#include "support/fake_host.hpp"
#include "support/temp_folder.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace stationsync::test {

namespace sql = ::stationsync::sqlserver;
using std::chrono::milliseconds;

class OdbcFixture : public ::testing::Test {
protected:
    OdbcFixture() {
        // unixODBC looks here instead of in /etc.
        write_file(folder_ / "odbcinst.ini", "[Test SQLite]\nDriver=" STATIONSYNC_SQLITE_ODBC
                                             "\n[Puppet]\nDriver=" STATIONSYNC_PUPPET_ODBC
                                             "\n[Plant TDS]\nDriver=" STATIONSYNC_TDS_ODBC "\n");
        write_file(folder_ / "odbc.ini", "[Plant source]\nDriver=Plant TDS\n");
        ::setenv("ODBCSYSINI", folder_.path().c_str(), 1);
        ::setenv("ODBCINI", (folder_ / "odbc.ini").c_str(), 1);
        options_.has_prologue = false; // nothing but SQL Server understands it
        options_.login_limit = std::chrono::seconds(5);
    }
    ~OdbcFixture() override {
        // What hangs in a driver does so until now.
        write_file(folder_ / "release", "");
        while (left_behind() > 0)
            std::this_thread::sleep_for(milliseconds(5));
    }

    static int left_behind();

    sql::Opened open(const std::string& connection, const sdk::Op* op = nullptr) {
        settings_.connection = connection;
        sql::odbc::OdbcServer server(
            settings_, [this] { return password_; }, options_);
        return server.open(sql::SessionRole::worker, op);
    }
    // Opens, and fails the test when that is not possible.
    std::unique_ptr<sql::SqlSession> session(const std::string& connection) {
        sql::Opened opened = open(connection);
        EXPECT_NE(opened.session, nullptr) << sql::to_text(opened.messages);
        return std::move(opened.session);
    }
    // The database of all sessions is called master; here it is a file in the working directory.
    std::unique_ptr<sql::SqlSession> sqlite() {
        std::filesystem::current_path(folder_.path());
        return session("Driver={Test SQLite};Timeout=500");
    }
    std::string puppet(const std::string& keys) const {
        return "Driver={Puppet};Release=" + (folder_ / "release").string() +
               ";Log=" + (folder_ / "attempts").string() + ";" + keys;
    }

    TempFolder folder_;
    sql::odbc::OdbcOptions options_;
    sql::ServerSettings settings_;
    std::string password_;
};

} // namespace stationsync::test
