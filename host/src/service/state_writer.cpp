#include "service/state_writer.hpp"

#include <iterator>
#include <utility>

namespace stationsync::host {

namespace {
constexpr std::chrono::seconds retry_after{2};
}

struct StateWriter::Batch {
    std::vector<DescribedPackage> described;
    std::vector<std::vector<core::Mutation>> transactions;
    core::PersistId last{};
    IoResult<void> result;
};

StateWriter::StateWriter(boost::asio::io_context& context, std::shared_ptr<StateDatabase> database,
                         WorkerPool& pool, Events events)
    : database_(std::move(database)), pool_(pool), events_(std::move(events)), retry_(context) {}

StateWriter::~StateWriter() {
    *alive_ = false;
}

void StateWriter::before_next(DescribedPackage package) {
    described_.push_back(std::move(package));
}

void StateWriter::persist(core::PersistId id, std::vector<core::Mutation> mutations) {
    transactions_.push_back(std::move(mutations));
    last_ = id;
    if (!busy_ && !failing_)
        start();
}

void StateWriter::start() {
    if (busy_)
        return; // one commit at a time, in order
    if (transactions_.empty() && described_.empty()) {
        for (const auto& done : std::exchange(flushed_, {}))
            done();
        for (const auto& done : std::exchange(stored_, {}))
            done();
        return;
    }
    busy_ = true;
    retry_.cancel();
    auto batch = std::make_shared<Batch>();
    batch->described = std::move(described_);
    batch->transactions = std::move(transactions_);
    batch->last = last_;
    described_.clear();
    transactions_.clear();
    auto commit = [batch, database = database_, describe = events_.describe] {
        if (!batch->described.empty())
            describe(batch->described);
        batch->result = database->commit(batch->transactions);
    };
    auto done = [this, alive = alive_, batch] {
        if (*alive)
            ended(batch);
    };
    pool_.submit(std::move(commit), std::move(done));
}

void StateWriter::ended(const std::shared_ptr<Batch>& batch) {
    busy_ = false;
    if (batch->result) {
        if (failing_)
            events_.trouble(nullptr);
        failing_ = false;
        events_.persisted(batch->last);
        start();
        return;
    }
    // Nothing was written: the same transactions again, in front of what came meanwhile.
    failing_ = true;
    batch->transactions.insert(batch->transactions.end(),
                               std::make_move_iterator(transactions_.begin()),
                               std::make_move_iterator(transactions_.end()));
    transactions_ = std::move(batch->transactions);
    const IoError error = batch->result.error();
    events_.trouble(&error);
    for (const auto& done : std::exchange(flushed_, {}))
        done();
    retry_.set(retry_after, [this] { start(); });
}

void StateWriter::flush(std::function<void()> done) {
    flushed_.push_back(std::move(done));
    start();
}

void StateWriter::when_stored(std::function<void()> done) {
    stored_.push_back(std::move(done));
    if (!failing_)
        start();
}

} // namespace stationsync::host
