#include "packages/commit_queue.hpp"

#include <set>
#include <utility>
#include <vector>

namespace stationsync::host {
namespace {
constexpr std::size_t group_packages_max = 1024;
}

struct CommitQueue::State : std::enable_shared_from_this<CommitQueue::State> {
    struct Entry {
        PendingPackage package;
        Prepare prepare;
        Done done;
        IoResult<std::filesystem::path> result{std::filesystem::path()};
    };
    using Group = std::vector<Entry>;

    explicit State(WorkerPool& worker_pool) : pool(worker_pool) {}

    void start() {
        if (running || waiting.empty()) {
            return;
        }
        auto group = std::make_shared<Group>();
        while (!waiting.empty() && group->size() < group_packages_max) {
            group->push_back(std::move(waiting.front()));
            waiting.pop_front();
        }
        running = true;
        pool.submit([group] { commit(*group); },
                    [group, weak = weak_from_this()] {
                        if (const auto self = weak.lock()) {
                            self->finish(*group);
                        }
                    });
    }

    // Worker thread.
    static void commit(Group& group) {
        std::vector<PendingPackage> ready;
        std::vector<Entry*> entries;
        std::set<std::filesystem::path> slots;
        for (Entry& entry : group) {
            const auto prepared = entry.prepare ? entry.prepare(entry.package) : IoResult<void>{};
            entry.prepare = nullptr;
            if (!prepared) {
                entry.result = prepared.error();
                continue;
            }
            entry.result = entry.package.slot.file;
            if (!slots.insert(entry.package.slot.file).second) {
                // Two packages of one revision at the same time; the next attempt finds a free
                // name.
                entry.result = IoError{IoErrorKind::busy,
                                       "another package of the same revision is being written"};
            } else if (!entry.package.slot.taken) {
                entries.push_back(&entry);
                ready.push_back(std::move(entry.package));
            }
        }
        const auto results = commit_packages(ready);
        for (std::size_t index = 0; index < results.size(); ++index) {
            if (!results[index]) {
                entries[index]->result = results[index].error();
            }
        }
    }

    void finish(Group& group) {
        running = false;
        start();
        for (Entry& entry : group) {
            entry.done(entry.result);
        }
    }

    WorkerPool& pool;
    std::deque<Entry> waiting;
    bool running = false;
};

CommitQueue::CommitQueue(WorkerPool& pool) : state_(std::make_shared<State>(pool)) {}
CommitQueue::~CommitQueue() = default;

void CommitQueue::add(PendingPackage package, Prepare prepare, Done done) {
    state_->waiting.push_back({std::move(package), std::move(prepare), std::move(done)});
    state_->start();
}

} // namespace stationsync::host
