#include "folder_watch.hpp"

#include <stationsync/error.hpp>

#include <array>
#include <cstring>
#include <map>
#include <set>
#include <thread>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

namespace stationsync::sqlite {

namespace {

// A transaction is many writes: hints of this time become one.
constexpr int gather_ms = 100;
constexpr std::uint32_t wanted_events =
    IN_MODIFY | IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM;

class Descriptor {
public:
    explicit Descriptor(int number) noexcept : number_(number) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (number_ >= 0)
            ::close(number_);
    }
    int get() const noexcept { return number_; }

private:
    int number_;
};

} // namespace

class FolderWatch::Impl {
public:
    Impl(const std::vector<std::filesystem::path>& folders, Events events,
         std::vector<std::filesystem::path>& unwatched)
        : events_(std::move(events)),
          inotify_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)),
          stop_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
        for (const auto& folder : folders) {
            const int watch = ::inotify_add_watch(inotify_.get(), folder.c_str(), wanted_events);
            if (watch < 0)
                unwatched.push_back(folder);
            else
                folders_[watch] = folder;
        }
        if (folders_.empty())
            throw sdk::Error(STSYNC_UNSUPPORTED,
                             "None of the folders can be watched: changes are found by the "
                             "periodic scan only.");
        thread_ = std::thread([this] { run(); });
    }

    ~Impl() {
        const std::uint64_t one = 1;
        // Cannot fail: the counter is far from its limit.
        if (::write(stop_.get(), &one, sizeof one) == sizeof one && thread_.joinable())
            thread_.join();
    }

private:
    void run() {
        while (true) {
            // While hints are gathered, time ends the waiting; otherwise only an event does.
            std::array<pollfd, 2> waiting{{{inotify_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
            const int ready = ::poll(waiting.data(), waiting.size(), -1);
            if (ready < 0 && errno != EINTR) {
                events_.ended(std::strerror(errno));
                return;
            }
            if (waiting[1].revents != 0)
                return;
            pollfd stopping{stop_.get(), POLLIN, 0};
            if (::poll(&stopping, 1, gather_ms) > 0)
                return;
            read_events();
        }
    }

    void read_events() {
        std::set<std::filesystem::path> written;
        alignas(inotify_event) std::array<char, 16384> buffer;
        bool has_overflowed = false;
        while (true) {
            const ssize_t count = ::read(inotify_.get(), buffer.data(), buffer.size());
            if (count <= 0)
                break;
            for (ssize_t at = 0; at < count;) {
                inotify_event event;
                std::memcpy(&event, buffer.data() + at, sizeof event);
                const char* name = buffer.data() + at + sizeof event;
                at += static_cast<ssize_t>(sizeof event + event.len);
                if ((event.mask & IN_Q_OVERFLOW) != 0)
                    has_overflowed = true;
                const auto folder = folders_.find(event.wd);
                if (folder != folders_.end() && event.len > 0)
                    written.insert(folder->second / name);
            }
        }
        if (has_overflowed)
            events_.overflowed();
        for (const auto& file : written)
            events_.written(file);
    }

    Events events_;
    Descriptor inotify_;
    Descriptor stop_;
    std::map<int, std::filesystem::path> folders_;
    std::thread thread_;
};

FolderWatch::FolderWatch(const std::vector<std::filesystem::path>& folders, Events events,
                         std::vector<std::filesystem::path>& unwatched)
    : impl_(std::make_unique<Impl>(folders, std::move(events), unwatched)) {}

FolderWatch::~FolderWatch() = default;

} // namespace stationsync::sqlite
