// Collects packages that are complete and makes them durable in groups: while one group is being
// synced the next one gathers, so that many small files cost few syncs and one file waits for none.
#pragma once

#include "base/worker_pool.hpp"
#include "packages/package_directory.hpp"

#include <deque>
#include <functional>
#include <memory>

namespace stationsync::host {

// Engine thread.
class CommitQueue {
public:
    // Where the package lies now.
    using Done = std::function<void(const IoResult<std::filesystem::path>&)>;
    // Runs on a worker thread directly before the group is written: what belongs to one package
    // only.
    using Prepare = std::function<IoResult<void>(PendingPackage&)>;

    // `pool` must outlive the queue.
    explicit CommitQueue(WorkerPool& pool);
    ~CommitQueue(); // groups under way finish, nobody is told
    CommitQueue(const CommitQueue&) = delete;
    CommitQueue& operator=(const CommitQueue&) = delete;

    // `done` is called on the engine thread, later, once the package is durable under its name.
    // A failure of `prepare` (may be empty) is the result of this package alone.
    void add(PendingPackage package, Prepare prepare, Done done);

private:
    struct State;
    std::shared_ptr<State> state_;
};

} // namespace stationsync::host
