// `stationsync configurator`: a station list for plants that have none.
#include "command_runner.hpp"

#include "component/sqlite/database.hpp"
#include "support/temp_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <atomic>
#include <thread>

namespace stationsync::host {
namespace {

using test::run_sql;
using testing::HasSubstr;

// How often this process has the file open.
std::ptrdiff_t times_open(const std::filesystem::path& file) {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return std::count_if(begin(all), end(all), [&](const auto& entry) {
        std::error_code closed_meanwhile;
        return std::filesystem::read_symlink(entry.path(), closed_meanwhile) == file;
    });
}

class Configurator : public testing::Test {
protected:
    // `stationsync configurator ARGUMENTS… --database list.db`
    test::Outcome run(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), "configurator");
        arguments.insert(arguments.end(), {"--database", list_.string()});
        return test::run_command(root_, std::move(arguments));
    }
    void init() {
        const auto made = run({"init"});
        ASSERT_EQ(made.code, 0) << made.err;
    }
    std::string rows() {
        return run_sql(list_, "SELECT name, address FROM stations ORDER BY name, address");
    }

    test::TempFolder folder_;
    std::filesystem::path root_ = folder_ / "root";
    std::filesystem::path list_ = folder_ / "list.db";
};

TEST_F(Configurator, InitMakesTheDefaultSchemaAndTellsHowToUseIt) {
    const auto made = run({"init", "--project", "Brewery"});
    ASSERT_EQ(made.code, 0) << made.err;
    EXPECT_THAT(made.out, HasSubstr("database = \"" + list_.string() + "\""));
    EXPECT_EQ(run_sql(list_, "SELECT value FROM settings WHERE name = 'project'"), "Brewery");
    EXPECT_EQ(rows(), "");
    EXPECT_EQ(run({"list"}).out, "Project  Brewery\n\nNo stations are listed.\n");
    EXPECT_FALSE(std::filesystem::exists(root_));
}

TEST_F(Configurator, InitTouchesNoFileThatIsThere) {
    init();
    EXPECT_THAT(run({"init"}).err, HasSubstr("is a station list already"));
    std::filesystem::remove(list_);
    run_sql(list_, "CREATE TABLE recipes(x)");
    const auto before = test::read_file(list_);
    EXPECT_THAT(run({"init"}).err, HasSubstr("is no station list"));
    EXPECT_EQ(test::read_file(list_), before);
    test::write_file(list_, "<xml>recipes</xml>");
    EXPECT_THAT(run({"init"}).err, HasSubstr("is no SQLite database"));
    EXPECT_EQ(test::read_file(list_), "<xml>recipes</xml>");
    test::write_file(list_, "");
    EXPECT_EQ(run({"init"}).code, 0) << "an empty file holds nothing";
    list_ = folder_ / "nowhere" / "list.db";
    EXPECT_THAT(run({"init"}).err, HasSubstr("unable to open"));
}

TEST_F(Configurator, StationsAreAddedWithOneSpellingOfEachAddress) {
    init();
    const auto added = run({"add-station", "Füllung 1", "192.168.1.11", "FILLING-1:9000",
                            "filling-1:9000", "fd00::7"});
    ASSERT_EQ(added.code, 0) << added.err;
    EXPECT_EQ(added.out, "The station \"Füllung 1\" is in the list with 192.168.1.11:8883, "
                         "[fd00::7]:8883,\nfilling-1:9000.\n");
    EXPECT_EQ(rows(), "Füllung 1|192.168.1.11:8883\nFüllung 1|[fd00::7]:8883\n"
                      "Füllung 1|filling-1:9000");
    ASSERT_EQ(run({"add-station", "Füllung 1", "10.0.0.1"}).code, 0) << "a further address";
    const auto listed = nlohmann::json::parse(run({"list", "--json"}).out);
    EXPECT_EQ(listed["database"], list_.string());
    EXPECT_EQ(listed["stations"].size(), 1u);
    EXPECT_EQ(listed["stations"][0]["addresses"].size(), 4u);
}

TEST_F(Configurator, DuplicateIsRefusedWhateverItsSpellingAndNothingIsAdded) {
    init();
    run_sql(list_, "INSERT INTO stations VALUES('A','10.0.0.1'),('B','Filling-2')");
    for (const auto* address : {"10.0.0.1:8883", "10.0.0.1"}) {
        const auto again = run({"add-station", "A", "10.0.0.7", address});
        EXPECT_EQ(again.code, 1);
        EXPECT_THAT(again.err, HasSubstr("\"A\" has the address 10.0.0.1:8883 already"));
    }
    const auto other = run({"add-station", "C", "FILLING-2"});
    EXPECT_EQ(other.code, 1);
    EXPECT_THAT(other.err, HasSubstr("remove-station \"B\" filling-2:8883"));
    EXPECT_EQ(rows(), "A|10.0.0.1\nB|Filling-2");
}

TEST_F(Configurator, WrongNamesAndAddressesAreErrorsOfTheCommandLine) {
    init();
    for (const auto* address :
         {"", "a:b:c:x", "host:0", "host:65536", "a..b", ".a", "ho st", "ü"}) {
        const auto outcome = run({"add-station", "A", address});
        EXPECT_EQ(outcome.code, 2) << address;
        EXPECT_THAT(outcome.err, HasSubstr("is no address")) << address;
    }
    EXPECT_EQ(run({"add-station", std::string(49, 'x'), "a"}).code, 2);
    EXPECT_EQ(run({"add-station", "", "a"}).code, 2);
    EXPECT_EQ(run({"add-station", "A"}).code, 2);
    EXPECT_EQ(run({"init", "--project", "a/b"}).code, 2);
    EXPECT_EQ(rows(), "");
}

TEST_F(Configurator, StationOrOneAddressIsRemoved) {
    init();
    run_sql(list_, "INSERT INTO stations VALUES('Alpha','10.0.0.1'),('Alpha','a'),('B','b')");
    EXPECT_EQ(run({"remove-station", "Alpha", "10.0.0.1:8883"}).out,
              "The station \"Alpha\" is in the list with a.\n");
    const auto missing = run({"remove-station", "Alpha", "10.0.0.1"});
    EXPECT_EQ(missing.code, 1);
    EXPECT_THAT(missing.err, HasSubstr("has no address"));
    const auto unknown = run({"remove-station", "Alpa"});
    EXPECT_EQ(unknown.code, 1);
    EXPECT_THAT(unknown.err, HasSubstr("Did you mean \"Alpha\"?"));
    EXPECT_EQ(run({"remove-station", "Alpha"}).out,
              "The station \"Alpha\" is not in the list any more.\n");
    EXPECT_EQ(rows(), "B|b");
}

TEST_F(Configurator, WrongFileIsTold) {
    for (const auto* command : {"list", "remove-station"}) {
        std::vector<std::string> arguments{command};
        if (arguments[0] != "list") {
            arguments.emplace_back("A");
        }
        std::filesystem::remove(list_);
        const auto absent = run(arguments);
        EXPECT_THAT(absent.err, HasSubstr("there is no station list")) << command;
        EXPECT_THAT(absent.err, HasSubstr("configurator init")) << command;
        EXPECT_FALSE(std::filesystem::exists(list_));
        test::write_file(list_, std::string(5000, 'x'));
        EXPECT_THAT(run(arguments).err, HasSubstr("is no SQLite database")) << command;
        std::filesystem::remove(list_);
        run_sql(list_, "CREATE TABLE stations(name, ip)");
        const auto other = run(arguments);
        EXPECT_EQ(other.code, 1);
        EXPECT_THAT(other.err, HasSubstr("no table `stations` with the columns")) << command;
        EXPECT_THAT(other.err, HasSubstr("of your own, which")) << command;
    }
}

TEST_F(Configurator, WorksBesideReadersAndWriters) {
    init();
    run_sql(list_, "PRAGMA journal_mode=WAL");
    test::Database reader(list_);
    reader.run("BEGIN; SELECT * FROM stations");
    EXPECT_EQ(run({"add-station", "A", "a"}).code, 0);
    EXPECT_EQ(reader.run("SELECT count(*) FROM stations"), "0") << "one look is one state";
    reader.run("COMMIT");
    EXPECT_EQ(reader.run("SELECT count(*) FROM stations"), "1");
    // Someone writes for a moment: the command waits for him.
    test::Database writer(list_);
    writer.run("BEGIN IMMEDIATE; INSERT INTO stations VALUES('B','b')");
    const auto opened_before = times_open(list_);
    test::Outcome added;
    std::atomic<bool> has_ended = false;
    std::thread command([&] {
        added = run({"add-station", "C", "c"});
        has_ended = true;
    });
    // It has the list open and still does not end, however often one looks.
    while (!has_ended && times_open(list_) == opened_before) {
        std::this_thread::yield();
    }
    for (int look = 0; look < 500 && !has_ended; ++look) {
        EXPECT_EQ(reader.run("SELECT count(*) FROM stations"), "1");
    }
    EXPECT_FALSE(has_ended) << added.err;
    writer.run("COMMIT");
    command.join();
    EXPECT_EQ(added.code, 0) << added.err;
    EXPECT_EQ(reader.run("SELECT count(*) FROM stations"), "3");
}

TEST_F(Configurator, ListOfTheSelectedProjectIsTheDefault) {
    const auto made = test::run_command(root_, {"init", "--project", "Plant", "--station", "A"});
    ASSERT_EQ(made.code, 0) << made.err;
    const auto none = test::run_command(root_, {"configurator", "list"});
    EXPECT_EQ(none.code, 1);
    EXPECT_THAT(none.err, HasSubstr("the project has no station list"));
    EXPECT_THAT(none.err, HasSubstr("--database FILE"));
    test::write_file(paths_of(root_).project_file("Plant"),
                     "[discovery.list]\nplugin = \"discovery-static\"\ndatabase = \"" +
                         list_.string() + "\"\n");
    ASSERT_EQ(test::run_command(root_, {"configurator", "init"}).code, 0);
    ASSERT_EQ(test::run_command(root_, {"configurator", "add-station", "B", "b"}).code, 0);
    EXPECT_EQ(test::run_command(root_, {"configurator", "list"}).out,
              "Project  Plant\n\nNAME  ADDRESSES\nB     b:8883\n");
}

} // namespace
} // namespace stationsync::host
