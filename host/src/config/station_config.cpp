#include "config/station_config.hpp"

#include "base/path_text.hpp"
#include "config/section_reader.hpp"
#include "config/toml_reader.hpp"
#include "config/units.hpp"

#include <algorithm>

namespace stationsync::host {
namespace {

// Which parts of the program write log lines; `plugins` covers all of them.
bool is_log_part(std::string_view part) {
    return !part.empty() && part.size() <= 64 && std::ranges::all_of(part, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
    });
}

class StationReader {
public:
    StationReader(const ConfigValue& top, const std::filesystem::path& file, const RootPaths& paths,
                  std::vector<ConfigProblem>& problems)
        : file_(file), paths_(paths), problems_(problems), top_(&top, "", file, problems) {}

    StationConfig read() {
        read_station();
        read_net();
        read_sync();
        read_history();
        read_log();
        top_.report_unknown();
        return std::move(config_);
    }

private:
    SectionReader section(const std::string& name) {
        return {top_.table(name), "[" + name + "]", file_, problems_};
    }

    // Relative folders are meant from the configuration's place.
    std::filesystem::path folder(SectionReader& reader, const std::filesystem::path& standard) {
        const auto text = reader.text("directory");
        if (!text) {
            return standard;
        }
        if (text->empty()) {
            reader.problem(reader.line_of("directory"),
                           reader.named("directory") + " is empty: name a folder or leave it out.");
            return standard;
        }
        return (paths_.configuration / path_of(*text)).lexically_normal();
    }

    void read_station() {
        auto reader = section("station");
        if (auto name = reader.text("name")) {
            const auto control = std::ranges::any_of(
                *name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
            if (name->empty() || name->size() > 48 || control) {
                reader.problem(reader.line_of("name"),
                               reader.named("name") +
                                   " must have 1 to 48 bytes and no control characters.");
            }
            config_.name = std::move(*name);
        } else if (!reader.has("name")) {
            reader.problem(reader.line_of("name"),
                           "the station has no name: write [station] with name = \"...\".");
        }
        reader.report_unknown();
    }

    void read_net() {
        auto reader = section("net");
        for (const auto& [text, line] : reader.texts("listen")) {
            if (const auto endpoint = parse_listen(text, link_port_default)) {
                config_.net.listen.push_back(*endpoint);
            } else {
                bad_address(reader, "listen", text, line, listen_form(text));
            }
        }
        config_.net.listen_is_default = !reader.has("listen");
        if (config_.net.listen_is_default) {
            config_.net.listen = {{"0.0.0.0", link_port_default}, {"::", link_port_default}};
        } else if (config_.net.listen.empty() && problems_.empty()) {
            reader.problem(reader.line_of("listen"),
                           reader.named("listen") +
                               " names no address: leave it out to listen on all.");
        }
        if (reader.has("dial_ports")) {
            config_.net.dial_ports.clear();
        }
        for (const auto& [port, line] : reader.integers("dial_ports")) {
            if (port < 1 || port > 65535) {
                reader.problem(line, reader.named("dial_ports") + " holds " + std::to_string(port) +
                                         ", but ports are from 1 to 65535.");
            } else {
                config_.net.dial_ports.push_back(static_cast<std::uint16_t>(port));
            }
        }
        if (const auto text = reader.text("api")) {
            config_.net.api = parse_endpoint(*text, api_port_default);
            if (!config_.net.api) {
                bad_address(reader, "api", *text, reader.line_of("api"), endpoint_form);
            }
        }
        reader.report_unknown();
    }

    static void bad_address(SectionReader& reader, const std::string& key, const std::string& text,
                            unsigned line, std::string_view right) {
        reader.problem(line, reader.named(key) + " must be " + std::string(right) + ", not " +
                                 toml_quoted(text) + ".");
    }

    void read_sync() {
        auto reader = section("sync");
        config_.sync.directory = folder(reader, paths_.sync);
        config_.sync.live_above_bytes =
            reader.size("live_above", 0).value_or(config_.sync.live_above_bytes);
        config_.sync.size_max_bytes =
            reader.size("size_max", 0).value_or(config_.sync.size_max_bytes);
        if (const auto age = reader.duration("age_max", std::chrono::seconds(0))) {
            config_.sync.age_max = std::chrono::duration_cast<std::chrono::seconds>(*age);
        }
        reader.report_unknown();
    }

    void read_history() {
        auto reader = section("history");
        config_.history.directory = folder(reader, paths_.history);
        config_.history.per_object = static_cast<unsigned>(
            reader.integer("per_object", 1, 10'000).value_or(config_.history.per_object));
        if (const auto age = reader.duration("age_max", std::chrono::hours(24))) {
            config_.history.age_max = std::chrono::duration_cast<std::chrono::seconds>(*age);
        }
        config_.history.size_max_bytes =
            reader.size("size_max", 0).value_or(config_.history.size_max_bytes);
        reader.report_unknown();
    }

    std::optional<log::Level> level(SectionReader& reader, const std::string& key) {
        const auto name = reader.text(key);
        const auto level = name ? log::level_from_name(*name) : std::nullopt;
        if (name && !level) {
            reader.problem(reader.line_of(key),
                           reader.named(key) +
                               " must be trace, debug, info, warning, error or off, not " +
                               toml_quoted(*name) + ".");
        }
        return level;
    }

    void read_log() {
        auto reader = section("log");
        config_.log.directory = folder(reader, paths_.log);
        config_.log.level = level(reader, "level").value_or(config_.log.level);
        config_.log.file_bytes_max =
            reader.size("size", 65'536).value_or(config_.log.file_bytes_max);
        config_.log.files_max =
            static_cast<unsigned>(reader.integer("files", 1, 1000).value_or(config_.log.files_max));
        if (const auto* levels = reader.table("levels")) {
            SectionReader parts(levels, "[log.levels]", file_, problems_);
            for (const auto& entry : std::get<ConfigValue::Table>(levels->data)) {
                if (!is_log_part(entry.key)) {
                    parts.problem(entry.line,
                                  parts.named(entry.key) +
                                      " is no part of the program; parts are named like "
                                      "net, packages or \"plugins.recipes\".");
                } else if (const auto found = level(parts, entry.key)) {
                    config_.log.levels[entry.key] = *found;
                }
            }
        }
        reader.report_unknown();
    }

    const std::filesystem::path& file_;
    const RootPaths& paths_;
    std::vector<ConfigProblem>& problems_;
    SectionReader top_;
    StationConfig config_;
};

} // namespace

Endpoint api_endpoint(const StationConfig& config) {
    if (config.net.api) {
        return *config.net.api;
    }
    for (const auto& listen : config.net.listen) {
        if (is_loopback(listen)) {
            return {listen.address, api_port_default};
        }
    }
    return {"127.0.0.1", api_port_default};
}

Loaded<StationConfig> parse_station_config(std::string_view text, const std::filesystem::path& file,
                                           const RootPaths& paths) {
    Loaded<StationConfig> loaded;
    const auto top = read_toml(text, file);
    loaded.problems = top.problems;
    if (!top) {
        return loaded;
    }
    auto config = StationReader(*top.value, file, paths, loaded.problems).read();
    std::ranges::stable_sort(loaded.problems, {}, &ConfigProblem::line);
    if (loaded.problems.empty()) {
        loaded.value = std::move(config);
    }
    return loaded;
}

Loaded<StationConfig> load_station_config(const RootPaths& paths) {
    const auto file = paths.station_file();
    const auto text = read_text_file(file);
    if (!text) {
        Loaded<StationConfig> loaded;
        loaded.problems = text.problems;
        std::error_code ignored;
        if (!std::filesystem::exists(file, ignored) && !ignored) {
            loaded.problems.front().text += "; this is no station yet: use `stationsync init` or "
                                            "`stationsync join` first, or name "
                                            "its folder with --root";
        }
        return loaded;
    }
    return parse_station_config(*text.value, file, paths);
}

} // namespace stationsync::host
