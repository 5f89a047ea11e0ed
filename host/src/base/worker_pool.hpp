// Threads for what blocks: files, hashing, SQLite, plugin calls. workers.hpp says which pools the
// service has.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

namespace stationsync::host {

class WorkerPool {
public:
    using Task = std::function<void()>;
    // Carries a task to the thread that owns the results; called on worker threads.
    using Poster = std::function<void(Task)>;

    struct Options {
        std::size_t threads = 4;
        // Jobs that wait; `try_submit` refuses beyond it, which is the back-pressure.
        std::size_t queue_max = 65'536;
    };

    // `poster` must accept tasks until the pool has been stopped.
    WorkerPool(const Options& options, Poster poster);
    ~WorkerPool(); // stop()
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    // Runs `work` on a worker thread, then posts `done` through the poster. Any thread. A job that
    // throws ends the process: run-time failures are values, anything else is a defect.
    // False: the queue is full or the pool has been stopped, nothing was taken.
    [[nodiscard]] bool try_submit(Task work, Task done);

    // The same without a limit, for the few jobs whose number the caller bounds by itself.
    // Ignored once the pool has been stopped.
    void submit(Task work, Task done);

    // Jobs that wait are dropped, running ones are finished; their results are posted.
    void stop();
    // The same, but waits for running jobs no longer than `time_max`. False: one does not return;
    // destroying the pool would wait for it.
    [[nodiscard]] bool stop_within(std::chrono::milliseconds time_max);

    [[nodiscard]] std::size_t threads() const noexcept;
    [[nodiscard]] std::size_t waiting() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

// A poster for a boost::asio::io_context that the caller keeps alive. Pass `&context`.
// Declared with void* so that this header stays free of Asio.
[[nodiscard]] WorkerPool::Poster post_to_io_context(void* io_context);

} // namespace stationsync::host
