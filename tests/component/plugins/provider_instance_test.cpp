// Calls of a provider instance on threads of its own, with a plugin whose calls last as long as the
// test wants.
#include "plugins/provider_instance.hpp"

#include "base/clock.hpp"
#include "base/workers.hpp"
#include "support/temp_folder.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <gtest/gtest.h>

#include <fstream>
#include <thread>

namespace stationsync::host {
namespace {

class ProviderInstanceTest : public testing::Test {
protected:
    ProviderInstanceTest() {
        plugins_.load_file(STATIONSYNC_PUPPET_PLUGIN);
        kind_ = plugins_.find("puppet");
    }
    ~ProviderInstanceTest() override {
        for (const char* call : {"create", "scan"})
            release(call);
        EXPECT_TRUE(workers_.stop_within(std::chrono::seconds(60)));
    }
    void hold(const std::string& call) { std::ofstream(folder_ / ("hold-" + call)) << "1"; }
    void release(const std::string& call) { std::filesystem::remove(folder_ / ("hold-" + call)); }
    bool is_in(const std::string& call) const {
        return std::filesystem::exists(folder_ / ("in-" + call));
    }
    InstanceSettings settings() const {
        InstanceSettings settings;
        settings.name = "puppet";
        settings.own.data = ConfigValue::Table{{"folder", 1, {folder_.path().string(), 1}}};
        return settings;
    }
    std::shared_ptr<ProviderInstance> make() {
        auto instance =
            std::make_shared<ProviderInstance>(*kind_, workers_.of_plugin(kind_->max_parallel));
        instance->create(settings(), [](const std::string& error) { EXPECT_EQ(error, ""); });
        return instance;
    }
    // Runs what workers post, as the engine thread does, until `ready`.
    template <class Ready>
    void run_until(const Ready& ready) {
        while (!ready())
            context_.run_for(std::chrono::milliseconds(5));
    }
    CallOutcome scan(ProviderCalls& calls, Operation& operation) {
        return calls.scan(operation, {}, false, [](auto&&, auto&&) {});
    }

    test::TempFolder folder_;
    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
        context_.get_executor()};
    PluginRegistry plugins_;
    const PluginKind* kind_ = nullptr;
    Workers workers_{post_to_io_context(&context_)};
};

// The plugin allows itself 2 seconds, which the calls before it use up.
TEST_F(ProviderInstanceTest, TheDeadlineOfACallBeginsWithTheCallNotWithItsWait) {
    const auto instance = make();
    run_until([&] { return instance->is_ready(); });
    hold("scan");
    std::vector<core::JobStatus> statuses;
    const auto call = [&] {
        auto outcome = std::make_shared<CallOutcome>();
        instance->call(
            1,
            [this, outcome](ProviderCalls& calls, Operation& operation) {
                *outcome = scan(calls, operation);
            },
            [&statuses, outcome] { statuses.push_back(outcome->status); }, true);
    };
    call();
    call();
    run_until([&] { return is_in("scan"); });
    const auto begun = monotonic_now_us();
    run_until([&] { return monotonic_now_us() - begun > 2'100'000; });
    release("scan");
    run_until([&] { return statuses.size() == 2; });
    // That of the first is over, of course.
    EXPECT_EQ(statuses, (std::vector{core::JobStatus::busy, core::JobStatus::ok}));
}

TEST_F(ProviderInstanceTest, CallsThatHangHoldNoThreadButTheirOwn) {
    const auto hung = make();
    const auto other = make();
    run_until([&] { return hung->is_ready() && other->is_ready(); });
    hold("scan");
    for (int count = 0; count < 8; ++count)
        hung->call(
            1, [this](ProviderCalls& calls, Operation& operation) { scan(calls, operation); },
            [] {});
    run_until([&] { return is_in("scan"); });
    int done = 0;
    other->call(
        1, [](ProviderCalls& calls, Operation& operation) { calls.compat(operation); },
        [&] { ++done; });
    workers_.shared().submit([] {}, [&] { ++done; });
    workers_.state().submit([] {}, [&] { ++done; });
    run_until([&] { return done == 3; });
}

TEST_F(ProviderInstanceTest, AnInstanceThatIsStillBeingMadeEndsWhenItIsMade) {
    hold("create");
    const auto instance = make();
    run_until([&] { return is_in("create"); });
    bool ended = false;
    instance->shut_down([&] { ended = true; });
    EXPECT_FALSE(ended);
    release("create");
    run_until([&] { return ended; });
    EXPECT_FALSE(instance->is_ready());
}

TEST_F(ProviderInstanceTest, StoppingTheWorkersSaysThatACallDoesNotReturn) {
    const auto instance = make();
    run_until([&] { return instance->is_ready(); });
    hold("scan");
    instance->call(
        1, [this](ProviderCalls& calls, Operation& operation) { scan(calls, operation); }, [] {});
    run_until([&] { return is_in("scan"); });
    EXPECT_FALSE(workers_.stop_within(std::chrono::milliseconds(1)));
}

} // namespace
} // namespace stationsync::host
