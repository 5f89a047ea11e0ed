// 20,000 files in 200 folders, and what a restart costs.
#include "component/filesync/filesync_fixture.hpp"

namespace stationsync::test {
namespace {

namespace fs = std::filesystem;

// The tree is made once for all cases, which only read it.
class FilesyncManyFiles : public testing::Test {
protected:
    static constexpr int folders = 200;
    static constexpr int files = 100;

    static void SetUpTestSuite() {
        shared_station = new Station();
        for (int folder = 0; folder < folders; ++folder)
            for (int file = 0; file < files; ++file) {
                shared_station->write(key(folder, file), text(file));
                Station::set_modified(shared_station->root() / key(folder, file), 1600000000);
            }
    }
    static void TearDownTestSuite() {
        delete shared_station;
        shared_station = nullptr;
    }
    static std::string key(int folder, int file) {
        return "folder " + std::to_string(folder) + "/Rezept ä " + std::to_string(file) + ".rcp";
    }
    static std::string text(int file) { return "content " + std::to_string(file); }

    static Station* shared_station;
    Station& station_ = *shared_station;
};

Station* FilesyncManyFiles::shared_station = nullptr;

TEST_F(FilesyncManyFiles, AllAreFoundWithTheirContent) {
    station_.start();
    const auto scan = station_.provider().scan();
    ASSERT_EQ(scan.status, STSYNC_OK) << scan.text;
    EXPECT_EQ(scan.objects.size(), 20000u);
    EXPECT_EQ(scan.duplicates, 0u);
    EXPECT_TRUE(scan.faults.empty());
    EXPECT_EQ(scan.objects.at(key(7, 42)).mark, sdk::mark_of_bytes(text(42)));
}

TEST_F(FilesyncManyFiles, AnUnchangedFileIsNotReadAgainEvenAfterARestart) {
    station_.start();
    ASSERT_EQ(station_.provider().scan().objects.size(), 20000u);
    station_.start(); // a new instance, from its cache file
    const auto reads = [&] {
        // Bytes that this process has read so far, as the kernel counts them.
        std::ifstream io("/proc/self/io");
        std::string name;
        std::uint64_t bytes = 0;
        io >> name >> bytes;
        return bytes;
    };
    const std::uint64_t before = reads();
    ASSERT_EQ(station_.provider().scan().objects.size(), 20000u);
    const std::uint64_t rescan = reads() - before;
    EXPECT_LT(rescan, 20000u); // the files hold 10 bytes each
    ASSERT_EQ(station_.provider().scan(STSYNC_SCAN_REREAD).objects.size(), 20000u);
    EXPECT_GE(reads() - before - rescan, 180000u);
}

TEST_F(FilesyncManyFiles, ADamagedCacheFileIsIgnored) {
    station_.start();
    ASSERT_EQ(station_.provider().scan().objects.size(), 20000u);
    station_.stop();
    const fs::path cache = station_.host.cache / "digests";
    std::string bytes = read_file(cache);
    ASSERT_GT(bytes.size(), 0u);
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    write_file(cache, bytes);
    station_.start();
    EXPECT_EQ(station_.provider().scan().objects.at(key(1, 2)).mark, sdk::mark_of_bytes(text(2)));
    station_.stop();
    fs::resize_file(cache, 7);
    station_.start();
    EXPECT_EQ(station_.provider().scan().objects.size(), 20000u);
}

} // namespace
} // namespace stationsync::test
