#include "base/log.hpp"
#include "base/path_text.hpp"
#include "base/utc_text.hpp"
#include "cli/api_client.hpp"
#include "cli/command_help.hpp"
#include "cli/commands.hpp"
#include "cli/render.hpp"
#include "config/station_config.hpp"

#include <charconv>
#include <deque>
#include <fstream>

namespace stationsync::host::cli {
namespace {

constexpr std::size_t lines_default = 100;
constexpr std::size_t lines_most = 1000;

Json to_json(const log::Entry& entry) {
    return {{"at", utc_text(entry.at_us)}, {"level", log::level_name(entry.level)},
            {"part", entry.part},          {"text", entry.text},
            {"station", entry.station},    {"object", entry.object},
            {"reason", entry.reason}};
}

// Oldest first: stationsync.4.log … stationsync.1.log, stationsync.log.
std::vector<std::filesystem::path> log_files(const log::Options& options) {
    std::vector<std::filesystem::path> files;
    for (auto number = options.files_max; number-- > 1;) {
        files.push_back(options.directory / ("stationsync." + std::to_string(number) + ".log"));
    }
    files.push_back(options.directory / "stationsync.log");
    return files;
}

// Nothing when no file can be read.
std::optional<std::deque<Json>> read_files(const log::Options& options, std::size_t lines) {
    std::optional<std::deque<Json>> entries;
    for (const auto& file : log_files(options)) {
        std::ifstream stream(file);
        if (!stream) {
            continue;
        }
        if (!entries) {
            entries.emplace();
        }
        for (std::string line; std::getline(stream, line);) {
            if (const auto entry = log::entry_of(line)) {
                entries->push_back(to_json(*entry));
                if (entries->size() > lines) {
                    entries->pop_front();
                }
            }
        }
    }
    return entries;
}

void show(const Invocation& call, Environment& environment, const Json& entry) {
    if (call.json) {
        // One object a line: a log that is followed has no end at which an array could be closed.
        environment.out << entry.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
    } else {
        render_log_entry(environment.out, entry);
    }
    environment.out.flush();
}

int follow(const Invocation& call, Environment& environment, std::size_t lines) {
    ApiClient client(call.paths, ApiClient::Token::view);
    client.stream("log", {{"follow", "true"}, {"lines", std::to_string(lines)}},
                  [&](std::string_view type, std::string_view data) {
                      const auto entry = Json::parse(data, nullptr, false);
                      if (type == "log" && entry.is_object()) {
                          show(call, environment, entry);
                      }
                      return static_cast<bool>(environment.out);
                  });
    if (environment.out) {
        throw CommandFailure("the service ended",
                             "`stationsync log` without -f shows what it wrote at last.");
    }
    return exit_done;
}

} // namespace

int run_log(const Invocation& call, Environment& environment) {
    auto lines = lines_default;
    if (const auto text = call.value("lines")) {
        const auto* const end = text->data() + text->size();
        const auto parsed = std::from_chars(text->data(), end, lines);
        if (parsed.ec != std::errc{} || parsed.ptr != end || lines > lines_most) {
            throw UsageError("--lines takes a number from 0 to 1000, not \"" + *text + "\".");
        }
    }
    if (call.has("follow")) {
        return follow(call, environment, lines);
    }
    // The files reach further back than the service's memory, but only administrators may read
    // them.
    require_station(call.paths);
    const auto config = load_station_config(call.paths);
    auto entries = config ? read_files(config.value->log, lines) : std::nullopt;
    if (entries) {
        for (const auto& entry : *entries) {
            show(call, environment, entry);
        }
        return exit_done;
    }
    const auto answer = ApiClient(call.paths, ApiClient::Token::view)
                            .get("log", {{"lines", std::to_string(lines)}});
    for (const auto& entry : list_at(answer, "entries")) {
        show(call, environment, entry);
    }
    return exit_done;
}

} // namespace stationsync::host::cli
