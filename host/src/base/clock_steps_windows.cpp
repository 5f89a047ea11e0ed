#include "base/clock_steps.hpp"

#include <winsock2.h>

#include <windows.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <atomic>
#include <future>
#include <thread>

namespace stationsync::host {

// WM_TIMECHANGE goes to top-level windows only, so a hidden one with a thread of its own waits for
// it; that works in a service and on a desktop alike.
struct ClockSteps::State : std::enable_shared_from_this<State> {
    State(boost::asio::io_context& io, std::function<void()> action)
        : context(io), set(std::move(action)) {}

    static LRESULT CALLBACK handle(HWND window, UINT message, WPARAM first, LPARAM second) {
        if (message == WM_TIMECHANGE) {
            auto* const state = reinterpret_cast<State*>(GetWindowLongPtrW(window, GWLP_USERDATA));
            if (state != nullptr)
                boost::asio::post(state->context, [self = state->weak_from_this()] {
                    if (const auto alive = self.lock(); alive && alive->set)
                        alive->set();
                });
            return 0;
        }
        if (message == WM_CLOSE)
            PostQuitMessage(0);
        return DefWindowProcW(window, message, first, second);
    }
    void run(std::promise<HWND> made) {
        WNDCLASSW kind{};
        kind.lpfnWndProc = handle;
        kind.hInstance = GetModuleHandleW(nullptr);
        kind.lpszClassName = L"StationSyncClock";
        RegisterClassW(&kind);
        const HWND hidden = CreateWindowExW(0, kind.lpszClassName, L"", WS_OVERLAPPED, 0, 0, 0, 0,
                                            nullptr, nullptr, kind.hInstance, nullptr);
        if (hidden != nullptr)
            SetWindowLongPtrW(hidden, GWLP_USERDATA, reinterpret_cast<LONG_PTR>(this));
        made.set_value(hidden);
        MSG message;
        while (hidden != nullptr && GetMessageW(&message, nullptr, 0, 0) > 0)
            DispatchMessageW(&message);
        if (hidden != nullptr)
            DestroyWindow(hidden);
    }

    boost::asio::io_context& context;
    std::function<void()> set;
    HWND window = nullptr;
    std::thread thread;
};

ClockSteps::ClockSteps(boost::asio::io_context& context, std::function<void()> set)
    : state_(std::make_shared<State>(context, std::move(set))) {
    std::promise<HWND> made;
    auto window = made.get_future();
    state_->thread = std::thread(
        [state = state_.get(), made = std::move(made)]() mutable { state->run(std::move(made)); });
    state_->window = window.get();
}

ClockSteps::~ClockSteps() {
    if (state_->window != nullptr)
        PostMessageW(state_->window, WM_CLOSE, 0, 0);
    state_->thread.join();
    state_->set = nullptr;
}

} // namespace stationsync::host
