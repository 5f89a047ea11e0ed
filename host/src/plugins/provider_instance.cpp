#include "plugins/provider_instance.hpp"

#include <algorithm>

namespace stationsync::host {

ProviderInstance::ProviderInstance(const PluginKind& kind, std::shared_ptr<WorkerPool> workers)
    : kind_(kind), workers_(std::move(workers)) {}

ProviderInstance::~ProviderInstance() = default;

void ProviderInstance::create(InstanceSettings settings,
                              std::function<void(const std::string& error)> made) {
    struct Result {
        InstanceSettings settings;
        std::unique_ptr<ProviderCalls> calls;
        std::string error;
    };
    auto result = std::make_shared<Result>();
    result->settings = std::move(settings);
    auto call = std::make_shared<Call>();
    call->exclusive = true;
    call->operation = std::make_shared<Operation>();
    call->work = [this, result](Operation&) {
        result->calls = ProviderCalls::create(kind_, std::move(result->settings), result->error);
    };
    call->done = [this, result, made = std::move(made)] {
        calls_ = std::move(result->calls);
        made(result->error);
    };
    queue(std::move(call));
}

void ProviderInstance::call(std::uint64_t job, Work work, std::function<void()> done,
                            bool exclusive, Progress progress) {
    auto call = std::make_shared<Call>();
    call->job = job;
    call->work = [this, work = std::move(work)](Operation& operation) { work(*calls_, operation); };
    call->done = std::move(done);
    call->exclusive = exclusive;
    call->operation = std::make_shared<Operation>(kind_.default_timeout_ms, std::move(progress));
    if (shutting_down_)
        call->operation->cancel();
    queue(std::move(call));
}

void ProviderInstance::queue(std::shared_ptr<Call> call) {
    waiting_.push_back(std::move(call));
    run_next();
}

void ProviderInstance::run_next() {
    const std::size_t parallel_max = std::min<std::size_t>(kind_.max_parallel, workers_->threads());
    while (!waiting_.empty()) {
        const std::shared_ptr<Call> next = waiting_.front();
        const bool fits =
            next->exclusive ? running_ == 0 : !exclusive_running_ && running_ < parallel_max;
        if (!fits)
            return;
        waiting_.pop_front();
        start(next);
    }
}

void ProviderInstance::start(std::shared_ptr<Call> call) {
    ++running_;
    exclusive_running_ = call->exclusive;
    active_.emplace(call.get(), call);
    auto self = shared_from_this();
    auto work = [self, call] {
        call->operation->start();
        call->work(*call->operation);
    };
    auto done = [self, call] { self->ended(call); };
    workers_->submit(std::move(work), std::move(done));
}

void ProviderInstance::ended(const std::shared_ptr<Call>& call) {
    --running_;
    if (call->exclusive)
        exclusive_running_ = false;
    active_.erase(call.get());
    call->done();
    run_next();
    if (!shutting_down_ || !is_idle() || !on_ended_)
        return;
    // Destroying may join threads of the plugin: a worker does it.
    auto finished = std::move(on_ended_);
    on_ended_ = {};
    auto calls = std::make_shared<std::unique_ptr<ProviderCalls>>(std::move(calls_));
    // The last reference to this object, and so to its threads, is dropped by the engine thread.
    auto done = [self = shared_from_this(), finished = std::move(finished)] { finished(); };
    workers_->submit([calls] { calls->reset(); }, std::move(done));
}

void ProviderInstance::cancel(std::uint64_t job) {
    for (const auto& [key, call] : active_)
        if (call->job == job)
            call->operation->cancel();
    for (const auto& call : waiting_)
        if (call->job == job)
            call->operation->cancel();
}

void ProviderInstance::cancel_all() {
    for (const auto& [key, call] : active_)
        if (call->job != 0)
            call->operation->cancel();
    for (const auto& call : waiting_)
        if (call->job != 0)
            call->operation->cancel();
}

void ProviderInstance::cancel_everything() {
    for (const auto& [key, call] : active_)
        call->operation->cancel();
    for (const auto& call : waiting_)
        call->operation->cancel();
}

void ProviderInstance::shut_down(std::function<void()> ended) {
    shutting_down_ = true;
    on_ended_ = std::move(ended);
    cancel_all();
    if (!is_idle())
        return;
    // Through the same way as the last call of all.
    auto last = std::make_shared<Call>();
    last->operation = std::make_shared<Operation>();
    last->work = [this](Operation&) {
        if (calls_)
            calls_->stop_watch();
    };
    last->done = [] {};
    queue(std::move(last));
}

} // namespace stationsync::host
