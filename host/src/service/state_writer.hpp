// Makes the engine's transactions durable, in order and many in one commit.
#pragma once

#include "base/worker_pool.hpp"
#include "service/package_store.hpp"
#include "service/timer.hpp"
#include "state/state_database.hpp"
#include "stationsync/core/action.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace stationsync::host {

// Engine thread. One commit at a time runs on a worker.
class StateWriter {
public:
    struct Events {
        std::function<void(core::PersistId)> persisted; // everything up to it
        // The disk does not take it: tried again until it does. An empty text: it works again.
        std::function<void(const IoError* error)> trouble;
        std::function<void(std::span<const DescribedPackage>)> describe; // on a worker
    };
    StateWriter(boost::asio::io_context& context, std::shared_ptr<StateDatabase> database,
                WorkerPool& pool, Events events);
    ~StateWriter();
    StateWriter(const StateWriter&) = delete;
    StateWriter& operator=(const StateWriter&) = delete;

    // Written before every transaction that is queued after it.
    void before_next(DescribedPackage package);
    void persist(core::PersistId id, std::vector<core::Mutation> mutations);
    // Calls `done` once everything queued so far is durable, or at once when the disk is full.
    void flush(std::function<void()> done);
    // Calls `done` once everything queued so far is durable; while the disk is full it waits.
    void when_stored(std::function<void()> done);

private:
    struct Batch;
    void start();
    void ended(const std::shared_ptr<Batch>& batch);

    std::shared_ptr<StateDatabase> database_;
    WorkerPool& pool_;
    Events events_;
    Timer retry_;
    std::vector<DescribedPackage> described_;
    std::vector<std::vector<core::Mutation>> transactions_;
    core::PersistId last_{};
    bool busy_ = false;
    bool failing_ = false;
    std::vector<std::function<void()>> flushed_;
    std::vector<std::function<void()>> stored_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

} // namespace stationsync::host
