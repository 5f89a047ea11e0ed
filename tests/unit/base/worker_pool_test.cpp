#include "base/worker_pool.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

namespace stationsync::host {
namespace {

TEST(WorkerPool, ResultsComeBackOnTheThreadThatRunsTheContext) {
    boost::asio::io_context context;
    WorkerPool pool({2, 16}, post_to_io_context(&context));
    std::thread::id worked_on;
    bool done = false;
    auto guard = boost::asio::make_work_guard(context);
    ASSERT_TRUE(pool.try_submit([&] { worked_on = std::this_thread::get_id(); },
                                [&] {
                                    done = true;
                                    guard.reset();
                                }));
    context.run();
    EXPECT_TRUE(done);
    EXPECT_NE(worked_on, std::this_thread::get_id());
}

TEST(WorkerPool, AFullQueueRefusesInsteadOfGrowing) {
    std::promise<void> gate;
    const std::shared_future<void> open = gate.get_future().share();
    std::promise<void> started;
    WorkerPool pool({1, 2}, [](const WorkerPool::Task& task) { task(); });
    ASSERT_TRUE(pool.try_submit(
        [&] {
            started.set_value();
            open.wait();
        },
        {}));
    started.get_future().wait();
    std::atomic<int> ran{0};
    EXPECT_TRUE(pool.try_submit([&] { ++ran; }, {}));
    EXPECT_TRUE(pool.try_submit([&] { ++ran; }, {}));
    EXPECT_FALSE(pool.try_submit([&] { ++ran; }, {}));
    EXPECT_EQ(pool.waiting(), 2U);
    std::promise<void> last;
    pool.submit([&] { last.set_value(); }, {}); // takes it all the same
    gate.set_value();
    last.get_future().wait();
    EXPECT_EQ(ran, 2);
}

TEST(WorkerPool, StopFinishesWhatRunsAndDropsWhatWaits) {
    std::promise<void> gate;
    std::promise<void> started;
    std::atomic<bool> finished{false};
    std::atomic<bool> second_ran{false};
    WorkerPool pool({1, 16}, [](const WorkerPool::Task& task) { task(); });
    pool.submit(
        [&] {
            started.set_value();
            gate.get_future().wait();
        },
        [&] { finished = true; });
    started.get_future().wait();
    pool.submit([&] { second_ran = true; }, {});
    std::thread stopper([&] { pool.stop(); });
    while (pool.waiting() != 0) {
        std::this_thread::yield();
    }
    gate.set_value();
    stopper.join();
    EXPECT_TRUE(finished);
    EXPECT_FALSE(second_ran);
    EXPECT_FALSE(pool.try_submit([] {}, {}));
}

TEST(WorkerPool, StopWithinWaitsNoLongerThanItMayForAJobThatHangs) {
    std::promise<void> gate;
    std::promise<void> started;
    WorkerPool pool({1, 16}, [](const WorkerPool::Task& task) { task(); });
    pool.submit(
        [&] {
            started.set_value();
            gate.get_future().wait();
        },
        {});
    started.get_future().wait();
    EXPECT_FALSE(pool.stop_within(std::chrono::milliseconds(1)));
    EXPECT_FALSE(pool.try_submit([] {}, {}));
    gate.set_value();
    EXPECT_TRUE(pool.stop_within(std::chrono::minutes(1)));
}

} // namespace
} // namespace stationsync::host
