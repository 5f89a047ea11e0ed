#include "watcher.hpp"

#include "root_marker.hpp"

#include <stationsync/error.hpp>

#include <array>
#include <cerrno>
#include <cstring>
#include <set>
#include <thread>
#include <unordered_map>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

namespace filesync {

namespace sdk = stationsync::sdk;
namespace fs = std::filesystem;

namespace {

constexpr std::uint32_t watched_events =
    IN_CLOSE_WRITE | IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
    IN_MOVE_SELF | IN_DELETE_SELF | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK;
// A program that writes all the time is told about this often.
constexpr int write_pause_ms = 500;

[[noreturn]] void fail(const char* what) {
    const std::error_code code(errno, std::generic_category());
    throw sdk::Error(sdk::status_of(code),
                     std::string("Watching for changes failed: ") + what + ": " + code.message() +
                         ". The files are scanned from time to time instead.");
}

class OwnedDescriptor {
public:
    OwnedDescriptor(int value, const char* what) : value_(value) {
        if (value < 0)
            fail(what);
    }
    OwnedDescriptor(const OwnedDescriptor&) = delete;
    OwnedDescriptor& operator=(const OwnedDescriptor&) = delete;
    ~OwnedDescriptor() { ::close(value_); }
    int get() const noexcept { return value_; }

private:
    int value_;
};

} // namespace

class Watcher::Loop {
public:
    Loop(Context& context, sdk::WatchSink sink)
        : context_(context),
          sink_(sink),
          events_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC), "inotify_init1"),
          stop_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd") {
        cover(std::string(), false);
        if (paths_.empty())
            fail("the root");
        thread_ = std::thread([this] { run(); });
    }

    ~Loop() {
        const std::uint64_t one = 1;
        // Cannot fail: the counter is far from its limit.
        static_cast<void>(::write(stop_.get(), &one, sizeof one) == sizeof one);
        thread_.join();
    }

private:
    void run() noexcept {
        try {
            while (true) {
                std::array<pollfd, 2> waits = {pollfd{events_.get(), POLLIN, 0},
                                               pollfd{stop_.get(), POLLIN, 0}};
                const int limit = written_.empty() ? -1 : write_pause_ms;
                if (::poll(waits.data(), waits.size(), limit) < 0 && errno != EINTR)
                    fail("poll");
                if (waits[1].revents != 0)
                    return;
                if (waits[0].revents != 0)
                    take_events();
                else
                    flush_written();
            }
        } catch (const std::exception& error) {
            sink_.lost(error.what());
        }
    }

    void take_events() {
        alignas(inotify_event) std::array<char, 65536> buffer;
        const ssize_t size = ::read(events_.get(), buffer.data(), buffer.size());
        if (size < 0) {
            if (errno == EAGAIN || errno == EINTR)
                return;
            fail("read");
        }
        for (ssize_t at = 0; at < size;) {
            inotify_event event;
            std::memcpy(&event, buffer.data() + at, sizeof event);
            const char* name = event.len == 0 ? "" : buffer.data() + at + sizeof event;
            take(event, name);
            at += static_cast<ssize_t>(sizeof event + event.len);
        }
        if (last_flush_is_old())
            flush_written();
    }

    void take(const inotify_event& event, std::string_view name) {
        if ((event.mask & IN_Q_OVERFLOW) != 0) {
            // Which folders came and went is lost too.
            cover(std::string(), false);
            sink_.rescan();
            return;
        }
        const auto found = paths_.find(event.wd);
        if (found == paths_.end())
            return;
        if ((event.mask & (IN_IGNORED | IN_UNMOUNT)) != 0) {
            paths_.erase(found);
            sink_.rescan();
            return;
        }
        // Folders below the root are told by the folder that they were in.
        if ((event.mask & (IN_MOVE_SELF | IN_DELETE_SELF)) != 0) {
            if (found->second.empty())
                sink_.rescan();
            return;
        }
        const std::string key =
            found->second.empty() ? std::string(name) : found->second + "/" + std::string(name);
        if ((event.mask & IN_ISDIR) != 0)
            take_folder(event.mask, key);
        else
            take_file(event.mask, key);
    }

    void take_folder(std::uint32_t mask, const std::string& path) {
        if (context_.settings.patterns.excludes_folder(path))
            return;
        if ((mask & (IN_CREATE | IN_MOVED_TO)) != 0) {
            cover(path, true);
        } else if ((mask & (IN_DELETE | IN_MOVED_FROM)) != 0) {
            // The paths of what was in it are no longer true.
            forget_below(path);
            sink_.rescan();
        }
    }

    void take_file(std::uint32_t mask, const std::string& key) {
        if (!context_.settings.contains(key))
            return;
        if ((mask & IN_MODIFY) != 0) {
            written_.insert(key);
            return;
        }
        written_.erase(key);
        sink_.changed(key);
    }

    bool last_flush_is_old() const noexcept {
        return !written_.empty() &&
               file_clock_now_ns() - flushed_at_ns_ >= std::int64_t{write_pause_ms} * 1'000'000;
    }

    void flush_written() {
        for (const std::string& key : written_)
            sink_.changed(key);
        written_.clear();
        flushed_at_ns_ = file_clock_now_ns();
    }

    // Watches a folder and all below it; `is_new`: also tells of the files in it, which may have
    // come before the watch did.
    void cover(const std::string& top, bool is_new) {
        std::vector<std::string> waiting{top};
        while (!waiting.empty()) {
            const std::string path = std::move(waiting.back());
            waiting.pop_back();
            if (!add(path))
                continue;
            for (const Entry& entry : names_in(path)) {
                const std::string key = path.empty() ? entry.name : path + "/" + entry.name;
                const bool is_folder = entry.kind == Kind::folder;
                if (is_folder && !context_.settings.patterns.excludes_folder(key))
                    waiting.push_back(key);
                else if (!is_folder && is_new && context_.settings.contains(key))
                    sink_.changed(key);
            }
        }
    }

    std::vector<Entry> names_in(const std::string& path) const {
        std::vector<Entry> entries;
        try {
            open_path(Folder::open_root(context_.settings.root), path).list(entries);
        } catch (const sdk::Error&) {
            // Gone again, or not readable: the scan tells which.
            entries.clear();
        }
        return entries;
    }

    bool add(const std::string& path) {
        const fs::path whole =
            path.empty() ? context_.settings.root / "." : context_.settings.root / path;
        const int watch = ::inotify_add_watch(events_.get(), whole.c_str(), watched_events);
        if (watch >= 0) {
            paths_[watch] = path;
            return true;
        }
        const bool is_limit = errno == ENOSPC || errno == ENOMEM;
        if (is_limit && !std::exchange(has_told_limit_, true))
            context_.host.log(STSYNC_LOG_WARNING, "filesync.watch_limit", {},
                              "Not all folders can be watched, changes in the others are found by "
                              "the periodic scan: raise fs.inotify.max_user_watches.");
        return false;
    }

    void forget_below(const std::string& top) {
        for (auto at = paths_.begin(); at != paths_.end();) {
            const std::string& path = at->second;
            const bool is_below = path == top || path.compare(0, top.size() + 1, top + "/") == 0;
            if (is_below) {
                ::inotify_rm_watch(events_.get(), at->first);
                at = paths_.erase(at);
            } else {
                ++at;
            }
        }
    }

    Context& context_;
    sdk::WatchSink sink_;
    OwnedDescriptor events_;
    OwnedDescriptor stop_;
    std::unordered_map<int, std::string> paths_; // watch -> path below the root
    std::set<std::string> written_;              // keys being written, not yet told
    std::int64_t flushed_at_ns_ = 0;
    bool has_told_limit_ = false;
    std::thread thread_;
};

Watcher::Watcher(Context& context, sdk::WatchSink sink)
    : loop_(std::make_unique<Loop>(context, sink)) {}

Watcher::~Watcher() = default;

} // namespace filesync
