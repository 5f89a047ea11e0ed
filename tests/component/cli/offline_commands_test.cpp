// Commands that work on the files of a root without a service.
#include "command_runner.hpp"

#include "base/lock_file.hpp"
#include "config/project_config.hpp"
#include "config/project_files.hpp"
#include "config/secrets.hpp"
#include "config/station_config.hpp"
#include "net/join_code.hpp"
#include "net/project_key.hpp"
#include "net/station_identity.hpp"
#include "support/temp_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace stationsync::host {
namespace {

using test::run_command;
using testing::HasSubstr;

class OfflineCommands : public testing::Test {
protected:
    test::Outcome run(std::vector<std::string> arguments, const std::string& given = {}) {
        return run_command(a_, std::move(arguments), given);
    }
    void init() {
        const auto made =
            run({"init", "--project", "Plant", "--station", "A", "--listen", "127.0.0.1"});
        ASSERT_EQ(made.code, 0) << made.err;
    }
    std::string project_text() { return test::read_file(paths_.project_file("Plant")); }

    test::TempFolder folder_;
    std::filesystem::path a_ = folder_ / "a";
    std::filesystem::path b_ = folder_ / "b";
    RootPaths paths_ = paths_of(a_);
};

TEST_F(OfflineCommands, InitMakesAStationWhoseFilesAllReadBack) {
    init();
    const auto station = load_station_config(paths_);
    ASSERT_TRUE(station) << to_text(station.problems);
    EXPECT_EQ(station.value->name, "A");
    const auto project = load_project_config(paths_, "Plant");
    ASSERT_TRUE(project) << to_text(project.problems);
    EXPECT_TRUE(StationIdentity::load(paths_.identity_file()));
    EXPECT_TRUE(KeyRing::load(paths_.project_key("Plant")));
    EXPECT_TRUE(load_project_origin(paths_, "Plant")->founder);
    EXPECT_EQ(*load_project_choice(paths_), (ProjectChoice{"Plant", true}));
}

TEST_F(OfflineCommands, AJoinedStationHoldsTheSameKeyAndDialsTheInviter) {
    init();
    const auto invited = run({"invite"});
    ASSERT_EQ(invited.code, 0) << invited.err;
    EXPECT_THAT(invited.err, HasSubstr("IS the key"));
    const auto joined =
        run_command(b_, {"join", "-", "--station", "B", "--listen", "127.0.0.2"}, invited.out);
    ASSERT_EQ(joined.code, 0) << joined.err;
    EXPECT_THAT(joined.out, HasSubstr("Waiting for the first exchange"));
    const auto paths = paths_of(b_);
    const auto ours = KeyRing::load(paths_.project_key("Plant"));
    const auto theirs = KeyRing::load(paths.project_key("Plant"));
    ASSERT_TRUE(ours && theirs);
    EXPECT_TRUE(ours->current() == theirs->current());
    EXPECT_EQ(ours->made_at(), theirs->made_at());
    EXPECT_NE(StationIdentity::load(paths_.identity_file())->id(),
              StationIdentity::load(paths.identity_file())->id());
    const auto origin = load_project_origin(paths, "Plant");
    EXPECT_FALSE(origin->founder);
    EXPECT_EQ(origin->inviter, core::to_text(StationIdentity::load(paths_.identity_file())->id()));
    const auto project = load_project_config(paths, "Plant");
    ASSERT_TRUE(project);
    EXPECT_EQ(to_json_text(project.value->discoveries.at(1).own),
              R"({"stations":["127.0.0.1:8883"]})");
}

TEST_F(OfflineCommands, ATypingErrorInTheCodeIsNoticedAndMakesNothing) {
    init();
    auto code = run({"invite"}).out;
    code[20] = code[20] == '7' ? '8' : '7';
    const auto joined = run_command(b_, {"join", code, "--station", "B"});
    EXPECT_EQ(joined.code, 1);
    EXPECT_FALSE(std::filesystem::exists(b_));
}

TEST_F(OfflineCommands, AKnownProjectIsRefusedAndASecondOneIsAdded) {
    init();
    const auto known = run({"init", "--project", "Plant"});
    EXPECT_EQ(known.code, 1);
    EXPECT_THAT(known.err, HasSubstr("To take another key, move"));
    const auto again = run({"init", "--project", "Other", "--station", "X"});
    EXPECT_EQ(again.code, 2);
    EXPECT_THAT(again.err, HasSubstr("leave out --station"));
    const auto before = StationIdentity::load(paths_.identity_file())->id();
    ASSERT_EQ(run({"init", "--project", "Other"}).code, 0);
    EXPECT_EQ(StationIdentity::load(paths_.identity_file())->id(), before);
    EXPECT_EQ(load_project_choice(paths_)->project, "Plant") << "adding does not switch";
    ASSERT_EQ(run({"project", "use", "Other"}).code, 0);
    EXPECT_EQ(load_project_choice(paths_)->project, "Other");
    const auto unknown = run({"project", "use", "Plan"});
    EXPECT_EQ(unknown.code, 1);
    EXPECT_THAT(unknown.err, HasSubstr("Did you mean \"Plant\"?"));
}

TEST_F(OfflineCommands, InitNeedsGoodNames) {
    EXPECT_EQ(run({"init", "--project", "Plant"}).code, 2) << "no --station";
    for (const auto* name : {"", "a/b", "a:b", ".x", "x ", "NUL", "x\ny"}) {
        EXPECT_EQ(run({"init", "--project", name, "--station", "A"}).code, 2) << name;
    }
    EXPECT_EQ(run({"init", "--project", "P", "--station", std::string(49, 'x')}).code, 2);
    EXPECT_EQ(run({"init", "--project", "P", "--station", "A", "--listen", "here"}).code, 2);
    EXPECT_FALSE(std::filesystem::exists(paths_.station_file()));
}

// Another station could not dial it. The local API may take any free port: its clients are told.
TEST_F(OfflineCommands, PortZeroIsRefusedForLinks) {
    const auto made = run({"init", "--project", "P", "--station", "A", "--listen", "127.0.0.1:0"});
    EXPECT_EQ(made.code, 2);
    EXPECT_THAT(made.err, HasSubstr("a port from 1 to 65535"));
    EXPECT_FALSE(std::filesystem::exists(a_));
    init();
    EXPECT_EQ(run({"run", "--listen", "127.0.0.1:0"}).code, 2);
    const auto joined = run_command(b_, {"join", "-", "--station", "B", "--listen", "[::1]:0"},
                                    run({"invite"}).out);
    EXPECT_EQ(joined.code, 2);
    EXPECT_FALSE(std::filesystem::exists(b_));
    EXPECT_EQ(run({"run", "--api", "127.0.0.1:0"}).code, 42);
}

// A link that leads nowhere stands for a folder without permission: a test may run as root.
TEST_F(OfflineCommands, WhatCannotBeLookedAtIsNotTakenForThereOrMissing) {
    std::filesystem::create_symlink("loop", folder_ / "loop");
    const auto made =
        run_command(folder_ / "loop" / "x", {"init", "--project", "Plant", "--station", "A"});
    EXPECT_EQ(made.code, 1);
    EXPECT_THAT(made.err, HasSubstr("cannot look for"));
    EXPECT_THAT(run_command(folder_ / "loop" / "x", {"run"}).err, HasSubstr("cannot look for"));
    init();
    std::filesystem::create_symlink("secrets", paths_.secrets());
    const auto listed = run({"secret", "list"});
    EXPECT_EQ(listed.code, 1) << listed.out;
    EXPECT_THAT(listed.err, HasSubstr("cannot read the folder"));
}

TEST_F(OfflineCommands, OutputThatCannotBeWrittenIsAFailure) {
    init();
    struct Full : std::streambuf {
    } full; // takes nothing
    for (const auto& arguments :
         std::vector<std::vector<std::string>>{{"--version"},
                                               {"help"},
                                               {"invite"},
                                               {"project", "list"},
                                               {"secret", "list", "--json"}}) {
        auto words = arguments;
        words.insert(words.begin(), {"--root", a_.string()});
        std::istringstream in;
        std::ostream out(&full);
        std::ostringstream err;
        cli::Environment environment{in, out, err, "/opt/stationsync/stationsync", {}};
        EXPECT_EQ(cli::run_program(words, environment), 1) << arguments[0];
        EXPECT_THAT(err.str(), HasSubstr("could not be written")) << arguments[0];
    }
}

TEST_F(OfflineCommands, ProvidersAreEnabledInTheFileAndTheRestStays) {
    init();
    const auto before = project_text();
    ASSERT_EQ(run({"project", "enable", "recipes"}).code, 0);
    EXPECT_NE(project_text(), before);
    const auto listed = nlohmann::json::parse(run({"project", "list", "--json"}).out);
    EXPECT_EQ(listed[0]["providers"][1]["name"], "recipes");
    EXPECT_EQ(listed[0]["providers"][1]["enabled"], true);
    ASSERT_EQ(run({"project", "disable", "recipes"}).code, 0);
    EXPECT_EQ(project_text(), before);
    EXPECT_THAT(run({"project", "enable", "recipe"}).err, HasSubstr("Did you mean \"recipes\"?"));
}

TEST_F(OfflineCommands, DeactivationLasts) {
    init();
    ASSERT_EQ(run({"project", "deactivate"}).code, 0);
    EXPECT_FALSE(load_project_choice(paths_)->active);
    EXPECT_THAT(run({"project", "list"}).out, HasSubstr("inactive"));
    ASSERT_EQ(run({"project", "activate"}).code, 0);
    EXPECT_TRUE(load_project_choice(paths_)->active);
}

TEST_F(OfflineCommands, PublishIsWrittenDownForTheNextStart) {
    init();
    const auto published = run({"publish", "recipes/a/b.txt"});
    ASSERT_EQ(published.code, 0) << published.err;
    EXPECT_THAT(published.out, HasSubstr("next start"));
    EXPECT_THAT(*load_pending_publishes(paths_, "Plant"),
                testing::ElementsAre(PendingPublish{"recipes", "a/b.txt"}));
    EXPECT_EQ(run({"publish", "nothing/a"}).code, 1);
}

TEST_F(OfflineCommands, ASecretsValueIsNeverShown) {
    init();
    const auto set = run({"secret", "set", "DB"}, "geheim 47\r\n");
    ASSERT_EQ(set.code, 0) << set.err;
    EXPECT_EQ(*SecretStore(paths_.secrets()).get("DB"), "geheim 47");
    const auto listed = run({"secret", "list"});
    EXPECT_EQ(listed.out, "DB\n");
    for (const auto& text : {set.out, set.err, listed.out, run({"secret", "list", "--json"}).out}) {
        EXPECT_THAT(text, testing::Not(HasSubstr("geheim")));
    }
    EXPECT_EQ(run({"secret", "set", "X"}, "\n").code, 1) << "an empty value";
    EXPECT_EQ(run({"secret", "remove", "DB"}).code, 0);
    EXPECT_EQ(run({"secret", "remove", "DB"}).code, 1);
}

TEST_F(OfflineCommands, KeysRotateAndRetire) {
    init();
    const auto first = KeyRing::load(paths_.project_key("Plant"))->current();
    ASSERT_EQ(run({"key", "rotate"}).code, 0);
    const auto rotated = KeyRing::load(paths_.project_key("Plant"));
    EXPECT_FALSE(rotated->current() == first);
    const auto keys = nlohmann::json::parse(run({"key", "list", "--json"}).out);
    ASSERT_EQ(keys.size(), 2U);
    EXPECT_EQ(keys[0]["fingerprint"], rotated->current().fingerprint());
    EXPECT_EQ(keys[0]["current"], true);
    EXPECT_EQ(keys[1]["fingerprint"], first.fingerprint());
    ASSERT_EQ(run({"key", "retire"}).code, 0);
    EXPECT_EQ(nlohmann::json::parse(run({"key", "list", "--json"}).out).size(), 1U);
}

TEST_F(OfflineCommands, TheStationIsRenamedAndGetsANewIdentity) {
    init();
    ASSERT_EQ(run({"station", "rename", "Line \"2\""}).code, 0);
    EXPECT_EQ(load_station_config(paths_).value->name, "Line \"2\"");
    const auto before = StationIdentity::load(paths_.identity_file())->id();
    ASSERT_EQ(run({"station", "new-identity"}).code, 0);
    EXPECT_NE(StationIdentity::load(paths_.identity_file())->id(), before);
}

TEST_F(OfflineCommands, FilesAreLeftAloneWhileAServiceHoldsTheRoot) {
    init();
    const auto before = project_text();
    const auto held = LockFile::acquire(paths_.lock_file());
    ASSERT_TRUE(held);
    for (const auto& arguments : std::vector<std::vector<std::string>>{
             {"project", "enable", "recipes"}, {"key", "rotate"}, {"publish", "recipes/a"}}) {
        const auto outcome = run(arguments);
        EXPECT_EQ(outcome.code, 1);
        EXPECT_THAT(outcome.err, HasSubstr("starting, stopping or not answering"));
    }
    EXPECT_EQ(project_text(), before);
}

TEST_F(OfflineCommands, WithoutAServiceCommandsSaySoAndHowToStartIt) {
    init();
    for (const auto& arguments : std::vector<std::vector<std::string>>{{"status"},
                                                                       {"stations"},
                                                                       {"objects"},
                                                                       {"explain", "a/b"},
                                                                       {"history"},
                                                                       {"stop"},
                                                                       {"wait"},
                                                                       {"verify"},
                                                                       {"block", "0123abcd"},
                                                                       {"log", "-f"}}) {
        const auto outcome = run(arguments);
        EXPECT_EQ(outcome.code, 1) << arguments[0];
        EXPECT_THAT(outcome.err, HasSubstr("the service is not running")) << arguments[0];
        EXPECT_THAT(outcome.err, HasSubstr(" run`")) << arguments[0];
    }
    const auto waited = run({"wait", "--timeout", "0"});
    EXPECT_EQ(waited.code, 1);
    EXPECT_THAT(waited.err, HasSubstr("not running"));
}

TEST_F(OfflineCommands, RunPassesItsOptionsToTheService) {
    init();
    EXPECT_EQ(run({"run"}).code, 42);
    EXPECT_EQ(run({"run", "--listen", "nowhere"}).code, 2);
    EXPECT_EQ(run_command(b_, {"run"}).code, 1) << "no station";
}

TEST_F(OfflineCommands, TheLogIsReadFromItsFiles) {
    init();
    test::write_file(a_ / "log" / "stationsync.1.log",
                     "2026-03-01T08:15:00.123Z info net \"first\" station=B\n");
    test::write_file(a_ / "log" / "stationsync.log",
                     "2026-03-01T08:15:01.123Z warning net \"second\" reason=time\nnot a line\n");
    EXPECT_EQ(run({"log"}).out, "2026-03-01 08:15:00 info net: first station=B\n"
                                "2026-03-01 08:15:01 warning net: second reason=time\n");
    const auto last = nlohmann::json::parse(run({"log", "-n", "1", "--json"}).out);
    EXPECT_EQ(last["text"], "second");
}

} // namespace
} // namespace stationsync::host
