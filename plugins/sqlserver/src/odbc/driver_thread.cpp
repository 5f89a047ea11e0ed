#include "driver_thread.hpp"

#include <atomic>
#include <thread>

namespace stationsync::sqlserver::odbc {

namespace {

std::atomic<int> left_behind_count{0};

} // namespace

struct DriverThread::State {
    std::mutex mutex;
    std::condition_variable changed;
    std::function<void()> call; // empty: none to begin
    bool is_running = false;    // from start() until the call has returned
    bool is_woken = false;
    bool is_ending = false;
    bool is_left_behind = false;
    std::thread thread;

    void serve() {
        std::unique_lock lock(mutex);
        while (true) {
            changed.wait(lock, [this] { return is_ending || call != nullptr; });
            if (call == nullptr)
                return;
            std::function<void()> present = std::move(call);
            call = nullptr;
            lock.unlock();
            present();
            present = nullptr; // what it owns ends here, on this thread
            lock.lock();
            is_running = false;
            if (is_left_behind)
                --left_behind_count;
            changed.notify_all();
        }
    }
};

DriverThread::DriverThread() : state_(std::make_shared<State>()) {
    state_->thread = std::thread([state = state_] { state->serve(); });
}

DriverThread::~DriverThread() {
    std::thread thread;
    {
        const std::lock_guard lock(state_->mutex);
        state_->is_ending = true;
        thread = std::move(state_->thread);
        if (state_->is_running) {
            state_->is_left_behind = true;
            ++left_behind_count;
            thread.detach();
        }
        state_->changed.notify_all();
    }
    if (thread.joinable())
        thread.join();
}

void DriverThread::start(std::function<void()> call) {
    const std::lock_guard lock(state_->mutex);
    state_->call = std::move(call);
    state_->is_running = true;
    state_->is_woken = false;
    state_->changed.notify_all();
}

bool DriverThread::wait_for(std::chrono::milliseconds time) {
    std::unique_lock lock(state_->mutex);
    state_->changed.wait_for(lock, time,
                             [this] { return !state_->is_running || state_->is_woken; });
    state_->is_woken = false;
    return !state_->is_running;
}

bool DriverThread::is_busy() const {
    const std::lock_guard lock(state_->mutex);
    return state_->is_running;
}

void DriverThread::wake() noexcept {
    const std::lock_guard lock(state_->mutex);
    state_->is_woken = true;
    state_->changed.notify_all();
}

int DriverThread::left_behind() noexcept {
    return left_behind_count;
}

} // namespace stationsync::sqlserver::odbc
