// The example of about 20 lines is a complete provider.
#include "support/fake_plugin.hpp"
#include "support/temp_folder.hpp"

#include <gtest/gtest.h>

namespace stationsync::test {
namespace {

class NotesExample : public testing::Test {
protected:
    NotesExample() {
        host_.config["root"] = {(folder_ / "root").string()};
        std::filesystem::create_directory(folder_ / "root");
    }

    TempFolder folder_;
    FakeHost host_;
    FakeLibrary library_{STATIONSYNC_NOTES_PLUGIN};
};

TEST_F(NotesExample, ExportAppliedElsewhereGivesTheSameContentAndMark) {
    FakeProvider provider(library_, host_);
    ASSERT_EQ(provider.created().status, STSYNC_OK) << provider.created().text;
    ASSERT_EQ(provider.recover().status, STSYNC_OK);
    write_file(folder_ / "root/a.txt", "hello");
    const auto before = provider.scan();
    ASSERT_EQ(before.objects.size(), 1u);

    const auto exported = provider.export_object("a.txt", folder_ / "package");
    ASSERT_EQ(exported.status, STSYNC_OK) << exported.text;
    EXPECT_EQ(exported.mark, before.objects.at("a.txt").mark);

    const auto applied = provider.apply("b.txt", folder_ / "package", sdk::Mark());
    ASSERT_EQ(applied.status, STSYNC_OK) << applied.text;
    EXPECT_EQ(read_file(folder_ / "root/b.txt"), "hello");
    EXPECT_EQ(provider.scan().objects.at("b.txt").mark, applied.mark);
}

TEST_F(NotesExample, ApplyOverAnUnseenEditIsAConflict) {
    FakeProvider provider(library_, host_);
    write_file(folder_ / "root/a.txt", "edited here");
    write_file(folder_ / "package", "from elsewhere");
    const auto applied = provider.apply("a.txt", folder_ / "package", sdk::Mark());
    EXPECT_EQ(applied.status, STSYNC_CONFLICT);
    EXPECT_EQ(read_file(folder_ / "root/a.txt"), "edited here");
}

TEST_F(NotesExample, UnknownIdsAreAnsweredWithNothing) {
    FakeProvider provider(library_, host_);
    EXPECT_EQ(provider.query("stsync.provider/2"), nullptr);
    EXPECT_EQ(provider.query("stsync.provider/1x"), nullptr);
    EXPECT_FALSE(provider.has_watch());
    EXPECT_EQ(library_.module().describe(1), nullptr);
}

TEST_F(NotesExample, AMissingSettingIsRefusedWithASentence) {
    host_.config.clear();
    const FakeProvider provider(library_, host_);
    EXPECT_EQ(provider.created().status, STSYNC_INVALID_ARG);
    EXPECT_NE(provider.created().text.find("\"root\" is missing"), std::string::npos);
}

TEST_F(NotesExample, KeysThatLeaveTheRootAreRefusedBeforeThePluginSeesThem) {
    FakeProvider provider(library_, host_);
    write_file(folder_ / "package", "x");
    for (const char* key : {"../a", "/etc/passwd", "C:x", "a\\b", "CON", "a//b", "", "a.", "\xff"})
        EXPECT_EQ(provider.apply(key, folder_ / "package", sdk::Mark()).status, STSYNC_INVALID_ARG)
            << key;
    EXPECT_TRUE(std::filesystem::is_empty(folder_ / "root"));
}

} // namespace
} // namespace stationsync::test
