// Export, verify, and the way of a file from one station to another.
#include "component/filesync/filesync_fixture.hpp"

#include <thread>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stationsync::test {
namespace {

namespace fs = std::filesystem;

TEST(FilesyncTransfer, ContentAndModificationTimeTravel) {
    Station a;
    Station b("instance-b");
    a.start();
    b.start();
    a.write("sub/x.rcp", "content");
    const timespec times[2] = {{0, UTIME_OMIT}, {1111111111, 123456789}};
    ASSERT_EQ(::utimensat(AT_FDCWD, (a.root() / "sub/x.rcp").c_str(), times, 0), 0);

    const auto exported = a.provider().export_object("sub/x.rcp", a.package());
    ASSERT_EQ(exported.status, STSYNC_OK) << exported.text;
    EXPECT_EQ(exported.mark, a.mark("sub/x.rcp"));
    EXPECT_EQ(exported.digest, sdk::sha256("content"));
    EXPECT_EQ(exported.byte_count, 7u);
    // In steps of 100 ns.
    EXPECT_EQ(Station::modified_ns(a.package()), 1111111111123456700);
    EXPECT_EQ(b.provider().verify("sub/x.rcp", a.package()).digest, exported.digest);

    const auto applied = b.provider().apply("sub/x.rcp", a.package(), sdk::Mark());
    ASSERT_EQ(applied.status, STSYNC_OK) << applied.text;
    EXPECT_EQ(b.read("sub/x.rcp"), "content");
    EXPECT_EQ(Station::modified_ns(b.root() / "sub/x.rcp"), 1111111111123456700);
    // No echo: the mark that apply returned is what a scan reports.
    const auto scan = b.provider().scan();
    EXPECT_EQ(scan.objects.at("sub/x.rcp").mark, applied.mark);
    EXPECT_EQ(scan.objects.at("sub/x.rcp").changed_at, applied.changed_at);
}

TEST(FilesyncTransfer, ExportingAStateTwiceGivesTheSamePackage) {
    Station a;
    a.start();
    a.write("x", "content");
    ASSERT_EQ(a.provider().export_object("x", a.package("1")).status, STSYNC_OK);
    ASSERT_EQ(a.provider().export_object("x", a.package("2")).status, STSYNC_OK);
    EXPECT_EQ(read_file(a.package("1")), read_file(a.package("2")));
    EXPECT_EQ(Station::modified_ns(a.package("1")), Station::modified_ns(a.package("2")));
}

TEST(FilesyncTransfer, EmptyFilesTravel) {
    Station a;
    a.start();
    a.write("empty", "");
    const auto exported = a.provider().export_object("empty", a.package());
    ASSERT_EQ(exported.status, STSYNC_OK);
    EXPECT_EQ(exported.digest, sdk::sha256(""));
    ASSERT_EQ(a.provider().apply("copy", a.package(), sdk::Mark()).status, STSYNC_OK);
    EXPECT_EQ(fs::file_size(a.root() / "copy"), 0u);
}

TEST(FilesyncTransfer, TimesBefore1970Travel) {
    Station a;
    a.start();
    a.write("old", "x");
    Station::set_modified(a.root() / "old", -86400);
    EXPECT_EQ(a.provider().scan().objects.at("old").changed_at, -86400000000);
    ASSERT_EQ(a.provider().export_object("old", a.package()).status, STSYNC_OK);
    ASSERT_EQ(a.provider().apply("copy", a.package(), sdk::Mark()).status, STSYNC_OK);
    EXPECT_EQ(Station::modified_ns(a.root() / "copy"), -86400000000000);
}

TEST(FilesyncTransfer, AFileThatIsWrittenDuringExportIsBusyAndLeavesNoPackage) {
    Station a;
    a.start();
    a.write("big", std::string(1 << 20, 'x'));
    FakeOp op;
    op.at_poll(2, [&] { std::ofstream(a.root() / "big", std::ios::app) << "more"; });
    const auto exported = a.provider().export_object(op, "big", a.package());
    if (op.polls() < 2)
        GTEST_SKIP() << "this file system clones files in one step";
    EXPECT_EQ(exported.status, STSYNC_BUSY);
    EXPECT_FALSE(fs::exists(a.package()));
}

TEST(FilesyncTransfer, CancelledExportLeavesNoPackage) {
    Station a;
    a.start();
    a.write("big", std::string(4 << 20, 'x'));
    FakeOp op;
    op.cancel_at_poll(2);
    EXPECT_EQ(a.provider().export_object(op, "big", a.package()).status, STSYNC_CANCELLED);
    EXPECT_FALSE(fs::exists(a.package()));
}

TEST(FilesyncTransfer, AnAbsentFileIsNotFound) {
    Station a;
    a.start();
    EXPECT_EQ(a.provider().export_object("nothing", a.package()).status, STSYNC_NOT_FOUND);
    EXPECT_EQ(a.provider().export_object("no/thing", a.package()).status, STSYNC_NOT_FOUND);
}

// As many calls at a time as the plugin says, never two for one key; run under TSan as well.
TEST(FilesyncTransfer, CallsForDifferentKeysRunAtTheSameTime) {
    Station a;
    a.start();
    Hints hints;
    ASSERT_EQ(a.provider().start_watch(hints).status, STSYNC_OK);
    constexpr int rounds = 40;
    const auto work = [&](int worker) {
        const std::string key = "folder/file " + std::to_string(worker);
        const fs::path package = a.package("package" + std::to_string(worker));
        const fs::path exported = a.package("exported" + std::to_string(worker));
        sdk::Mark held;
        for (int round = 0; round < rounds; ++round) {
            const std::string content = key + std::to_string(round);
            write_file(package, content);
            const auto applied = a.provider().apply(key, package, held);
            ASSERT_EQ(applied.status, STSYNC_OK) << applied.text;
            held = applied.mark;
            fs::remove(exported);
            ASSERT_EQ(a.provider().export_object(key, exported).mark, held);
            ASSERT_EQ(read_file(exported), content);
        }
    };
    std::vector<std::thread> workers;
    workers.reserve(3);
    for (int worker = 0; worker < 3; ++worker)
        workers.emplace_back(work, worker);
    for (int round = 0; round < rounds; ++round)
        ASSERT_EQ(a.provider().scan().status, STSYNC_OK);
    for (std::thread& worker : workers)
        worker.join();
    const auto scan = a.provider().scan();
    EXPECT_EQ(scan.objects.size(), 3u);
    EXPECT_TRUE(a.litter().empty());
    a.stop(); // before the hints go
}

// Offsets beyond 32 bits, without writing 4 GiB: only the ends of the file hold something.
TEST(FilesyncTransfer, AFileOfMoreThan4GiBTravelsAndStaysSparse) {
    Station a;
    a.start();
    const std::uint64_t size = (std::uint64_t{1} << 32) + 8193;
    a.write("huge", "begin");
    fs::resize_file(a.root() / "huge", size - 3);
    std::ofstream(a.root() / "huge", std::ios::app | std::ios::binary) << "end";

    const auto exported = a.provider().export_object("huge", a.package());
    ASSERT_EQ(exported.status, STSYNC_OK) << exported.text;
    EXPECT_EQ(exported.byte_count, size);
    const auto applied = a.provider().apply("copy", a.package(), sdk::Mark());
    ASSERT_EQ(applied.status, STSYNC_OK) << applied.text;
    EXPECT_EQ(applied.mark, exported.mark);
    ASSERT_EQ(fs::file_size(a.root() / "copy"), size);
    std::ifstream copy(a.root() / "copy", std::ios::binary);
    copy.seekg(static_cast<std::streamoff>(size - 4));
    std::string tail(4, '?');
    copy.read(tail.data(), 4);
    EXPECT_EQ(tail, std::string("\0end", 4));
    struct stat status {};
    ASSERT_EQ(::stat((a.root() / "copy").c_str(), &status), 0);
    EXPECT_LT(status.st_blocks * 512, 1 << 20);
}

} // namespace
} // namespace stationsync::test
