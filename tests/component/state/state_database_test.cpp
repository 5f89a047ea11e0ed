// The service's own state: what is durable comes back, and damage costs no start.
#include "state/state_database.hpp"

#include "support/temp_folder.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <fstream>

namespace stationsync::host {
namespace {

core::MetaRecord used_meta() {
    core::MetaRecord meta;
    meta.incarnation = 7;
    meta.sequence = 42;
    return meta;
}

core::PutProvider provider(const std::string& name) {
    core::ProviderRecord record;
    record.provider = name;
    return {record};
}

void store(const std::filesystem::path& file, std::vector<core::Mutation> mutations) {
    auto opened = StateDatabase::open(file);
    ASSERT_TRUE(opened);
    ASSERT_TRUE(opened->database->commit({std::move(mutations)}));
}

void execute(const std::filesystem::path& file, const char* sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(file.string().c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(database);
    sqlite3_close(database);
}

std::size_t moved_aside(const std::filesystem::path& folder) {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        if (entry.path().filename().string().find(".damaged-") != std::string::npos)
            ++count;
    return count;
}

TEST(StateDatabase, WhatWasStoredComesBack) {
    test::TempFolder folder;
    store(folder / "state.db", {core::PutMeta{used_meta()}, provider("recipes")});
    const auto loaded = StateDatabase::open_and_load(folder / "state.db");
    ASSERT_TRUE(loaded);
    EXPECT_FALSE(loaded->fresh);
    EXPECT_EQ(loaded->state.meta.sequence, 42U);
    EXPECT_EQ(loaded->state.providers.size(), 1U);
}

TEST(StateDatabase, AnotherLookAtADamagedDatabaseLeavesItWhereItIs) {
    test::TempFolder folder;
    std::ofstream(folder / "state.db") << "this was a database once, and is none any more";
    EXPECT_FALSE(StateDatabase::open_again(folder / "state.db"));
    EXPECT_EQ(moved_aside(folder.path()), 0U);
    EXPECT_TRUE(StateDatabase::open(folder / "state.db"));
    EXPECT_EQ(moved_aside(folder.path()), 1U);
}

TEST(StateDatabase, AHoldComesBackWithOrWithoutAnEnd) {
    test::TempFolder folder;
    core::MetaRecord meta = used_meta();
    meta.clock_moved = -std::chrono::hours(3);
    core::PutProvider for_ever = provider("a");
    for_ever.record.hold = core::Hold{{1'700'000'000'000'000}, {}, {}, meta.clock_moved};
    core::PutProvider for_some_time = provider("b");
    for_some_time.record.hold =
        core::Hold{{5}, core::WallTime{7}, std::chrono::hours(2), std::chrono::seconds(-1)};
    store(folder / "state.db", {core::PutMeta{meta}, for_ever, for_some_time, provider("c")});
    const auto loaded = StateDatabase::open_and_load(folder / "state.db");
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->state.meta.clock_moved, meta.clock_moved);
    ASSERT_EQ(loaded->state.providers.size(), 3U);
    for (const core::ProviderRecord& record : loaded->state.providers) {
        if (record.provider == "a")
            EXPECT_EQ(record, for_ever.record);
        else if (record.provider == "b")
            EXPECT_EQ(record, for_some_time.record);
        else
            EXPECT_FALSE(record.hold.has_value());
    }
}

TEST(StateDatabase, ADatabaseWithoutItsOwnRecordIsFreshAndEmpty) {
    test::TempFolder folder;
    store(folder / "state.db", {provider("recipes")}); // died before the engine stored anything
    const auto loaded = StateDatabase::open_and_load(folder / "state.db");
    ASSERT_TRUE(loaded);
    EXPECT_TRUE(loaded->fresh);
    EXPECT_TRUE(loaded->state.providers.empty());
    EXPECT_TRUE(StateDatabase::open_and_load(folder / "new.db")->fresh);
}

TEST(StateDatabase, ARecordThatCannotBeReadIsDamageAndMovedAside) {
    test::TempFolder folder;
    const auto file = folder / "state.db";
    store(file, {core::PutMeta{used_meta()}, provider("recipes")});
    execute(file, "UPDATE meta SET record = x'ff'");
    const auto loaded = StateDatabase::open_and_load(file);
    ASSERT_TRUE(loaded) << "the service must start, as a newcomer";
    EXPECT_TRUE(loaded->fresh);
    EXPECT_FALSE(loaded->moved_aside.empty());
    EXPECT_TRUE(std::filesystem::exists(loaded->moved_aside)) << "never deleted";
    EXPECT_EQ(moved_aside(folder.path()), 1U);
}

TEST(StateDatabase, WhatIsNoDatabaseIsMovedAside) {
    test::TempFolder folder;
    test::write_file(folder / "state.db", std::string(8192, 'x'));
    const auto loaded = StateDatabase::open_and_load(folder / "state.db");
    ASSERT_TRUE(loaded);
    EXPECT_TRUE(loaded->fresh);
    EXPECT_EQ(moved_aside(folder.path()), 1U);
}

} // namespace
} // namespace stationsync::host
