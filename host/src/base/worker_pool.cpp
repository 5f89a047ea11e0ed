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
    std::size_t running = 0; // threads that have not ended
    std::condition_variable ended;
    bool stopped = false;

    void end() {
        std::deque<Job> dropped; // destroyed outside the lock
        {
            const std::lock_guard lock(mutex);
            stopped = true;
            dropped.swap(jobs);
        }
        ready.notify_all();
    }

    void run() noexcept {
        work();
        const std::lock_guard lock(mutex);
        --running;
        ended.notify_all();
    }

    void work() noexcept {
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
    state_->running = options.threads;
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
    state_->end();
    for (std::thread& thread : state_->threads) {
        if (thread.joinable()) {
            thread.join();
        }
    }
}

bool WorkerPool::stop_within(std::chrono::milliseconds time_max) {
    state_->end();
    {
        std::unique_lock lock(state_->mutex);
        if (!state_->ended.wait_for(lock, time_max, [this] { return state_->running == 0; })) {
            return false;
        }
    }
    stop();
    return true;
}

std::size_t WorkerPool::threads() const noexcept {
    return state_->threads.size();
}

std::size_t WorkerPool::waiting() const {
    const std::lock_guard lock(state_->mutex);
    return state_->jobs.size();
}

} // namespace stationsync::host
