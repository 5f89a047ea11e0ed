// The marker of a root: nothing is read or written in a folder that is not the right one.
#include "component/filesync/filesync_fixture.hpp"

namespace stationsync::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* marker = ".stationsync-root";

TEST(FilesyncRoot, FirstEnableWritesTheMarker) {
    Station station;
    station.start();
    EXPECT_NE(station.read(marker).find("instance = instance-a\n"), std::string::npos);
    EXPECT_TRUE(station.litter().empty());
    // And later starts find it.
    station.start();
    EXPECT_EQ(station.provider().scan().status, STSYNC_OK);
}

TEST(FilesyncRoot, AMissingMarkerIsAFaultWithTheRemedy) {
    Station station;
    station.start();
    station.write("a", "x");
    const auto package = station.make_package("new");
    fs::remove(station.root() / marker);

    // Also by the instance that was allowed to write it once.
    const auto is_refused = [](const Outcome& outcome) {
        EXPECT_EQ(outcome.status, STSYNC_DENIED);
        EXPECT_NE(outcome.text.find("stationsync provider accept-root recipes"), std::string::npos)
            << outcome.text;
    };
    is_refused(station.provider().scan());
    is_refused(station.provider().export_object("a", station.package("p")));
    is_refused(station.provider().apply("a", package, sdk::mark_of_bytes("x")));
    is_refused(station.provider().recover());
    EXPECT_EQ(station.read("a"), "x");
    EXPECT_FALSE(fs::exists(station.package("p")));
    EXPECT_FALSE(station.has(marker));
}

TEST(FilesyncRoot, AForeignMarkerIsAFaultAlsoAtFirstEnable) {
    Station station;
    station.write(marker, "instance = somebody-else\n");
    EXPECT_EQ(station.create().recover().status, STSYNC_DENIED);
    EXPECT_EQ(station.read(marker), "instance = somebody-else\n");
    EXPECT_EQ(station.provider().scan().status, STSYNC_DENIED);
}

TEST(FilesyncRoot, AnAcceptedRootGetsTheMarkerOfThisInstance) {
    Station station;
    station.write(marker, "instance = somebody-else\n");
    station.host.config["@first_enable"] = {"0"};
    station.host.config["@accept_root"] = {"1"};
    station.start();
    EXPECT_NE(station.read(marker).find("instance = instance-a\n"), std::string::npos);
    EXPECT_EQ(station.provider().scan().status, STSYNC_OK);
}

TEST(FilesyncRoot, AnUnmountedFolderIsAFaultAndAbsenceOfNothing) {
    Station station;
    station.start();
    station.write("a", "x");
    fs::rename(station.root(), station.folder() / "elsewhere");
    const auto missing = station.provider().scan();
    EXPECT_EQ(missing.status, STSYNC_DENIED);
    EXPECT_NE(missing.text.find("does not exist"), std::string::npos);
    // The empty mount point.
    fs::create_directory(station.root());
    EXPECT_EQ(station.provider().scan().status, STSYNC_DENIED);
    EXPECT_TRUE(fs::is_empty(station.root()));
    fs::remove(station.root());
    fs::rename(station.folder() / "elsewhere", station.root());
    EXPECT_EQ(station.provider().scan().objects.size(), 1u);
}

TEST(FilesyncRoot, RecoverRemovesItsOwnTemporaryFilesOnly) {
    Station station;
    station.start();
    // What this instance names its files is seen while it writes one.
    FakeOp op;
    std::string name;
    op.at_commit([&] { name = fs::path(station.litter().at(0)).filename().string(); });
    station.provider().apply(op, "a", station.make_package("x"), sdk::Mark());
    ASSERT_FALSE(name.empty());
    station.write(name, "left behind");
    station.write("sub/" + name, "left behind");
    station.write(".~stsync-ffffffff-0123456789abcdef", "of another instance");
    station.start();
    EXPECT_EQ(station.litter().size(), 1u);
    EXPECT_TRUE(station.has(".~stsync-ffffffff-0123456789abcdef"));
}

TEST(FilesyncRoot, SettingsThatAreWrongAreRefusedWithTheSettingNamed) {
    static const FakeLibrary library(STATIONSYNC_FILESYNC_PLUGIN);
    const auto created = [&](const char* key, const char* value) {
        Station station;
        station.host.config[key] = {value};
        return FakeProvider(library, station.host).created();
    };
    EXPECT_EQ(created("root", "relative/folder").status, STSYNC_INVALID_ARG);
    EXPECT_NE(created("root", "relative/folder").text.find("\"root\""), std::string::npos);
    EXPECT_NE(created("include", "a\\b").text.find("\"include\""), std::string::npos);
    EXPECT_NE(created("exclude", "").text.find("\"exclude\""), std::string::npos);
}

TEST(FilesyncRoot, SelfTestNamesTheRemedy) {
    Station station;
    station.start();
    auto findings = station.provider().self_test().findings;
    ASSERT_EQ(findings.size(), 1u);
    EXPECT_EQ(findings[0].severity, std::uint32_t{STSYNC_FINDING_OK});
    fs::remove(station.root() / marker);
    findings = station.provider().self_test().findings;
    EXPECT_EQ(findings.at(0).severity, std::uint32_t{STSYNC_FINDING_ERROR});
    EXPECT_NE(findings.at(0).remedy.find("accept-root recipes"), std::string::npos);
}

} // namespace
} // namespace stationsync::test
