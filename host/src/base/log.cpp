#include "base/log.hpp"

#include "base/clock.hpp"
#include "base/path_text.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/rotating_file_sink.h>

#include <array>
#include <cstdio>
#include <deque>
#include <memory>
#include <mutex>
#include <stdexcept>

namespace stationsync::host::log {
namespace {

constexpr std::size_t recent_max = 1000;
constexpr std::array<std::string_view, 6> names{"trace",   "debug", "info",
                                                "warning", "error", "off"};

struct State {
    std::mutex mutex; // guards all below but the listener
    std::shared_ptr<spdlog::logger> files;
    bool also_to_stderr = false;
    Level level = Level::info;
    std::map<std::string, Level, std::less<>> levels;
    std::deque<Entry> recent;
    std::uint64_t last_number = 0;
    MinuteLimiter limiter;

    std::mutex listener_mutex; // held while the listener runs, so that removing it waits
    std::function<void(std::uint64_t)> listener;
};

State& state() {
    // Never destroyed: other threads may log until the very end of the process.
    static auto* const instance = new State;
    return *instance;
}

Level level_of(const State& log, std::string_view part) {
    for (;;) {
        if (const auto found = log.levels.find(part); found != log.levels.end()) {
            return found->second;
        }
        const auto dot = part.rfind('.');
        if (dot == std::string_view::npos) {
            return log.level;
        }
        part = part.substr(0, dot);
    }
}

spdlog::level::level_enum spdlog_level(Level level) {
    constexpr std::array levels{spdlog::level::trace, spdlog::level::debug, spdlog::level::info,
                                spdlog::level::warn,  spdlog::level::err,   spdlog::level::off};
    return levels[static_cast<std::size_t>(level)];
}

// Strings of this type name files: wide on Windows. A template, so that only one branch is
// compiled.
template <class Name = spdlog::filename_t>
Name file_name(const std::filesystem::path& path) {
    if constexpr (std::is_same_v<Name, std::filesystem::path::string_type>) {
        return path.native();
    } else {
        const auto text = path_text(path);
        return {text.begin(), text.end()};
    }
}

void emit(State& log, Level level, std::string_view part, std::string_view text,
          const Fields& fields) {
    std::uint64_t number = 0;
    {
        const std::lock_guard lock(log.mutex);
        if (level == Level::off || level < level_of(log, part)) {
            return;
        }
        Entry entry{++log.last_number,
                    wall_now_us(),
                    level,
                    std::string(part),
                    std::string(text),
                    std::string(fields.station),
                    std::string(fields.object),
                    std::string(fields.reason)};
        number = entry.number;
        const auto line = line_of(entry);
        if (log.files) {
            log.files->log(spdlog_level(level), "{}", line);
        }
        if (log.also_to_stderr || (!log.files && level >= Level::warning)) {
            std::fprintf(stderr, "%s\n", line.c_str());
        }
        log.recent.push_back(std::move(entry));
        if (log.recent.size() > recent_max) {
            log.recent.pop_front();
        }
    }
    const std::lock_guard lock(log.listener_mutex);
    if (log.listener) {
        log.listener(number);
    }
}

} // namespace

std::string_view level_name(Level level) {
    return names[static_cast<std::size_t>(level)];
}

std::optional<Level> level_from_name(std::string_view name) {
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (names[i] == name) {
            return static_cast<Level>(i);
        }
    }
    return std::nullopt;
}

static constexpr const char* log_remedy =
    "Give the account of the service the right to write there and room on that disk, or set "
    "another folder with `directory` in [log] of station.toml.";

void start(const Options& options) {
    std::error_code error;
    std::filesystem::create_directories(options.directory, error);
    if (error) {
        throw std::runtime_error("the log folder " + path_text(options.directory) +
                                 " cannot be made: " + error.message() + ". " + log_remedy);
    }
    const auto path = options.directory / "stationsync.log";
    try {
        auto sink = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(
            file_name(path), static_cast<std::size_t>(options.file_bytes_max),
            options.files_max - 1);
        auto files = std::make_shared<spdlog::logger>("stationsync", std::move(sink));
        files->set_pattern("%v");
        files->set_level(spdlog::level::trace);
        files->flush_on(spdlog::level::trace); // the lines before a crash are the interesting ones
        auto& log = state();
        const std::lock_guard lock(log.mutex);
        log.files = std::move(files);
        log.also_to_stderr = options.also_to_stderr;
    } catch (const spdlog::spdlog_ex& failure) {
        throw std::runtime_error("the log file " + path_text(path) +
                                 " cannot be opened: " + failure.what() + ". " + log_remedy);
    }
    set_levels(options.level, options.levels);
}

void set_levels(Level level, const std::map<std::string, Level>& levels) {
    auto& log = state();
    const std::lock_guard lock(log.mutex);
    log.level = level;
    log.levels.clear();
    log.levels.insert(levels.begin(), levels.end());
}

void stop() noexcept {
    auto& log = state();
    const std::lock_guard lock(log.mutex);
    log.files.reset();
    log.also_to_stderr = false;
}

bool enabled(std::string_view part, Level level) noexcept {
    auto& log = state();
    const std::lock_guard lock(log.mutex);
    return level != Level::off && level >= level_of(log, part);
}

void write(Level level, std::string_view part, std::string_view text,
           const Fields& fields) noexcept {
    try {
        emit(state(), level, part, text, fields);
    } catch (...) {
        // Out of memory at most: the program's work matters more than its log.
        std::fputs("stationsync: a log line was lost\n", stderr);
    }
}

void debug(std::string_view part, std::string_view text, const Fields& fields) noexcept {
    write(Level::debug, part, text, fields);
}
void info(std::string_view part, std::string_view text, const Fields& fields) noexcept {
    write(Level::info, part, text, fields);
}
void warning(std::string_view part, std::string_view text, const Fields& fields) noexcept {
    write(Level::warning, part, text, fields);
}
void error(std::string_view part, std::string_view text, const Fields& fields) noexcept {
    write(Level::error, part, text, fields);
}

bool write_limited(std::string_view cause, Level level, std::string_view part,
                   std::string_view text, const Fields& fields) noexcept {
    try {
        auto& log = state();
        std::optional<std::uint64_t> left_out;
        {
            const std::lock_guard lock(log.mutex);
            left_out = log.limiter.admit(std::string(part) + '\0' + std::string(cause),
                                         MinuteLimiter::Instant::clock::now());
        }
        if (!left_out) {
            return false;
        }
        if (*left_out == 0) {
            emit(log, level, part, text, fields);
        } else {
            emit(log, level, part,
                 std::string(text) + " (and " + std::to_string(*left_out) + " more times before)",
                 fields);
        }
        return true;
    } catch (...) {
        return false;
    }
}

std::vector<Entry> recent(std::uint64_t after, std::size_t count_max) {
    auto& log = state();
    const std::lock_guard lock(log.mutex);
    auto first = log.recent.begin();
    while (first != log.recent.end() && first->number <= after) {
        ++first;
    }
    if (static_cast<std::size_t>(log.recent.end() - first) > count_max) {
        first = log.recent.end() - static_cast<std::ptrdiff_t>(count_max);
    }
    return {first, log.recent.end()};
}

void set_listener(std::function<void(std::uint64_t number)> listener) {
    auto& log = state();
    const std::lock_guard lock(log.listener_mutex);
    log.listener = std::move(listener);
}

void MinuteLimiter::drop_expired(Instant now) {
    std::erase_if(places_, [now](const auto& place) {
        return now - place.second.admitted_at >= std::chrono::minutes(1) &&
               place.second.left_out == 0;
    });
    // Those that owe a count are kept while there is room, then go as well.
    if (places_.size() >= causes_max_) {
        std::erase_if(places_, [now](const auto& place) {
            return now - place.second.admitted_at >= std::chrono::minutes(1);
        });
    }
}

std::optional<std::uint64_t> MinuteLimiter::admit(std::string_view cause, Instant now) {
    auto found = places_.find(cause);
    if (found == places_.end() && places_.size() >= causes_max_ && now >= next_cleaning_) {
        drop_expired(now);
        next_cleaning_ = now + std::chrono::seconds(1);
    }
    if (found == places_.end() && places_.size() >= causes_max_) {
        cause = "every further cause";
        found = places_.find(cause);
    }
    if (found == places_.end()) {
        places_.emplace(cause, Place{now, 0});
        return 0;
    }
    if (now - found->second.admitted_at < std::chrono::minutes(1)) {
        ++found->second.left_out;
        return std::nullopt;
    }
    const auto left_out = found->second.left_out;
    found->second = {now, 0};
    return left_out;
}

} // namespace stationsync::host::log
