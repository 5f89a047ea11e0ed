// The disk of the database fills up. The test makes a small disk of its own in a mount namespace;
// where the system does not allow that, it says so.
#include "component/sqlite/plugin_test.hpp"

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

namespace stationsync::test {
namespace {

namespace fs = std::filesystem;

constexpr int no_namespace = 77;

bool mount_small_disk(const fs::path& where) {
    if (::unshare(CLONE_NEWNS) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
        return false;
    ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    return ::mount("tmpfs", where.c_str(), "tmpfs", 0, "size=16m") == 0;
}

// Leaves `left` bytes on the disk.
void fill(const fs::path& folder, std::uintmax_t left) {
    const auto available = fs::space(folder).available;
    if (available > left)
        write_file(folder / "filler", std::string(available - left, 'x'));
}

class DiskFull : public SqlitePlugin, public ::testing::WithParamInterface<const char*> {
protected:
    // 0, or the number of the expectation that failed.
    int apply_while_the_disk_fills(const fs::path& package, bool is_full_before) {
        const fs::path disk = folder_ / "disk";
        if (!mount_small_disk(disk))
            return no_namespace;
        SqliteStation station(disk);
        // The staging folder of the service is not what is tested.
        station.host().scratch = folder_ / "scratch";
        station.sql("r.db", recipes(6000, GetParam(), "old"));
        const sdk::Mark old = station.object("r.db").mark;
        OtherProgram user(station.path("r.db"));
        user.sql(note_of_first);

        FakeOp op;
        const auto fill_up = [&] { fill(disk, 100 << 10); };
        if (is_full_before)
            fill_up();
        else
            op.at_poll(polls_before_copy(station, package, old) + 2, fill_up);
        const ApplyOutcome refused = station.plugin().apply(op, "r.db", package, old, 2);
        if (refused.status != STSYNC_NO_SPACE || refused.text.empty())
            return 1;
        if (user.sql(note_of_first) != "ok old")
            return 2;
        if (station.object("r.db").mark != old)
            return 3;
        if (user.sql("PRAGMA integrity_check") != "ok ok")
            return 4;

        fs::remove(disk / "filler");
        const ApplyOutcome applied = station.plugin().apply("r.db", package, old, 3);
        if (applied.status != STSYNC_OK)
            return 5;
        return user.sql(note_of_first) == "ok new" ? 0 : 6;
    }

    // How often the plugin asks before it copies: an apply that conflicts gets no further.
    static std::uint64_t polls_before_copy(SqliteStation& station, const fs::path& package,
                                           const sdk::Mark&) {
        FakeOp op;
        station.plugin().verify("r.db", package);
        station.plugin().apply(op, "r.db", package, sdk::Mark("unexpected"), 1);
        return op.polls();
    }

    void expect_survived(bool is_full_before) {
        const fs::path package = package_with("new", 9000);
        fs::create_directories(folder_ / "disk");
        fs::create_directories(folder_ / "scratch");
        const int answer =
            in_child([&] { return apply_while_the_disk_fills(package, is_full_before); });
        if (answer == no_namespace)
            GTEST_SKIP() << "this system allows no mount namespace";
        EXPECT_EQ(answer, 0);
    }
};

INSTANTIATE_TEST_SUITE_P(JournalModes, DiskFull, ::testing::Values("DELETE", "WAL"));

TEST_P(DiskFull, IsFoundBeforeAnybodyIsLockedOut) {
    expect_survived(true);
}

TEST_P(DiskFull, KeepsTheOldContentWhenItHappensWhileCopying) {
    expect_survived(false);
}

} // namespace
} // namespace stationsync::test
