// Transactions reach the disk one after the other, in order, also while the disk does not take
// them.
#include "service/state_writer.hpp"

#include "support/temp_folder.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <memory>
#include <optional>

namespace stationsync::host {
namespace {

class StateWriterTest : public ::testing::Test {
protected:
    StateWriterTest() {
        auto opened = StateDatabase::open(folder_ / "state.db");
        database_ = std::move(opened->database);
        StateWriter::Events events;
        events.persisted = [this](core::PersistId id) { persisted_.push_back(id); };
        events.trouble = [this](const IoError* error) { troubled_ += error ? 1 : 0; };
        writer_ = std::make_unique<StateWriter>(context_, database_, pool_, std::move(events));
    }
    ~StateWriterTest() override {
        writer_.reset();
        pool_.stop();
    }

    // Another connection holds the write lock: each commit fails after the busy time-out.
    void lock() {
        ASSERT_EQ(sqlite3_open((folder_ / "state.db").string().c_str(), &other_), SQLITE_OK);
        ASSERT_EQ(sqlite3_exec(other_, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
    }
    void unlock() {
        sqlite3_exec(other_, "ROLLBACK", nullptr, nullptr, nullptr);
        sqlite3_close(other_);
    }

    void persist(std::uint64_t id) {
        core::MetaRecord meta;
        meta.sequence = id;
        writer_->persist(core::PersistId{id}, {core::PutMeta{meta}});
    }

    template <class Condition>
    void run_until(Condition&& condition) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        while (!condition() && std::chrono::steady_clock::now() < deadline)
            context_.run_one_for(std::chrono::milliseconds(100));
        ASSERT_TRUE(condition());
    }

    test::TempFolder folder_;
    boost::asio::io_context context_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
        context_.get_executor()};
    WorkerPool pool_{{.threads = 4}, [this](WorkerPool::Task task) {
                         boost::asio::post(context_, std::move(task));
                     }};
    std::shared_ptr<StateDatabase> database_;
    std::unique_ptr<StateWriter> writer_;
    std::vector<core::PersistId> persisted_;
    int troubled_ = 0;
    sqlite3* other_ = nullptr;
};

TEST_F(StateWriterTest, NothingOvertakesATransactionThatIsTriedAgain) {
    lock();
    persist(1);
    run_until([&] { return troubled_ == 1; }); // the retry is set for a little later
    bool flushed = false;
    writer_->flush([&] { flushed = true; }); // begins at once, before the retry is due
    persist(2);
    run_until([&] { return flushed; });
    EXPECT_TRUE(persisted_.empty());
    unlock();
    run_until([&] { return !persisted_.empty() && persisted_.back() == core::PersistId{2}; });
    const auto loaded = StateDatabase::open_and_load(folder_ / "state.db");
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->state.meta.sequence, 2U) << "the later one is what stays";
}

TEST_F(StateWriterTest, WhenStoredWaitsForTheDisk) {
    lock();
    persist(1);
    bool stored = false;
    writer_->when_stored([&] { stored = true; });
    run_until([&] { return troubled_ >= 1; });
    EXPECT_FALSE(stored) << "it is not on the disk";
    unlock();
    run_until([&] { return stored; });
    EXPECT_EQ(persisted_, (std::vector<core::PersistId>{core::PersistId{1}}));
}

} // namespace
} // namespace stationsync::host
