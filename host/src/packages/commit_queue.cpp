#include "packages/commit_queue.hpp"

#include <utility>
#include <vector>

namespace stationsync::host {
namespace {
constexpr std::size_t group_packages_max = 1024;
}

struct CommitQueue::State : std::enable_shared_from_this<CommitQueue::State> {
    struct Entry {
        PendingPackage package;
        Done done;
    };
    struct Group {
        std::vector<PendingPackage> packages;
        std::vector<Done> done;
        std::vector<IoResult<void>> results;
    };

    explicit State(WorkerPool& worker_pool) : pool(worker_pool) {}

    void start() {
        if (running || waiting.empty()) {
            return;
        }
        auto group = std::make_shared<Group>();
        while (!waiting.empty() && group->packages.size() < group_packages_max) {
            group->packages.push_back(std::move(waiting.front().package));
            group->done.push_back(std::move(waiting.front().done));
            waiting.pop_front();
        }
        running = true;
        pool.submit([group] { group->results = commit_packages(group->packages); },
                    [group, weak = weak_from_this()] {
                        if (const auto self = weak.lock()) {
                            self->finish(*group);
                        }
                    });
    }

    void finish(Group& group) {
        running = false;
        start();
        for (std::size_t index = 0; index < group.done.size(); ++index) {
            group.done[index](std::move(group.results[index]));
        }
    }

    WorkerPool& pool;
    std::deque<Entry> waiting;
    bool running = false;
};

CommitQueue::CommitQueue(WorkerPool& pool) : state_(std::make_shared<State>(pool)) {}
CommitQueue::~CommitQueue() = default;

void CommitQueue::add(PendingPackage package, Done done) {
    state_->waiting.push_back({std::move(package), std::move(done)});
    state_->start();
}

} // namespace stationsync::host
