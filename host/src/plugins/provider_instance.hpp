// A provider instance on the engine thread: calls go to the worker pool, at most max_parallel at a
// time, and their results come back as functions called on the engine thread.
#pragma once

#include "base/worker_pool.hpp"
#include "plugins/provider_calls.hpp"

#include <deque>
#include <map>
#include <memory>

namespace stationsync::host {

class ProviderInstance : public std::enable_shared_from_this<ProviderInstance> {
public:
    using Progress = Operation::Progress;

    // `pool` outlives the instance. Results are delivered through the pool's poster.
    ProviderInstance(std::unique_ptr<ProviderCalls> calls, WorkerPool& pool);
    ~ProviderInstance();

    [[nodiscard]] const PluginKind& kind() const { return calls_->kind(); }

    // Runs `work` on a worker with an Operation, then `done` on the engine thread. `job` names the
    // call for cancel(); 0: cannot be cancelled. `exclusive`: alone in the instance ([control]).
    using Work = std::function<void(ProviderCalls&, Operation&)>;
    void call(std::uint64_t job, Work work, std::function<void()> done, bool exclusive = false,
              Progress progress = {});
    void cancel(std::uint64_t job);

    // Cancels what runs, ends the watch and destroys the instance once the last call has returned;
    // `ended` is then called on the engine thread. No call is taken any more.
    void shut_down(std::function<void()> ended);
    [[nodiscard]] bool is_idle() const { return running_ == 0 && waiting_.empty(); }
    // Cancels everything but calls without a job (applies), which finish.
    void cancel_all();
    void cancel_everything();

private:
    struct Call {
        std::uint64_t job = 0;
        Work work;
        std::function<void()> done;
        bool exclusive = false;
        std::shared_ptr<Operation> operation;
    };
    void run_next();
    void start(std::shared_ptr<Call> call);
    void ended(const std::shared_ptr<Call>& call);

    std::unique_ptr<ProviderCalls> calls_;
    WorkerPool& pool_;
    std::deque<std::shared_ptr<Call>> waiting_;
    std::map<const Call*, std::shared_ptr<Call>> active_;
    std::uint32_t running_ = 0;
    bool exclusive_running_ = false;
    bool shutting_down_ = false;
    std::function<void()> on_ended_;
};

} // namespace stationsync::host
