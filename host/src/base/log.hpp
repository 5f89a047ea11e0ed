#pragma once
// The program's log: rotating files, one event per line, levels per part. spdlog stays behind
// log.cpp. All functions may be called from any thread, also before start() and after stop(): lines
// of level warning and above then go to standard error. Never pass a secret: what is given here is
// written.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stationsync::host::log {

enum class Level { trace, debug, info, warning, error, off };

// "trace", "debug", "info", "warning", "error", "off".
std::string_view level_name(Level level);
std::optional<Level> level_from_name(std::string_view name);

struct Options {
    std::filesystem::path directory; // made when missing; holds stationsync.log and its older parts
    Level level = Level::info;       // for every part without an entry in `levels`
    std::map<std::string, Level> levels;       // part ("net", "plugins.recipes", …) -> level
    std::uint64_t file_bytes_max = 10'000'000; // at least 64 KiB
    unsigned files_max = 5;                    // files in all, the current one included; at least 1
    bool also_to_stderr = false;
};

// What an event is about. Empty fields are left out of the line. Views live for the call only.
struct Fields {
    std::string_view station{}; // id or name of the other station
    std::string_view object{};  // PROVIDER/KEY, or a provider's name
    std::string_view reason{};  // short machine-readable cause, e.g. "no_space"
};

// One written event, as kept for `stationsync log`.
struct Entry {
    std::uint64_t number = 0; // 1, 2, 3 … since the process started
    std::int64_t at_us = 0;   // UTC microseconds since 1970
    Level level = Level::info;
    std::string part, text, station, object, reason;
};

// Opens the files. Throws std::runtime_error with a sentence for the operator when that fails.
void start(const Options& options);
// Changes levels while running.
void set_levels(Level level, const std::map<std::string, Level>& levels);
// Flushes and closes; later lines go to standard error.
void stop() noexcept;

bool enabled(std::string_view part, Level level) noexcept;
// Control characters in any of the texts are escaped: one event is always one line.
void write(Level level, std::string_view part, std::string_view text,
           const Fields& fields = {}) noexcept;
void debug(std::string_view part, std::string_view text, const Fields& fields = {}) noexcept;
void info(std::string_view part, std::string_view text, const Fields& fields = {}) noexcept;
void warning(std::string_view part, std::string_view text, const Fields& fields = {}) noexcept;
void error(std::string_view part, std::string_view text, const Fields& fields = {}) noexcept;

// Writes at most once per (part, cause) and minute; the next line that passes tells how many were
// left out. For everything that a foreign station can provoke as often as it likes. Returns whether
// the line was written.
bool write_limited(std::string_view cause, Level level, std::string_view part,
                   std::string_view text, const Fields& fields = {}) noexcept;

// The line without its end, e.g.
// 2026-03-01T08:15:00.123Z warning net "clock differs by 61 s" station=7f… reason=time
std::string line_of(const Entry& entry);
// Splits such a line again (used to read files); nothing when it is not one.
std::optional<Entry> entry_of(std::string_view line);

// The newest entries (at most 1000 are kept in memory) with number > `after`, oldest first.
std::vector<Entry> recent(std::uint64_t after, std::size_t count_max);

// Called for every entry after it was written, on the writing thread, which must not be blocked and
// must not log from inside. One listener; an empty function removes it and returns when no call
// runs.
void set_listener(std::function<void(std::uint64_t number)> listener);

// Decides "once per cause and minute"; remembers a bounded number of causes. Not thread-safe.
class MinuteLimiter {
public:
    using Instant = std::chrono::steady_clock::time_point;

    explicit MinuteLimiter(std::size_t causes_max = 512) : causes_max_(causes_max) {}
    // The number of events left out since the last admitted one when this one is admitted, else
    // nothing. When every place is taken by a younger cause, all further causes share one place.
    std::optional<std::uint64_t> admit(std::string_view cause, Instant now);

private:
    struct Place {
        Instant admitted_at;
        std::uint64_t left_out = 0;
    };
    void drop_expired(Instant now);

    std::size_t causes_max_;
    Instant next_cleaning_{}; // a flood of causes must not cost a search each
    std::map<std::string, Place, std::less<>> places_;
};

} // namespace stationsync::host::log
