#include "plugins/provider_instance.hpp"

#include <algorithm>

namespace stationsync::host {

ProviderInstance::ProviderInstance(std::unique_ptr<ProviderCalls> calls, WorkerPool& pool)
    : calls_(std::move(calls)), pool_(pool) {}

ProviderInstance::~ProviderInstance() = default;

void ProviderInstance::call(std::uint64_t job, Work work, std::function<void()> done,
                            bool exclusive, Progress progress) {
    auto call = std::make_shared<Call>();
    call->job = job;
    call->work = std::move(work);
    call->done = std::move(done);
    call->exclusive = exclusive;
    call->operation =
        std::make_shared<Operation>(calls_->kind().default_timeout_ms, std::move(progress));
    if (shutting_down_)
        call->operation->cancel();
    waiting_.push_back(std::move(call));
    run_next();
}

void ProviderInstance::run_next() {
    while (!waiting_.empty()) {
        const std::shared_ptr<Call> next = waiting_.front();
        const bool fits =
            next->exclusive ? running_ == 0 : !exclusive_running_ && running_ < kind().max_parallel;
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
    auto work = [self, call] { call->work(*self->calls_, *call->operation); };
    auto done = [self, call] { self->ended(call); };
    pool_.submit(std::move(work), std::move(done));
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
    pool_.submit([calls] { calls->reset(); }, std::move(finished));
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
    call(
        0, [](ProviderCalls& calls, Operation&) { calls.stop_watch(); }, [] {});
}

} // namespace stationsync::host
