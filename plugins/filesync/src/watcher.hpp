// Tells the host at once which files changed. One implementation per system: watcher_linux.cpp,
// watcher_windows.cpp.
#pragma once

#include "live.hpp"

#include <stationsync/provider.hpp>

#include <memory>

namespace filesync {

// Watches from construction to destruction, on a thread of its own.
class Watcher {
public:
    // Throws sdk::Error when nothing can be watched. A part that cannot be watched is logged: the
    // host's periodic scan covers it.
    Watcher(Context& context, stationsync::sdk::WatchSink sink);
    Watcher(const Watcher&) = delete;
    Watcher& operator=(const Watcher&) = delete;
    // Joins the thread.
    ~Watcher();

private:
    class Loop;
    std::unique_ptr<Loop> loop_;
};

} // namespace filesync
