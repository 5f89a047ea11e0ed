#include "config/config_text.hpp"

#include "config/root_paths.hpp"
#include "config/toml_reader.hpp"
#include "config/units.hpp"
#include "config/value.hpp"

#include <algorithm>

namespace stationsync::host {
namespace {

std::string quoted_list(const std::vector<std::string>& texts) {
    std::string list = "[";
    for (const auto& text : texts) {
        list += (list.size() > 1 ? ", " : "") + toml_quoted(text);
    }
    return list + "]";
}

// Where line `line` (from 1) begins.
std::size_t line_start(std::string_view text, unsigned line) {
    std::size_t offset = 0;
    for (unsigned at = 1; at < line; ++at) {
        const auto end = text.find('\n', offset);
        if (end == std::string_view::npos) {
            return text.size();
        }
        offset = end + 1;
    }
    return offset;
}

std::string_view line_at(std::string_view text, std::size_t start) {
    return text.substr(start, text.find('\n', start) - start);
}

Loaded<std::string> failed(const std::filesystem::path& file, unsigned line, std::string text) {
    Loaded<std::string> loaded;
    loaded.problems.push_back({file, line, std::move(text)});
    return loaded;
}

// Replaces the value at `keys`, or adds the last key under the header of its table.
std::optional<std::string> edited(std::string_view text, const std::vector<std::string>& keys,
                                  const ConfigValue& table, const std::string& value) {
    std::string result(text);
    if (const auto span = find_toml_value(text, keys)) {
        return result.replace(span->begin, span->end - span->begin, value);
    }
    const auto header = line_start(text, table.line);
    const auto line = line_at(text, header);
    const auto first = line.find_first_not_of(" \t");
    if (first == std::string_view::npos || line[first] != '[') {
        return std::nullopt; // an inline table or dotted keys
    }
    const auto crlf = line.ends_with('\r');
    const auto at_end = header + line.size() == text.size();
    result.insert(std::min(header + line.size() + 1, text.size()),
                  (at_end ? "\n" : "") + keys.back() + " = " + value + (crlf ? "\r\n" : "\n"));
    return result;
}

// Stations of one network find each other without a line from anybody: one whose inviter is off, or
// has another address by now, is in step all the same.
std::string fresh_discovery_text(const std::vector<std::string>& stations) {
    const std::string sign = stations.empty() ? "# " : "";
    return "# Stations of the same network find each other, by WS-Discovery on UDP port 3702. "
           "Without "
           "these\n# two lines nothing is sent, and all stations have to be listed.\n"
           "[discovery.lan]\nplugin = \"discovery-wsd\"\n"
           "\n# Stations to look for by address. One that can be reached introduces all others.\n" +
           sign + "[discovery.stations]\n" + sign + "plugin = \"discovery-static\"\n" + sign +
           "stations = " +
           quoted_list(stations.empty() ? std::vector<std::string>{"192.168.1.11", "station-b:8883"}
                                        : stations) +
           "\n";
}

} // namespace

std::string fresh_station_text(const FreshStation& station) {
    std::vector<std::string> listen;
    for (const auto& endpoint : station.listen) {
        listen.push_back(to_text(endpoint));
    }
    std::string text =
        "# StationSync: what belongs to this computer, whatever project runs on it.\n"
        "# A line behind # shows a default. Changes take effect after a restart of "
        "the service.\n"
        "\n"
        "[station]\n"
        "name = " +
        toml_quoted(station.name) +
        "                # shown to people, may be changed at any time\n"
        "\n"
        "[net]\n";
    text += listen.empty()
                ? "# listen = [\"0.0.0.0:8883\", \"[::]:8883\"]  # addresses for links of "
                  "other stations\n"
                : "listen = " + quoted_list(listen) + "  # addresses for links of other stations\n";
    text += "# dial_ports = [8883]           # ports that a found or introduced address may have\n";
    text += station.api ? "api = " + toml_quoted(to_text(*station.api)) +
                              "       # the local API of command line and console\n"
                        : "# api = \"127.0.0.1:8884\"      # the local API of command line and "
                          "console\n";
    return text +
           "\n"
           "[sync]                          # packages on their way\n"
           "# directory = \"sync\"            # any local folder; needs no share\n"
           "# live_above = \"64MB\"           # larger files keep no second copy here\n"
           "# size_max = \"10GB\"             # of fetches that were interrupted; nothing else\n"
           "# age_max = \"30d\"               # then such a fetch begins anew\n"
           "\n"
           "[history]                       # replaced states, for `stationsync restore`\n"
           "# directory = \"history\"\n"
           "# per_object = 5\n"
           "# age_max = \"30d\"               # of states that lost a conflict\n"
           "# size_max = \"20GB\"\n"
           "\n"
           "[log]\n"
           "# directory = \"log\"\n"
           "# level = \"info\"                # trace, debug, info, warning, error, off\n"
           "# levels = { net = \"debug\" }    # for single parts\n"
           "# size = \"10MB\"                 # of one file\n"
           "# files = 5\n";
}

std::string fresh_project_text(const FreshProject& project) {
    const auto examples = example_paths();
    return "# StationSync: what the project synchronizes. Enable a provider with `enabled = true` "
           "here or\n"
           "# with `stationsync project enable NAME`; other providers and the links stay "
           "untouched.\n"
           "# Every station of the project has such a file; paths may differ from station to "
           "station.\n"
           "\n"
           "# The version of the plant software: stations with different ones exchange nothing.\n"
           "product_version = \"\"\n"
           "\n"
           "# A folder of files: each file is an object of its own.\n"
           "[providers.recipes]\n"
           "plugin = \"filesync\"\n"
           "enabled = false\n"
           "root = " +
           toml_quoted(examples.recipes) +
           "\n"
           "include = [\"**\"]\n"
           "exclude = [\"**/*.tmp\"]\n"
           "# settle = \"5s\"                 # quiet time before a change travels\n"
           "# settle_max = \"15m\"            # it travels after this at the latest\n"
           "# scan_interval = \"5m\"          # between complete scans\n"
           "\n"
           "# SQLite databases: each file is an object that changes as a whole.\n"
           "[providers.batchdb]\n"
           "plugin = \"sqlite\"\n"
           "enabled = false\n"
           "files = [" +
           toml_quoted(examples.database) +
           "]\n"
           "# settle = \"3m\"\n"
           "\n" +
           fresh_discovery_text(project.stations);
}

Loaded<std::string> with_provider_enabled(std::string_view text, const std::filesystem::path& file,
                                          std::string_view provider, bool enabled) {
    const auto before = read_toml(text, file);
    if (!before) {
        return {std::nullopt, before.problems};
    }
    const auto* const providers = before.value->find("providers");
    const auto* const table = providers == nullptr ? nullptr : providers->find(provider);
    if (table == nullptr || table->get<ConfigValue::Table>() == nullptr) {
        std::vector<std::string> names;
        if (const auto* all =
                providers == nullptr ? nullptr : providers->get<ConfigValue::Table>()) {
            for (const auto& entry : *all) {
                names.push_back(entry.key);
            }
        }
        return failed(file, 0,
                      "there is no provider \"" + std::string(provider) + "\"." +
                          suggestion(provider, names) + " Correct the name, or add [providers." +
                          std::string(provider) + "] to this file.");
    }
    const std::string value = enabled ? "true" : "false";
    auto result = edited(text, {"providers", std::string(provider), "enabled"}, *table, value);
    // Whatever way the file is written: the change is made only if it reads back as meant.
    const auto after = result ? read_toml(*result, file) : Loaded<ConfigValue>{};
    const auto* const check =
        after ? after.value->find("providers")->find(provider)->find("enabled") : nullptr;
    if (check == nullptr || check->get<bool>() == nullptr || *check->get<bool>() != enabled) {
        return failed(file, table->line,
                      "[providers." + std::string(provider) +
                          "] is written in a form that must be edited by hand: set "
                          "enabled = " +
                          value + " there.");
    }
    return {std::move(result), {}};
}

Loaded<std::string> with_station_name(std::string_view text, const std::filesystem::path& file,
                                      std::string_view name) {
    const auto before = read_toml(text, file);
    if (!before) {
        return {std::nullopt, before.problems};
    }
    const auto* const table = before.value->find("station");
    auto result =
        table == nullptr
            ? std::optional("[station]\nname = " + toml_quoted(name) + "\n\n" + std::string(text))
            : edited(text, {"station", "name"}, *table, toml_quoted(name));
    const auto after = result ? read_toml(*result, file) : Loaded<ConfigValue>{};
    const auto* const check = after ? after.value->find("station")->find("name") : nullptr;
    if (check == nullptr || check->get<std::string>() == nullptr ||
        *check->get<std::string>() != name) {
        return failed(file, table == nullptr ? 0 : table->line,
                      "set the name by hand: name = " + toml_quoted(name) + " in [station].");
    }
    return {std::move(result), {}};
}

} // namespace stationsync::host
