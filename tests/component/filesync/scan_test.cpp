// What a scan of a tree reports.
#include "component/filesync/filesync_fixture.hpp"

#include <sys/stat.h>
#include <unistd.h>

namespace stationsync::test {
namespace {

namespace fs = std::filesystem;

class FilesyncScan : public testing::Test {
protected:
    FilesyncScan() { station_.start(); }
    Station station_;
};

TEST_F(FilesyncScan, EachFileIsAnObjectWithItsContentAsMark) {
    station_.write("a.rcp", "one");
    station_.write("sub/deep/b.rcp", "two");
    station_.write("empty.txt", "");
    Station::set_modified(station_.root() / "a.rcp", 1500000000);
    const auto scan = station_.provider().scan();
    ASSERT_EQ(scan.status, STSYNC_OK) << scan.text;
    EXPECT_EQ(scan.duplicates, 0u);
    ASSERT_EQ(scan.objects.size(), 3u);
    const sdk::Object& object = scan.objects.at("a.rcp");
    EXPECT_EQ(object.mark, sdk::mark_of_bytes("one"));
    EXPECT_EQ(object.content_digest, sdk::sha256("one"));
    EXPECT_EQ(object.byte_count, 3u);
    EXPECT_EQ(object.changed_at, 1500000000000000);
    EXPECT_EQ(object.changed_not_before, STSYNC_TIME_NONE);
    EXPECT_EQ(object.flags, 0u);
    EXPECT_EQ(scan.objects.at("empty.txt").byte_count, 0u);
    EXPECT_EQ(scan.objects.count("sub/deep/b.rcp"), 1u);
    EXPECT_TRUE(scan.faults.empty());
}

TEST_F(FilesyncScan, AChangeOfTimeAloneKeepsTheMark) {
    station_.write("a", "same");
    const auto before = station_.mark("a");
    Station::set_modified(station_.root() / "a", 1234567890);
    EXPECT_EQ(station_.mark("a"), before);
}

TEST_F(FilesyncScan, AChangeOfContentWithSizeAndTimeKeptIsSeen) {
    station_.write("a", "old!");
    Station::set_modified(station_.root() / "a", 1234567890);
    const auto before = station_.provider().scan().objects.at("a").mark;
    for (int edit = 0; edit < 20; ++edit) {
        station_.write("a", "new" + std::to_string(edit % 10));
        Station::set_modified(station_.root() / "a", 1234567890);
        const auto after = station_.provider().scan().objects.at("a").mark;
        EXPECT_NE(after, before);
        EXPECT_EQ(after, sdk::mark_of_bytes("new" + std::to_string(edit % 10)));
    }
}

TEST_F(FilesyncScan, EditsWithinOneTickOfTheClockAreSeen) {
    for (int edit = 0; edit < 500; ++edit) {
        const std::string content = "edit " + std::to_string(1000 + edit);
        station_.write("a", content);
        ASSERT_EQ(station_.mark("a"), sdk::mark_of_bytes(content));
    }
}

TEST_F(FilesyncScan, NamesInUnicodeAreKeptAsTheyAre) {
    const std::vector<std::string> names = {
        "Öl.rcp", "配方/第一.xml", "рецепт.txt", "😀.txt", "e\xCC\x81.txt", "a b (c) [d].txt", "ß"};
    for (const std::string& name : names)
        station_.write(name, name);
    const auto scan = station_.provider().scan();
    EXPECT_EQ(scan.objects.size(), names.size());
    for (const std::string& name : names)
        EXPECT_EQ(scan.objects.count(name), 1u) << name;
}

TEST_F(FilesyncScan, SymbolicLinksAreNamedAndNotFollowed) {
    station_.write("real/a", "x");
    fs::create_symlink(station_.root() / "real/a", station_.root() / "link");
    fs::create_directory_symlink(station_.root() / "real", station_.root() / "linked");
    fs::create_symlink("/etc/passwd", station_.root() / "outside");
    const auto scan = station_.provider().scan();
    EXPECT_EQ(scan.objects.size(), 1u);
    for (const char* key : {"link", "linked", "outside"}) {
        ASSERT_EQ(scan.faults.count(key), 1u) << key;
        EXPECT_EQ(scan.faults.at(key).code, STSYNC_UNSUPPORTED);
        EXPECT_NE(scan.faults.at(key).text.find("symbolic link"), std::string::npos);
    }
    const auto below = station_.provider().scan_keys({"linked/a"});
    EXPECT_TRUE(below.objects.empty());
    EXPECT_EQ(below.faults.count("linked/a"), 1u);
    EXPECT_EQ(station_.provider().export_object("link", station_.package()).status,
              STSYNC_UNSUPPORTED);
}

TEST_F(FilesyncScan, PipesAreNamedAndDoNotHoldTheScan) {
    ASSERT_EQ(::mkfifo((station_.root() / "pipe").c_str(), 0600), 0);
    const auto scan = station_.provider().scan();
    EXPECT_TRUE(scan.objects.empty());
    EXPECT_EQ(scan.faults.at("pipe").code, STSYNC_UNSUPPORTED);
    EXPECT_NE(station_.provider().export_object("pipe", station_.package()).status, STSYNC_OK);
}

TEST_F(FilesyncScan, TwinsInCaseAreBothRefusedWithAMessage) {
    station_.write("Recipe.rcp", "1");
    station_.write("recipe.RCP", "2");
    station_.write("ÄPFEL", "1");
    station_.write("äpfel", "2");
    station_.write("Sub/a", "1");
    station_.write("sub/b", "2");
    station_.write("other", "3");
    const auto scan = station_.provider().scan();
    EXPECT_EQ(scan.objects.size(), 1u);
    for (const char* key : {"Recipe.rcp", "recipe.RCP", "ÄPFEL", "äpfel", "Sub/", "sub/"})
        EXPECT_EQ(scan.faults.count(key), 1u) << key;
    EXPECT_TRUE(scan.faults.at("Sub/").is_subtree);
    const auto keys = station_.provider().scan_keys({"Recipe.rcp", "other"});
    EXPECT_EQ(keys.objects.size(), 1u);
    EXPECT_EQ(keys.faults.count("Recipe.rcp"), 1u);
}

TEST_F(FilesyncScan, NamesThatOtherSystemsCannotHoldAreToldAndTheOthersGoOn) {
    station_.write("good", "x");
    for (const char* name : {"con.txt", "a:b", "back\\slash", "dot.", "line\nbreak"})
        station_.write(name, "x");
    station_.write("nul/inside", "x");
    const auto scan = station_.provider().scan();
    EXPECT_EQ(scan.objects.size(), 1u);
    for (const char* key : {"con.txt", "a:b", "back\\slash", "dot.", "line\nbreak", "nul/"}) {
        ASSERT_EQ(scan.faults.count(key), 1u) << key;
        EXPECT_NE(scan.faults.at(key).text.find("Rename it"), std::string::npos);
    }
    EXPECT_TRUE(scan.faults.at("nul/").is_subtree);
}

TEST_F(FilesyncScan, NamesThatAreNoTextAreLoggedOnce) {
    station_.write("good", "x");
    station_.write("\xff\xfe", "x");
    for (int round = 0; round < 2; ++round) {
        EXPECT_EQ(station_.provider().scan().objects.size(), 1u);
        EXPECT_EQ(station_.host.count_log("filesync.name"), 1u);
    }
    EXPECT_TRUE(sdk::is_valid_utf8(station_.host.log().at(0).text));
}

TEST_F(FilesyncScan, MarkerAndTemporaryFilesAreNoObjects) {
    station_.write(".~stsync-0123456789abcdef", "x");
    station_.write("sub/.~stsync-x", "x");
    ASSERT_TRUE(station_.has(".stationsync-root"));
    EXPECT_TRUE(station_.provider().scan().objects.empty());
    EXPECT_TRUE(station_.provider().scan_keys({".stationsync-root"}).objects.empty());
}

TEST_F(FilesyncScan, PatternsSayWhatBelongs) {
    station_.host.config["include"] = {"*.rcp", "reports/**"};
    station_.host.config["exclude"] = {"old/", "*.tmp.rcp"};
    station_.start();
    for (const char* key : {"a.rcp", "A.RCP2", "sub/b.RCP", "c.txt", "reports/x/y.pdf", "old/d.rcp",
                            "sub/old/e.rcp", "f.tmp.rcp"})
        station_.write(key, key);
    const auto scan = station_.provider().scan();
    EXPECT_EQ(scan.objects.size(), 3u);
    for (const char* key : {"a.rcp", "sub/b.RCP", "reports/x/y.pdf"})
        EXPECT_EQ(scan.objects.count(key), 1u) << key;
    EXPECT_EQ(station_.provider().scan_keys({"c.txt", "a.rcp"}).objects.size(), 1u);
}

TEST_F(FilesyncScan, AFileBeingWrittenIsBusyAndTheOthersGoOn) {
    station_.write("big", std::string(1 << 20, 'x'));
    station_.write("other", "x");
    FakeOp op;
    bool appended = false;
    // Asked between the blocks of the large file; the scan asks once per folder before.
    for (std::uint64_t poll = 2; poll < 6; ++poll)
        op.at_poll(poll, [&] {
            std::ofstream(station_.root() / "big", std::ios::app) << "more";
            appended = true;
        });
    const auto scan = station_.provider().scan(op);
    ASSERT_TRUE(appended);
    EXPECT_EQ(scan.status, STSYNC_OK);
    EXPECT_EQ(scan.objects.count("other"), 1u);
    ASSERT_EQ(scan.faults.count("big"), 1u);
    EXPECT_EQ(scan.faults.at("big").code, STSYNC_BUSY);
    EXPECT_GT(scan.faults.at("big").retry_after_ms, 0u);
    EXPECT_EQ(station_.provider().scan().objects.count("big"), 1u);
}

TEST_F(FilesyncScan, AnUnreadableFileOrFolderIsAFaultOfItsOwn) {
    station_.write("secret", "x");
    station_.write("other", "x");
    station_.write("closed/inside", "x");
    fs::permissions(station_.root() / "secret", fs::perms::none);
    fs::permissions(station_.root() / "closed", fs::perms::none);
    // Root reads everything; for the time of the scan this process is somebody else.
    constexpr uid_t nobody = 65534;
    const bool is_root = ::geteuid() == 0;
    if (is_root) {
        ASSERT_EQ(::seteuid(nobody), 0);
    }
    const auto scan = station_.provider().scan();
    if (is_root) {
        ASSERT_EQ(::seteuid(0), 0);
    }
    fs::permissions(station_.root() / "closed", fs::perms::owner_all);
    EXPECT_EQ(scan.status, STSYNC_OK);
    ASSERT_EQ(scan.faults.count("secret"), 1u);
    EXPECT_EQ(scan.faults.at("secret").code, STSYNC_DENIED);
    ASSERT_EQ(scan.faults.count("closed/"), 1u);
    EXPECT_TRUE(scan.faults.at("closed/").is_subtree);
    EXPECT_EQ(scan.objects.size(), 1u);
}

TEST_F(FilesyncScan, AFileReplacedByAFolderIsToldForThatKey) {
    station_.write("thing/inside", "x");
    const auto scan = station_.provider().scan_keys({"thing", "thing/inside", "absent"});
    EXPECT_EQ(scan.objects.size(), 1u);
    EXPECT_EQ(scan.faults.at("thing").code, STSYNC_UNSUPPORTED);
    EXPECT_EQ(scan.faults.count("absent"), 0u);
}

TEST_F(FilesyncScan, CancelEndsAScanOfOneLargeFile) {
    station_.write("big", std::string(4 << 20, 'x'));
    FakeOp op;
    op.cancel_at_poll(4);
    EXPECT_EQ(station_.provider().scan(op).status, STSYNC_CANCELLED);
}

} // namespace
} // namespace stationsync::test
