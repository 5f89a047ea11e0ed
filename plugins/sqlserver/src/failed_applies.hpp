// Packages that cost the users of a database an outage, or the server a whole restore, and failed:
// they are not tried again at the pace of the host.
#pragma once

#include "content_id.hpp"

#include <stationsync/error.hpp>

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace stationsync::sqlserver {

// In memory: a restart of the service begins anew, as do another content and a new order of a
// person, which is a revision with another time. Thread-safe.
class FailedApplies {
public:
    using Clock = std::chrono::steady_clock;
    static constexpr std::chrono::minutes pause_min{5};
    static constexpr std::chrono::minutes pause_max{240};

    struct What {
        std::string file;                 // name, size and time of the package
        std::optional<ContentId> content; // once it has been read
        stsync_time changed_at = STSYNC_TIME_NONE;
    };

    // Why it is not tried now: BUSY, with the earlier cause and when it is tried.
    std::optional<sdk::Error> answer(const std::string& key, const What& what,
                                     Clock::time_point now);
    // `sentence` says what failed; `utc_now` is for the text only. How long to wait.
    std::chrono::milliseconds remember(const std::string& key, const What& what,
                                       const std::string& sentence, Clock::time_point now,
                                       stsync_time utc_now);
    void forget(const std::string& key);

private:
    struct Entry {
        What what;
        std::chrono::minutes length{0};
        Clock::time_point until;
        std::string text;
    };
    static bool is_same(const What& one, const What& other);

    std::mutex mutex_;
    std::map<std::string, Entry> entries_;
};

} // namespace stationsync::sqlserver
