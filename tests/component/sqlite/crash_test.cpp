// Killed at every named point: old or new afterwards, never else, and no litter.
#include "component/sqlite/plugin_test.hpp"

#include <cstdlib>

namespace stationsync::test {
namespace {

namespace fs = std::filesystem;

// The registry: every point that the sources of the plugin name.
std::set<std::string> points_of_sources() {
    constexpr std::string_view named = "STSYNC_FAULT_POINT(\"";
    std::set<std::string> points;
    for (const auto& entry : fs::directory_iterator(STATIONSYNC_SQLITE_SOURCES)) {
        const std::string text = read_file(entry.path());
        for (std::size_t at = text.find(named); at != std::string::npos;
             at = text.find(named, at + 1)) {
            const std::size_t begin = at + named.size();
            points.insert(text.substr(begin, text.find('"', begin) - begin));
        }
    }
    return points;
}

class CrashSqlite : public SqlitePlugin {
protected:
    // Runs apply_program; the answer is its exit status, or minus the signal that ended it.
    int run(const std::string& verb, const fs::path& package, const std::string& fault = "") {
        return in_child([&] {
            ::setenv("STATIONSYNC_FAULT_POINT", fault.c_str(), 1);
            ::setenv("STATIONSYNC_FAULT_TRACE", (folder_ / "trace").c_str(), 1);
            ::execl(STATIONSYNC_APPLY_PROGRAM, "apply_program", (folder_ / "b").c_str(),
                    verb.c_str(), "r.db", package.c_str(), nullptr);
            return 127;
        });
    }

    std::set<std::string> reached() const {
        std::set<std::string> points;
        std::ifstream trace(folder_ / "trace");
        for (std::string line; std::getline(trace, line);)
            points.insert(line);
        return points;
    }

    void remove_database() {
        for (const char* suffix : {"", "-wal", "-shm", "-journal"})
            fs::remove(b_.path("r.db" + std::string(suffix)));
    }

    // After a kill: what is there is sound, nothing lies about, and the apply can be repeated.
    void expect_old_or_new(const std::string& point, const std::string& old_note,
                           const fs::path& package) {
        b_.start();
        EXPECT_EQ(b_.plugin().recover().status, STSYNC_OK) << point;
        const ScanOutcome scanned = b_.plugin().scan();
        EXPECT_TRUE(scanned.faults.empty()) << point;
        sdk::Mark present;
        if (const auto at = scanned.objects.find("r.db"); at != scanned.objects.end()) {
            present = at->second.mark;
            const std::string note = b_.sql("r.db", note_of_first);
            EXPECT_TRUE(note == old_note || note == "new") << point << ' ' << note;
            EXPECT_EQ(b_.sql("r.db", "SELECT count(DISTINCT note) FROM recipe"), "1") << point;
            EXPECT_EQ(b_.sql("r.db", "PRAGMA integrity_check"), "ok") << point;
        } else {
            EXPECT_EQ(old_note, "") << point;
        }
        const ApplyOutcome again = b_.plugin().apply("r.db", package, present, ++apply_id_);
        EXPECT_EQ(again.status, STSYNC_OK) << point << again.text;
        EXPECT_EQ(b_.sql("r.db", note_of_first), "new") << point;
        for (const std::string& name : b_.names())
            EXPECT_TRUE(name == "r.db" || name == "r.db-wal" || name == "r.db-shm" ||
                        (name == "r.db-journal" && point.ends_with("PERSIST")))
                << point << " left " << name;
    }

    std::uint8_t apply_id_ = 1; // apply_program uses 1
};

TEST_F(CrashSqlite, EveryPointIsSurvived) {
    const std::set<std::string> points = points_of_sources();
    ASSERT_GE(points.size(), 6u);
    const fs::path package = package_with("new", 20000);
    for (const std::string& point : points) {
        for (const std::string mode : {"DELETE", "WAL", "PERSIST", ""}) {
            remove_database();
            const bool is_export = point.starts_with("sqlite.export");
            const std::string old_note = mode.empty() && !is_export ? "" : "old";
            if (!old_note.empty())
                b_.sql("r.db", recipes(9000, mode.empty() ? "DELETE" : mode, "old"));
            std::optional<OtherProgram> keeps_it_open;
            if (!old_note.empty()) {
                keeps_it_open.emplace(b_.path("r.db"));
                keeps_it_open->sql("PRAGMA journal_mode=" + mode);
                EXPECT_EQ(keeps_it_open->sql(note_of_first), "ok old");
            }
            const fs::path target = is_export ? folder_ / "exported" : package;
            const int ended = run(is_export ? "export" : "apply", target, point);
            if (ended != -SIGKILL)
                continue; // this way does not lead past the point
            if (is_export)
                fs::remove(target); // as the host does with what it did not ask for
            if (keeps_it_open) {
                // No restart of the service is needed for others to see a sound state.
                const std::string note = keeps_it_open->sql(note_of_first);
                EXPECT_TRUE(note == "ok old" || note == "ok new") << point << mode << note;
            }
            expect_old_or_new(point + ' ' + mode, old_note, package);
        }
    }
    const std::set<std::string> passed = reached();
    for (const std::string& point : points)
        EXPECT_TRUE(passed.count(point) != 0) << point << " was reached by no run";
}

TEST_F(CrashSqlite, EveryBlockOfACopyIsSurvived) {
    const fs::path package = package_with("new", 20000);
    for (const char* mode : {"DELETE", "WAL"}) {
        int killed = 0;
        for (int count = 1;; ++count) {
            remove_database();
            b_.sql("r.db", recipes(9000, mode, "old"));
            const std::string fault = "sqlite.apply.copying:" + std::to_string(count);
            const int ended = run("apply", package, fault);
            if (ended != -SIGKILL) {
                EXPECT_EQ(ended, 0);
                break;
            }
            ++killed;
            expect_old_or_new(fault + mode, "old", package);
        }
        EXPECT_GE(killed, 4) << mode;
    }
}

} // namespace
} // namespace stationsync::test
