// Each statement of an apply refused, its connection lost before or after it, the process killed
// before or after it: old or new afterwards, never else. The statements are those that an apply
// without faults runs, so no step can be forgotten.
#include "component/sqlserver_apply/apply_fixture.hpp"

#include <csignal>
#include <cstdlib>

#include <sys/wait.h>
#include <unistd.h>

namespace stationsync::test {
namespace {

std::string told(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? std::string() : value;
}

int number_told(const char* name) {
    return std::atoi(told(name).c_str());
}

// Not a case of its own: one apply, in the process that is to be killed.
TEST(SqlServerApplyChild, DISABLED_Apply) {
    ApplyStation station(told("STATIONSYNC_TEST_FOLDER"),
                         static_cast<std::uint16_t>(number_told("STATIONSYNC_TEST_PORT")));
    station.settings.restore_mode = static_cast<sql::RestoreMode>(number_told("STATIONSYNC_MODE"));
    station.begin();
    const int before = number_told("STATIONSYNC_KILL_BEFORE");
    const int after = number_told("STATIONSYNC_KILL_AFTER");
    station.server->before = [=](int number, const std::string&) {
        if (number == before)
            std::raise(SIGKILL);
    };
    station.server->after = [=](int number, const std::string&) {
        if (number == after)
            std::raise(SIGKILL);
    };
    Package package;
    package.file = told("STATIONSYNC_TEST_PACKAGE");
    const auto content = sql::parse_content_id(told("STATIONSYNC_TEST_EXPECTED"));
    station.apply("plant", package, content ? sql::mark_of(*content) : sdk::Mark(),
                  static_cast<std::uint8_t>(number_told("STATIONSYNC_TEST_ID")));
}

struct Way {
    const char* name;
    sql::RestoreMode mode;
    bool is_absent;
};

class SqlServerApplyBroken : public SqlServerApply, public ::testing::WithParamInterface<Way> {
protected:
    // The old content again, and the service as if just started.
    void renew() {
        if (!is_ready_) {
            start();
            make_two_states();
            is_ready_ = true;
        }
        station_->begin();
        station_->settings.restore_mode = GetParam().mode;
        if (GetParam().is_absent) {
            station_->sql("IF DB_ID(N'plant') IS NOT NULL DROP DATABASE plant");
            return;
        }
        if (standing("plant") != "ONLINE MULTI_USER" || note_in("plant") != "old")
            reset();
    }

    void reset() {
        station_->sql("IF DB_ID(N'plant') IS NULL CREATE DATABASE plant");
        station_->sql("ALTER DATABASE plant SET OFFLINE WITH ROLLBACK IMMEDIATE");
        station_->sql("RESTORE DATABASE plant FROM DISK = N'" + old_.file.string() +
                      "' WITH REPLACE");
        station_->know("plant", old_.content, sql::Origin::backup);
    }

    sdk::Mark expected() const {
        return GetParam().is_absent ? sdk::Mark() : sql::mark_of(old_.content);
    }

    // Statements of an apply without faults.
    int statements() {
        renew();
        const Ended ended = station_->apply("plant", fresh_, expected(), next_id_++);
        EXPECT_TRUE(ended.mark) << ended.text;
        return static_cast<int>(station_->server->statements.size());
    }

    // After a service that is just started has recovered.
    void expect_old_or_new(const std::string& where, const Ended* ended) {
        station_->disconnect();
        station_->begin();
        const Ended recovered = station_->recover();
        EXPECT_EQ(recovered.status, STSYNC_OK) << where << recovered.text;
        if (GetParam().is_absent && databases().empty()) {
            EXPECT_TRUE(ended == nullptr || !ended->mark) << where;
            EXPECT_TRUE(data_files().empty()) << where;
            EXPECT_TRUE(station_->open_intents().empty()) << where;
        } else {
            const std::string note = standing("plant") == "none" ? "none" : note_in("plant");
            EXPECT_TRUE(note == "old" || note == "fresh") << where << note;
            expect_whole("plant", note, where);
            // Where the server would not tell, so that one warning had to do, the label of the
            // package in the history of restores still does.
            const sdk::Mark mark = station_->mark_of("plant");
            const sdk::Mark wanted = sql::mark_of(note == "old" ? old_.content : fresh_.content);
            EXPECT_TRUE(mark == wanted || could_not_be_noted()) << where;
            if (mark != wanted)
                station_->know("plant", note == "old" ? old_.content : fresh_.content,
                               sql::Origin::backup);
            if (ended != nullptr && ended->mark) {
                EXPECT_EQ(note, "fresh") << where;
            }
        }
        EXPECT_TRUE(std::filesystem::is_empty(server_folder() / "backup")) << where;
    }

    bool could_not_be_noted() const {
        for (const LogLine& line : station_->host.log())
            if (line.text.find("could not be noted") != std::string::npos)
                return true;
        return false;
    }

    bool is_ready_ = false;
    std::uint8_t next_id_ = 1;
};

INSTANTIATE_TEST_SUITE_P(Ways, SqlServerApplyBroken,
                         ::testing::Values(Way{"SideBySide", sql::RestoreMode::side_by_side, false},
                                           Way{"InPlace", sql::RestoreMode::in_place, false},
                                           Way{"Absent", sql::RestoreMode::side_by_side, true}),
                         [](const auto& way) { return way.param.name; });

// 23
TEST_P(SqlServerApplyBroken, AnyStatementRefused) {
    const int count = statements();
    for (int number = 1; number <= count; ++number) {
        renew();
        std::string text;
        station_->server->refuses = [&](int at, const std::string& statement) {
            if (at == number)
                text = statement;
            return at == number;
        };
        const Ended ended = station_->apply("plant", fresh_, expected(), next_id_++);
        EXPECT_TRUE(ended.mark || !ended.text.empty());
        expect_old_or_new(std::to_string(number) + ": " + text + ' ', &ended);
    }
}

// 23
TEST_P(SqlServerApplyBroken, AnyStatementRefusedForever) {
    const int count = statements();
    for (int number = 1; number <= count; ++number) {
        renew();
        std::string text;
        station_->server->refuses = [&](int at, const std::string& statement) {
            if (at == number)
                text = statement;
            return at >= number && statement == text;
        };
        const Ended ended = station_->apply("plant", fresh_, expected(), next_id_++);
        EXPECT_TRUE(ended.mark || !ended.text.empty());
        expect_old_or_new(std::to_string(number) + ": " + text + ' ', &ended);
    }
}

// 23
TEST_P(SqlServerApplyBroken, TheConnectionLostBeforeAnyStatement) {
    const int count = statements();
    for (int number = 1; number <= count; ++number) {
        renew();
        station_->server->before = [&](int at, const std::string&) {
            if (at == number)
                stand_in_->tell(R"("do":"drop_connections")");
        };
        station_->disconnect();
        const Ended ended = station_->apply("plant", fresh_, expected(), next_id_++);
        expect_old_or_new("before " + std::to_string(number) + ' ', &ended);
    }
}

// 23
TEST_P(SqlServerApplyBroken, TheAnswerOfAnyStatementLost) {
    const int count = statements();
    for (int number = 1; number <= count; ++number) {
        renew();
        station_->server->loses_answer = [&](int at, const std::string&) { return at == number; };
        const Ended ended = station_->apply("plant", fresh_, expected(), next_id_++);
        expect_old_or_new("answer " + std::to_string(number) + ' ', &ended);
    }
}

// 24 and 17
TEST_P(SqlServerApplyBroken, TheProcessKilledBeforeAndAfterAnyStatement) {
    const int count = statements();
    int killed = 0;
    for (int step = 2; step <= 2 * count + 1; ++step) {
        renew();
        station_->disconnect();
        const ::pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            ::setenv("STATIONSYNC_TEST_FOLDER", folder_.path().c_str(), 1);
            ::setenv("STATIONSYNC_TEST_PORT", std::to_string(stand_in_->port()).c_str(), 1);
            ::setenv("STATIONSYNC_MODE", std::to_string(static_cast<int>(GetParam().mode)).c_str(),
                     1);
            ::setenv(step % 2 == 0 ? "STATIONSYNC_KILL_BEFORE" : "STATIONSYNC_KILL_AFTER",
                     std::to_string(step / 2).c_str(), 1);
            ::setenv("STATIONSYNC_TEST_ID", std::to_string(next_id_).c_str(), 1);
            ::setenv("STATIONSYNC_TEST_PACKAGE", fresh_.file.c_str(), 1);
            ::setenv("STATIONSYNC_TEST_EXPECTED",
                     GetParam().is_absent ? "" : to_text(old_.content).c_str(), 1);
            ::execl(
                "/proc/self/exe", "component_sqlserver_apply", "--gtest_also_run_disabled_tests",
                "--gtest_filter=SqlServerApplyChild.DISABLED_Apply", "--gtest_brief=1", nullptr);
            ::_exit(1);
        }
        ++next_id_;
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? 1 : 0;
        expect_old_or_new("killed at " + std::to_string(step) + ' ', nullptr);
        stand_in_->tell(R"("do":"allow_attentions","count":1000)");
    }
    EXPECT_GE(killed, 2 * count - 4);
}

} // namespace
} // namespace stationsync::test
