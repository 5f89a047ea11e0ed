// Commands that ask a service, here one that answers as the test says, through the real API server.
#include "command_runner.hpp"

#include "component/api/fake_commands.hpp"
#include "support/temp_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace stationsync::host {
namespace {

using test::run_command;
using testing::HasSubstr;

// Answers status with what the test set, and remembers actions.
class Service final : public ServiceCommands {
public:
    void call(const std::string& name, const nlohmann::json& arguments, Access,
              ReplyFunction done) override {
        if (const auto answer = answers.find(name); answer != answers.end()) {
            done(reply_ok(answer->second));
        } else if (name == "restore") {
            done(reply_error(ReplyCode::refused, "The object settles.", "Use send-now first."));
        } else {
            actions.emplace_back(name, arguments);
            done(reply_ok({{"text", "It is done."}}));
        }
    }
    std::map<std::string, nlohmann::json> answers;
    std::vector<std::pair<std::string, nlohmann::json>> actions;
};

class ServiceCommandsTest : public testing::Test {
protected:
    ServiceCommandsTest() {
        run_command(root_, {"init", "--project", "P", "--station", "A"});
        server_.emplace(context_, service_, ApiOptions{{"127.0.0.1", 0}, tokens_, {}});
        write_api_files(paths_, server_->endpoint(), tokens_);
        thread_ = std::thread([this] { context_.run(); });
    }
    void TearDown() override {
        boost::asio::post(context_, [this] { server_.reset(); });
        work_.reset();
        thread_.join();
    }
    test::Outcome run(std::vector<std::string> arguments, const std::string& given = {}) {
        return run_command(root_, std::move(arguments), given);
    }
    static nlohmann::json status(int unsynced) {
        return {{"engine", "running"},
                {"in_step", unsynced == 0},
                {"providers",
                 {{{"name", "recipes"}, {"state", "ok"}, {"unsynced", unsynced}},
                  {{"name", "off"}, {"state", "disabled"}, {"unsynced", 0}}}}};
    }

    test::TempFolder folder_;
    std::filesystem::path root_ = folder_ / "a";
    RootPaths paths_ = paths_of(root_);
    ApiTokens tokens_ = make_api_tokens();
    Service service_;
    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
        context_.get_executor()};
    std::optional<ApiServer> server_;
    std::thread thread_;
};

TEST_F(ServiceCommandsTest, ActionsCarryTheirArgumentsAndShowTheAnswer) {
    EXPECT_EQ(run({"publish", "recipes/a b/ü.txt"}).out, "It is done.\n");
    EXPECT_EQ(run({"send-now"}).code, 0);
    EXPECT_EQ(run({"send-now", "recipes"}).code, 0);
    EXPECT_EQ(run({"project", "enable", "recipes"}).code, 0);
    EXPECT_EQ(run({"secret", "set", "DB"}, "v\n").code, 0);
    EXPECT_EQ(run({"block", "0123-ab"}).code, 0);
    using nlohmann::json;
    const std::vector<std::pair<std::string, json>> expected{
        {"publish", {{"provider", "recipes"}, {"key", "a b/ü.txt"}}},
        {"send-now", json::object()},
        {"send-now", {{"provider", "recipes"}}},
        {"provider-enable", {{"provider", "recipes"}}},
        {"secret-set", {{"name", "DB"}, {"value", "v"}}},
        {"block", {{"station", "0123-ab"}}}};
    EXPECT_EQ(service_.actions, expected);
}

TEST_F(ServiceCommandsTest, RefusalsAreShownWithTheirRemedy) {
    const auto outcome = run({"restore", "recipes/a", "--version", "x"});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_EQ(outcome.err, "stationsync: The object settles.\n  Use send-now first.\n");
}

TEST_F(ServiceCommandsTest, JsonIsPrintedAsTheServiceSaysIt) {
    service_.answers["status"] = status(0);
    EXPECT_EQ(nlohmann::json::parse(run({"status", "--json"}).out), status(0));
}

TEST_F(ServiceCommandsTest, WaitEndsWhenEverythingIsInStep) {
    service_.answers["status"] = status(0);
    EXPECT_EQ(run({"wait", "--timeout", "0"}).code, 0);
    EXPECT_EQ(run({"wait", "recipes", "--timeout", "0"}).code, 0);
    EXPECT_EQ(run({"wait"}).code, 0);
    const auto disabled = run({"wait", "off", "--timeout", "0"});
    EXPECT_EQ(disabled.code, 1);
    EXPECT_THAT(disabled.err, HasSubstr("off is disabled"));
}

// Without a time limit, too: no waiting makes a provider.
TEST_F(ServiceCommandsTest, WaitRefusesAProviderThatTheProjectDoesNotHave) {
    service_.answers["status"] = status(0);
    for (const auto* wanted : {"nothing", "nothing/a"}) {
        const auto outcome = run({"wait", wanted});
        EXPECT_EQ(outcome.code, 1) << wanted;
        EXPECT_THAT(outcome.err, HasSubstr("no provider \"nothing\"")) << wanted;
        EXPECT_THAT(outcome.err, HasSubstr("it has off, recipes")) << wanted;
        EXPECT_EQ(outcome.out, "") << wanted;
    }
}

TEST_F(ServiceCommandsTest, WaitSaysWhatIsMissingWhenTheTimeIsOver) {
    service_.answers["status"] = status(3);
    const auto outcome = run({"wait", "--timeout", "0"});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.err, HasSubstr("3 objects of recipes"));
    service_.answers["objects"] = nlohmann::json::array({{{"provider", "recipes"},
                                                          {"key", "a"},
                                                          {"state", "settling"},
                                                          {"reason", "being edited"}}});
    EXPECT_THAT(run({"wait", "recipes/a", "--timeout", "0"}).err,
                HasSubstr("settling: being edited"));
    EXPECT_THAT(run({"wait", "recipes/b", "--timeout", "0"}).err, HasSubstr("not known"));
}

TEST_F(ServiceCommandsTest, VerifyFailsWhenStationsDiffer) {
    service_.answers["verify"] = {{"text", "Two objects differ."}, {"equal", false}};
    EXPECT_EQ(run({"verify"}).code, 1);
    service_.answers["verify"] = {{"text", "All equal."}, {"equal", true}};
    EXPECT_EQ(run({"verify", "recipes"}).code, 0);
}

TEST_F(ServiceCommandsTest, AnotherServiceOnTheAddressIsToldApart) {
    std::ofstream(paths_.view_token_file(), std::ios::trunc) << std::string(64, '0');
    const auto outcome = run({"status"});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.err, HasSubstr("does not accept the token"));
}

TEST_F(ServiceCommandsTest, AStaleAddressFileMeansNotRunning) {
    const auto port = server_->endpoint().port;
    boost::asio::post(context_, [this] { server_->stop(); });
    // The port is closed once the server has stopped.
    test::Outcome outcome;
    do {
        outcome = run({"status"});
    } while (outcome.err.find("not running") == std::string::npos);
    EXPECT_EQ(outcome.code, 1) << port;
}

TEST_F(ServiceCommandsTest, AMissingActTokenIsExplained) {
    std::filesystem::permissions(paths_.act_token_file(), std::filesystem::perms::none);
    if (std::ifstream(paths_.act_token_file())) {
        GTEST_SKIP() << "this account may read everything";
    }
    const auto outcome = run({"stop"});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.err, HasSubstr("administrator"));
}

} // namespace
} // namespace stationsync::host
