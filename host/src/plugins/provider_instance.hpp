// A provider instance on the engine thread: calls go to threads of its own, at most max_parallel at
// a time, and their results come back as functions called on the engine thread. A call that never
// returns holds these threads and nothing else.
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

    // `kind` outlives the instance. Results are delivered through the poster of `workers`.
    ProviderInstance(const PluginKind& kind, std::shared_ptr<WorkerPool> workers);
    ~ProviderInstance();

    [[nodiscard]] const PluginKind& kind() const { return kind_; }

    // The first call of all: makes the plugin's instance. `made` gets the plugin's sentence when it
    // refuses; such an instance takes no further call.
    void create(InstanceSettings settings, std::function<void(const std::string& error)> made);
    [[nodiscard]] bool is_ready() const { return calls_ != nullptr; }

    // For an instance that is ready. Runs `work` on a worker with an Operation, then `done` on the
    // engine thread. `job` names the call for cancel(); 0: cannot be cancelled. `exclusive`: alone
    // in the instance ([control]).
    using Work = std::function<void(ProviderCalls&, Operation&)>;
    void call(std::uint64_t job, Work work, std::function<void()> done, bool exclusive = false,
              Progress progress = {});
    void cancel(std::uint64_t job);

    // Cancels what runs, ends the watch and destroys the instance once the last call has returned,
    // also when it is still being made;
    // `ended` is then called on the engine thread. No call is taken any more.
    void shut_down(std::function<void()> ended);
    [[nodiscard]] bool is_idle() const { return running_ == 0 && waiting_.empty(); }
    // Cancels everything but calls without a job (applies), which finish.
    void cancel_all();
    void cancel_everything();

private:
    struct Call {
        std::uint64_t job = 0;
        std::function<void(Operation&)> work; // does not outlive the instance
        std::function<void()> done;
        bool exclusive = false;
        std::shared_ptr<Operation> operation;
    };
    void queue(std::shared_ptr<Call> call);
    void run_next();
    void start(std::shared_ptr<Call> call);
    void ended(const std::shared_ptr<Call>& call);

    const PluginKind& kind_;
    std::unique_ptr<ProviderCalls> calls_; // set on the engine thread
    std::shared_ptr<WorkerPool> workers_;
    std::deque<std::shared_ptr<Call>> waiting_;
    std::map<const Call*, std::shared_ptr<Call>> active_;
    std::uint32_t running_ = 0;
    bool exclusive_running_ = false;
    bool shutting_down_ = false;
    std::function<void()> on_ended_;
};

} // namespace stationsync::host
