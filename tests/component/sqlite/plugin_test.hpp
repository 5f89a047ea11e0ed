// The plugin as the service loads it, with one database that is published and one that receives.
#pragma once

#include "component/sqlite/database.hpp"
#include "component/sqlite/other_program.hpp"
#include "support/fake_plugin.hpp"
#include "support/temp_folder.hpp"

#include <gtest/gtest.h>

namespace stationsync::test {

inline const FakeLibrary& sqlite_library() {
    static const FakeLibrary library(STATIONSYNC_SQLITE_PLUGIN);
    return library;
}

// A station of one test: a folder with databases, the host, the plugin.
class SqliteStation {
public:
    explicit SqliteStation(const std::filesystem::path& folder,
                           const std::vector<std::string>& files = {"*.db"})
        : folder_(folder) {
        std::filesystem::create_directories(folder / "scratch");
        host_.scratch = folder / "scratch";
        host_.config["@instance"] = {"instance of " + folder.string()};
        for (const std::string& file : files)
            host_.config["files"].push_back(folder / file);
        start();
    }

    // As a restart of the service: the durable values stay.
    void start() {
        plugin_.reset();
        plugin_.emplace(sqlite_library(), host_);
    }

    FakeHost& host() noexcept { return host_; }
    FakeProvider& plugin() { return *plugin_; }
    std::filesystem::path path(const std::string& name) const { return folder_ / name; }
    std::string sql(const std::string& name, const std::string& text) {
        return run_sql(path(name), text);
    }

    // The object as a scan finds it; fails the test when there is none.
    sdk::Object object(const std::string& key, std::uint32_t flags = 0) {
        const ScanOutcome outcome = plugin_->scan(flags);
        EXPECT_EQ(outcome.status, STSYNC_OK) << outcome.text;
        for (const auto& [name, fault] : outcome.faults)
            ADD_FAILURE() << name << ": " << fault.text;
        const auto at = outcome.objects.find(key);
        if (at == outcome.objects.end()) {
            ADD_FAILURE() << "no object " << key;
            return {};
        }
        return at->second;
    }

    ExportOutcome export_to(const std::string& key, const std::filesystem::path& package) {
        ExportOutcome outcome = plugin_->export_object(key, package);
        EXPECT_EQ(outcome.status, STSYNC_OK) << outcome.text;
        return outcome;
    }

    // Names in the folder, apart from the scratch folder.
    std::set<std::string> names() const {
        std::set<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(folder_))
            if (!entry.is_directory())
                names.insert(entry.path().filename().string());
        return names;
    }

private:
    std::filesystem::path folder_;
    FakeHost host_;
    std::optional<FakeProvider> plugin_;
};

// A batch database of `recipes` recipes.
inline std::string recipes(int count, const std::string& mode = "DELETE",
                           const std::string& note = "first") {
    return "PRAGMA journal_mode=" + mode +
           ";CREATE TABLE recipe(id INTEGER PRIMARY KEY, name TEXT, note TEXT, body BLOB);"
           "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<" +
           std::to_string(count) + ") INSERT INTO recipe SELECT i, 'recipe ' || i, '" + note +
           "', randomblob(300) FROM n";
}

inline const std::string note_of_first = "SELECT note FROM recipe WHERE id = 1";

class SqlitePlugin : public ::testing::Test {
protected:
    SqlitePlugin() : a_(folder_ / "a"), b_(folder_ / "b") {}

    // A package of a database with `note`, made by station a.
    std::filesystem::path package_with(const std::string& note, int count = 100,
                                       const std::string& mode = "DELETE") {
        std::filesystem::remove(a_.path("r.db"));
        a_.sql("r.db", recipes(count, mode, note));
        auto package = folder_ / (note + ".package");
        a_.export_to("r.db", package);
        return package;
    }

    TempFolder folder_;
    SqliteStation a_;
    SqliteStation b_;
};

} // namespace stationsync::test
