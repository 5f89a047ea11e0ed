// How long other programs wait while a large database is replaced in place, and what each call of
// the plugin costs. Prints figures; proves nothing.
//
//   sqlite_lockout [MIB [FOLDER [PERCENT]]]   default: 1024 MiB in the temporary folder, 1 %
//   changed
#include "component/sqlite/plugin_test.hpp"

#include <chrono>
#include <cstdio>
#include <thread>

namespace {

using namespace stationsync::test;
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

template <class Body>
double seconds(Body&& body) {
    const auto begun = Clock::now();
    body();
    return std::chrono::duration<double>(Clock::now() - begun).count();
}

long peak_resident_mib() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("VmHWM:"))
            return std::stol(line.substr(6)) / 1024;
    return 0;
}

void require(const Outcome& outcome, const char* what) {
    if (outcome.status == STSYNC_OK)
        return;
    std::fprintf(stderr, "%s: %s\n", what, outcome.text.c_str());
    std::exit(1);
}

// Rows of about 1 KiB that do not compress.
void make_database(const fs::path& path, long mib, const std::string& mode) {
    Database database(path);
    database.run("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
                 "CREATE TABLE batch(id INTEGER PRIMARY KEY, name TEXT, body BLOB);"
                 "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<" +
                 std::to_string(mib * 1000) +
                 ") INSERT INTO batch SELECT i, 'batch ' || i, randomblob(1000) FROM n");
    database.run("PRAGMA journal_mode=" + mode);
}

void measure(const fs::path& folder, long mib, const std::string& mode, double percent) {
    const fs::path place = folder / mode;
    SqliteStation station(place);
    make_database(station.path("r.db"), mib, mode);
    FakeProvider& plugin = station.plugin();
    std::printf("%s, %ld MiB, %.1f %% of the rows changed\n", mode.c_str(), mib, percent);

    ScanOutcome scanned;
    std::printf("  scan that reads     %6.2f s\n", seconds([&] { scanned = plugin.scan(); }));
    std::printf("  scan without change %6.4f s\n", seconds([&] { scanned = plugin.scan(); }));
    const auto old_mark = scanned.objects.at("r.db").mark;
    const fs::path package = folder / "package";
    ExportOutcome exported;
    std::printf("  export              %6.2f s\n",
                seconds([&] { exported = plugin.export_object("r.db", package); }));
    require(exported, "export");
    run_sql(package,
            "PRAGMA synchronous=OFF; UPDATE batch SET body = randomblob(1000) WHERE id % " +
                std::to_string(static_cast<long>(100 / percent)) + " = 0");
    VerifyOutcome verified;
    std::printf("  verify              %6.2f s\n",
                seconds([&] { verified = plugin.verify("r.db", package); }));
    require(verified, "verify");

    OtherProgram reader(station.path("r.db"));
    OtherProgram writer(station.path("r.db"));
    reader.sql("SELECT 1 FROM batch WHERE id = 7");
    reader.send("count SELECT length(body) FROM batch WHERE id = 7");
    writer.send("count BEGIN IMMEDIATE; ROLLBACK");
    ApplyOutcome applied;
    std::printf("  apply               %6.2f s\n",
                seconds([&] { applied = plugin.apply("r.db", package, old_mark); }));
    require(applied, "apply");
    // ok, rounds, times that a patience of 2 s was exhausted, longest wait in ms
    std::printf("  reader (rounds, busy after 2 s, longest wait in ms): %s\n",
                reader.tell("release").c_str());
    std::printf("  writer (rounds, busy after 2 s, longest wait in ms): %s\n",
                writer.tell("release").c_str());
    std::printf("  peak resident memory of this process: %ld MiB\n", peak_resident_mib());
    static_cast<void>(std::fflush(stdout));
    fs::remove(package);
}

} // namespace

int main(int count, char** arguments) {
    const long mib = count > 1 ? std::stol(arguments[1]) : 1024;
    const TempFolder folder(count > 2 ? fs::path(arguments[2]) : fs::temp_directory_path());
    const double percent = count > 3 ? std::stod(arguments[3]) : 1.0;
    for (const char* mode : {"DELETE", "WAL"})
        measure(folder.path(), mib, mode, percent);
}
