#pragma once
// projects/NAME.toml: what a project synchronizes and how its stations are found.

#include "config/apply_when.hpp"
#include "config/problem.hpp"
#include "config/root_paths.hpp"
#include "config/value.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stationsync::host {

struct ProviderConfig {
    std::string name;   // [a-z0-9-]{1,32}
    std::string plugin; // e.g. "filesync"
    bool enabled = true;
    std::chrono::milliseconds settle{};        // quiet time before a change is sealed
    std::chrono::milliseconds settle_max{};    // sealed after this at the latest, >= settle
    std::chrono::milliseconds scan_interval{}; // between complete scans, > 0
    ApplyWhen apply_when;                      // asks nothing: always
    ConfigValue own;                           // a table: the plugin's own keys
    unsigned line = 0;

    bool operator==(const ProviderConfig& other) const; // lines apart
};

struct DiscoveryConfig {
    std::string name;
    std::string plugin;
    bool enabled = true;
    ConfigValue own;
    unsigned line = 0;

    bool operator==(const DiscoveryConfig& other) const; // lines apart
};

// What the plant's own software is asked. Every command goes through the system's shell and has 10
// seconds.
struct ProjectConditions {
    std::string follow;                 // the engine runs while it succeeds; empty: always
    std::filesystem::path version_file; // absolute; empty: no file
    std::string version_pattern;        // regular expression (ECMAScript) for a line of the file
    std::string version_command;        // the first line of its output is the version

    [[nodiscard]] bool asks_version() const {
        return !version_file.empty() || !version_command.empty();
    }
    [[nodiscard]] bool asks_anything() const { return !follow.empty() || asks_version(); }
    bool operator==(const ProjectConditions&) const = default;
};

struct ProjectConfig {
    std::string name; // of the project, given by the caller
    std::filesystem::path file;
    // Empty: not stated, judged equal only to not stated; or asked for, see `conditions`.
    std::string product_version;
    ProjectConditions conditions;
    // A provider whose back ends or plugins do not fit stops itself, not the whole pair of
    // stations.
    bool skip_mismatched_provider = false;
    std::vector<ProviderConfig> providers;    // by name
    std::vector<DiscoveryConfig> discoveries; // by name
};

constexpr std::chrono::minutes settle_default_database{3};
constexpr std::chrono::seconds settle_default_files{5};
constexpr std::chrono::minutes settle_max_default{15};

// The plugin's schema of its own keys (config_schema of its descriptor); nothing when there is no
// such plugin, an empty text when it has no schema (any own key is then accepted).
using SchemaOfPlugin = std::function<std::optional<std::string>(std::string_view plugin)>;
// The ids of plugins that exist, for "did you mean"; may be empty.
struct KnownPlugins {
    SchemaOfPlugin schema_of; // empty function: own keys and plugin names are not checked
    std::vector<std::string> names;
};

// Never throws for bad content or a missing file. A relative path among own keys stays as written:
// plugins see paths relative to nothing, so their schemas ask for absolute ones.
Loaded<ProjectConfig> load_project_config(const RootPaths& paths, std::string_view project,
                                          const KnownPlugins& plugins = {});
Loaded<ProjectConfig> parse_project_config(std::string_view text, const std::filesystem::path& file,
                                           std::string_view project,
                                           const KnownPlugins& plugins = {});

// The names of all projects that have a file, sorted.
std::vector<std::string> list_projects(const RootPaths& paths);

} // namespace stationsync::host
