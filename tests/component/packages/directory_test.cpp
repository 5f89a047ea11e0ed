#include "base/durable.hpp"
#include "base/path_text.hpp"
#include "transfer_world.hpp"

#include <gtest/gtest.h>

#include <set>

namespace stationsync::host {
namespace {

struct Folder {
    test::TempFolder temp;
    PackageDirectory packages{temp / "sync/plant"};

    [[nodiscard]] std::filesystem::path staged(const Content& content) const {
        auto path = temp / "staged";
        EXPECT_TRUE(atomic_write(path, content));
        return path;
    }
};

PackageDescription description_of(const std::string& key, const Content& content) {
    PackageDescription description;
    description.object = {"batchdb", key};
    description.package = {digest_of(content), content.size(), 16'000'000'000'000'000};
    return description;
}

PackageName name_of(const PackageDescription& description, std::uint64_t sequence) {
    return {description.object, 1'700'000'000'000'000, station_id(1), sequence, ".db"};
}

TEST(PackageDirectory, AnExportBecomesAPlainFileThatDescribesItself) {
    Folder folder;
    const Content content = random_content(1000);
    PackageDescription description = description_of("Linie/1", content);
    const auto placed = folder.packages.place(folder.staged(content), Placement::move,
                                              name_of(description, 0), description);
    ASSERT_TRUE(placed);
    EXPECT_FALSE(std::filesystem::exists(folder.temp / "staged"));
    // Named by its revision once that is sealed.
    const auto sealed = folder.packages.describe(description.package.digest,
                                                 name_of(description, 42), "the revision", "");
    ASSERT_TRUE(sealed);
    const auto relative = sealed->file.lexically_relative(folder.packages.folder());
    EXPECT_EQ(path_text(relative), "batchdb/Linie_1" + object_folder_suffix("Linie/1") +
                                       "/20231114T221320Z-25252525-42.db");
    EXPECT_EQ(content_of(sealed->file), content);
    EXPECT_FALSE(std::filesystem::exists(placed->file));
    const auto found = folder.packages.find(description.object, description.package.digest);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->description.revision, "the revision");
    EXPECT_EQ(found->file, sealed->file);
    EXPECT_EQ(folder.packages.list(description.object).size(), 1U);
}

TEST(PackageDirectory, TwoPackagesOfOneRevisionLieSideBySide) {
    Folder folder;
    const Content one = random_content(10);
    const Content two = random_content(10);
    for (const Content& content : {one, two, one}) {
        const auto description = description_of("k", content);
        ASSERT_TRUE(folder.packages.place(folder.staged(content), Placement::move,
                                          name_of(description, 5), description));
    }
    EXPECT_EQ(folder.packages.list({"batchdb", "k"}).size(), 2U);
    ASSERT_TRUE(folder.packages.find({"batchdb", "k"}, digest_of(one)));
    ASSERT_TRUE(folder.packages.find({"batchdb", "k"}, digest_of(two)));
}

TEST(PackageDirectory, HistoryKeepsThePackageWhenTheSyncDirectoryLetsItGo) {
    Folder folder;
    const PackageDirectory history(folder.temp / "history/plant");
    const Content content = random_content(5000);
    const auto description = description_of("k", content);
    const auto placed = folder.packages.place(folder.staged(content), Placement::move,
                                              name_of(description, 1), description);
    ASSERT_TRUE(placed);
    PackageDescription kept = description;
    kept.note = "superseded";
    const auto in_history =
        history.place(placed->file, Placement::link, name_of(description, 1), kept);
    ASSERT_TRUE(in_history);
    EXPECT_TRUE(std::filesystem::equivalent(placed->file, in_history->file));
    ASSERT_TRUE(folder.packages.remove(description.object, description.package.digest));
    EXPECT_FALSE(folder.packages.find(description.object, description.package.digest));
    EXPECT_TRUE(std::filesystem::is_empty(folder.packages.folder() / "batchdb"));
    EXPECT_EQ(content_of(history.find(description.object, description.package.digest)->file),
              content);
    EXPECT_EQ(history.list(description.object).at(0).description.note, "superseded");
}

TEST(PackageDirectory, ACopyDoesNotChangeWithTheLiveFile) {
    Folder folder;
    const Content content = random_content(5000);
    const auto live = folder.staged(content);
    const auto description = description_of("k", content);
    const auto placed =
        folder.packages.place(live, Placement::copy, name_of(description, 1), description);
    ASSERT_TRUE(placed);
    auto file = File::open_update(live);
    ASSERT_TRUE(file->write_at(random_content(100), 0));
    EXPECT_EQ(content_of(placed->file), content);
}

TEST(PackageDirectory, EverythingIsFoundAgainFromTheDiskAlone) {
    Folder folder;
    std::set<std::string> keys;
    for (int index = 0; index < 20; ++index) {
        const Content content = random_content(10);
        const auto description = description_of("key " + std::to_string(index), content);
        keys.insert(description.object.key);
        ASSERT_TRUE(folder.packages.place(folder.staged(content), Placement::move,
                                          name_of(description, 1), description));
    }
    // One file deleted by hand, one description gone, one file that belongs to nobody.
    const auto lost = folder.packages.list({"batchdb", "key 3"}).at(0);
    std::filesystem::remove(lost.file);
    const auto bare = folder.packages.list({"batchdb", "key 4"}).at(0);
    std::filesystem::remove(bare.file.string() + ".rev");
    test::write_file(folder.packages.folder() / "batchdb/x/readme.txt", "?");
    test::write_file(folder.packages.folder() / "batchdb/x/y.db.part", "?");

    std::set<std::string> found;
    std::vector<std::string> gone;
    std::set<std::string> unknown;
    std::size_t parts = 0;
    const PackageDirectory again(folder.packages.folder());
    again.visit(
        {[&](const StoredPackage& stored) { found.insert(stored.description.object.key); },
         [&](const PackageDescription& description) { gone.push_back(description.object.key); },
         [&](const std::filesystem::path& path) { unknown.insert(path.filename()); },
         [&](const std::filesystem::path&) { ++parts; }});
    keys.erase("key 3");
    keys.erase("key 4");
    EXPECT_EQ(found, keys);
    EXPECT_EQ(gone, (std::vector<std::string>{"key 3"}));
    EXPECT_EQ(unknown, (std::set<std::string>{"readme.txt", bare.file.filename()}));
    EXPECT_EQ(parts, 1U);
    EXPECT_FALSE(folder.packages.find({"batchdb", "key 3"}, lost.description.package.digest));
}

TEST(PackageDirectory, ManyAreDescribedAtOnceAndOneFailureIsItsOwn) {
    Folder folder;
    std::vector<DescribeRequest> requests;
    std::vector<PackageDescription> descriptions;
    for (int index = 0; index < 20; ++index) {
        const Content content = random_content(10 + static_cast<std::size_t>(index));
        auto description = description_of("key " + std::to_string(index), content);
        ASSERT_TRUE(folder.packages.place(folder.staged(content), Placement::move,
                                          name_of(description, 0), description));
        requests.push_back({description.package.digest, name_of(description, 7), "sealed", {}});
        descriptions.push_back(std::move(description));
    }
    requests[5].package = descriptions[6].package.digest; // not that object's
    const auto described = folder.packages.describe(requests);
    ASSERT_EQ(described.size(), requests.size());
    for (std::size_t index = 0; index < described.size(); ++index) {
        if (index == 5) {
            EXPECT_FALSE(described[index]);
            continue;
        }
        ASSERT_TRUE(described[index]) << described[index].error().text;
        const auto found =
            folder.packages.find(descriptions[index].object, descriptions[index].package.digest);
        ASSERT_TRUE(found);
        EXPECT_EQ(found->description.revision, "sealed");
        EXPECT_EQ(found->file, described[index]->file);
        EXPECT_EQ(folder.packages.list(descriptions[index].object).size(), 1U);
    }
}

TEST(PackageDirectory, SweepRemovesWhatStaysUnfinishedAndFetchesByOrder) {
    Folder folder;
    const auto object = folder.packages.folder() / "batchdb/x~0";
    const auto write = [&](const char* name) { test::write_file(object / name, "?"); };
    const auto left = [&] {
        std::set<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(object)) {
            names.insert(entry.path().filename());
        }
        return names;
    };
    for (const char* name : {"a.db.part", "b.db.rev", "c.db", "c.db.rev", "f.db.part",
                             "f.db.have.part", "g.db.part", "g.db.have.part"}) {
        write(name);
    }
    auto unwanted = folder.packages.sweep({});
    EXPECT_EQ(left().size(), 8U) << "what was seen once may be in the making";
    EXPECT_EQ(unwanted,
              (std::set<std::filesystem::path>{object / "a.db.part", object / "b.db.rev"}));
    write("b.db");                         // it was
    write("d.db.part");                    // another begins
    unwanted.insert(object / "g.db.part"); // beyond a limit
    const auto later = folder.packages.sweep(unwanted);
    EXPECT_EQ(left(), (std::set<std::string>{"b.db", "b.db.rev", "c.db", "c.db.rev", "d.db.part",
                                             "f.db.part", "f.db.have.part"}));
    EXPECT_EQ(later, (std::set<std::filesystem::path>{object / "d.db.part"}));
}

TEST(PackageDirectory, AMovedDirectoryStillFindsItsPackages) {
    Folder folder;
    const Content content = random_content(10);
    const auto description = description_of(std::string(200, 'k'), content);
    ASSERT_TRUE(folder.packages.place(folder.staged(content), Placement::move,
                                      name_of(description, 1), description));
    const auto moved = folder.temp / ("a much longer name that leaves less room for the readable "
                                      "part of the key");
    std::filesystem::rename(folder.packages.folder(), moved);
    EXPECT_TRUE(PackageDirectory(moved).find(description.object, description.package.digest));
}

// The normal case for history, and for what is served live: no package, no folder.
TEST(PackageDirectory, LookingForWhatIsNotThereDoesNotReadTheFoldersOfAllOthers) {
    Folder folder;
    const auto description = description_of("key that nobody has", random_content(10));
    const auto time_of_lookups = [&] {
        const std::int64_t begin_us = monotonic_now_us();
        for (int round = 0; round < 200; ++round) {
            EXPECT_FALSE(folder.packages.find(description.object, description.package.digest));
        }
        return monotonic_now_us() - begin_us;
    };
    std::filesystem::create_directories(folder.packages.folder() / "batchdb");
    const std::int64_t with_none_us = time_of_lookups();
    for (int index = 0; index < 5000; ++index) {
        std::filesystem::create_directory(folder.packages.folder() / "batchdb" /
                                          object_folder_name("key " + std::to_string(index), 60));
    }
    // Reading them all takes some hundred times as long.
    EXPECT_LT(time_of_lookups(), 20 * with_none_us + 20'000);
}

TEST(CommitPackages, ManyAtOnceAreAllThereAndOneFailureIsItsOwn) {
    Folder folder;
    std::vector<PendingPackage> pending;
    for (int index = 0; index < 50; ++index) {
        Content content = random_content(100);
        const auto description = description_of("key " + std::to_string(index), content);
        auto slot = folder.packages.reserve(name_of(description, 1), description.package.digest);
        ASSERT_TRUE(slot);
        pending.push_back({*slot, description, std::move(content)});
    }
    // Something that cannot be replaced is in the way.
    std::filesystem::create_directories(pending[7].slot.part() / "in the way");
    const auto results = commit_packages(pending);
    ASSERT_EQ(results.size(), 50U);
    for (std::size_t index = 0; index < results.size(); ++index) {
        const PackageDescription& description = pending[index].description;
        EXPECT_EQ(results[index].has_value(), index != 7);
        EXPECT_EQ(folder.packages.find(description.object, description.package.digest).has_value(),
                  index != 7);
        if (index != 7) {
            EXPECT_EQ(file_facts(pending[index].slot.file)->modified_100ns, 16'000'000'000'000'000);
        }
    }
}

} // namespace
} // namespace stationsync::host
