#include "base/worker_pool.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace stationsync::host {

struct WorkerPool::State {
    struct Job {
        Task work;
        Task done;
    };

    Poster poster;
    std::size_t queue_max = 0;
    mutable std::mutex mutex;
    std::condition_variable ready;
    std::deque<Job> jobs;
    std::vector<std::thread> threads;
    bool stopped = false;

    void run() noexcept {
        for (;;) {
            Job job;
            {
                std::unique_lock lock(mutex);
                ready.wait(lock, [this] { return stopped || !jobs.empty(); });
                if (stopped) {
                    return;
                }
                job = std::move(jobs.front());
                jobs.pop_front();
            }
            job.work();
            // What the work captured may refer to objects of the owner's thread; it is released
            // before the owner hears of the end.
            job.work = nullptr;
            if (job.done) {
                poster(std::move(job.done));
            }
        }
    }
};

WorkerPool::WorkerPool(const Options& options, Poster poster) : state_(std::make_unique<State>()) {
    state_->poster = std::move(poster);
    state_->queue_max = options.queue_max;
    for (std::size_t index = 0; index < options.threads; ++index) {
        state_->threads.emplace_back([state = state_.get()] { state->run(); });
    }
}

WorkerPool::~WorkerPool() {
    stop();
}

bool WorkerPool::try_submit(Task work, Task done) {
    {
        const std::lock_guard lock(state_->mutex);
        if (state_->stopped || state_->jobs.size() >= state_->queue_max) {
            return false;
        }
        state_->jobs.push_back({std::move(work), std::move(done)});
    }
    state_->ready.notify_one();
    return true;
}

void WorkerPool::submit(Task work, Task done) {
    {
        const std::lock_guard lock(state_->mutex);
        if (state_->stopped) {
            return;
        }
        state_->jobs.push_back({std::move(work), std::move(done)});
    }
    state_->ready.notify_one();
}

void WorkerPool::stop() {
    std::deque<State::Job> dropped;
    {
        const std::lock_guard lock(state_->mutex);
        state_->stopped = true;
        dropped.swap(state_->jobs);
    }
    state_->ready.notify_all();
    for (std::thread& thread : state_->threads) {
        if (thread.joinable()) {
            thread.join();
        }
    }
}

std::size_t WorkerPool::threads() const noexcept {
    return state_->threads.size();
}

std::size_t WorkerPool::waiting() const {
    const std::lock_guard lock(state_->mutex);
    return state_->jobs.size();
}

} // namespace stationsync::host
