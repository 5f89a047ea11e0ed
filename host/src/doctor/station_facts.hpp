// What the checks start from: files of the station, and what its running service says.
#pragma once

#include "config/project_config.hpp"
#include "config/root_paths.hpp"
#include "config/station_config.hpp"
#include "doctor/finding.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace stationsync::host::doctor {

struct PeerFacts {
    std::string name;
    std::string state; // core::StationState as text
    bool found = false;
    bool found_by = false;
    std::optional<std::int64_t> time_difference_ms;
    bool is_outside = false; // one of its addresses is of another computer
};

struct MessageFacts {
    std::string id;
    std::string severity; // "info", "warning", "error"
    std::string subject;
    std::string text;
    std::string remedy;
};

struct ServiceFacts {
    bool answers = false;
    // Why it cannot be asked although it may be running; empty when it answers or does not run.
    std::string trouble;
    std::string trouble_remedy;
    std::int64_t process = 0; // of the service; 0: not known
    bool engine_runs = false;
    std::string reason; // why the engine is stopped
    std::vector<PeerFacts> peers;
    std::vector<MessageFacts> messages;
};

struct PluginFacts {
    std::string file;
    std::string name;
    std::string refusal; // the loader's sentence; empty: loaded
};

struct ProviderFacts {
    std::string name;
    std::string plugin;
    bool tested = false;        // the self-test ran to its end
    bool busy = false;          // it had no turn in time
    std::string trouble;        // why it did not; empty also when the plugin offers none
    std::vector<Finding> found; // id is the plugin's own code
};

// The plugins as a process sees them that has loaded them: the service, or `plugin test`.
struct PluginReport {
    std::string trouble; // why there is none
    std::vector<PluginFacts> plugins;
    std::vector<std::string> configuration; // what the plugins' schemas find wrong
    std::vector<ProviderFacts> providers;   // those that are enabled
};

struct StationFacts {
    RootPaths paths;
    // This account may not look at the station: what it sees, or fails to do, says nothing about
    // the account of the service.
    bool is_hidden = false;
    std::optional<StationConfig> station;
    std::string project; // the selected one; empty: none
    bool active = true;
    std::string choice_trouble;          // the selection cannot be read
    std::optional<ProjectConfig> config; // of the selected project
    std::vector<ConfigProblem> problems; // of both files
    std::vector<std::string> projects;   // that have a file or a key
    std::vector<std::string> addresses;  // numeric, of this computer, for other computers
    ServiceFacts service;
    PluginReport report;

    // As configured, else the defaults: the ports are checked with a broken configuration, too.
    [[nodiscard]] std::vector<Endpoint> listen() const;
    [[nodiscard]] bool listen_is_default() const;
    // Nothing of a station is in the folder, as far as this account may look.
    [[nodiscard]] bool is_no_station() const;
    [[nodiscard]] bool is_discovery_enabled(std::string_view plugin) const;
};

// Reads the configuration and the selection. Blocking.
[[nodiscard]] StationFacts read_station(const RootPaths& paths);

// What a person types to do something to this very station.
[[nodiscard]] std::string stationsync_command(const StationFacts& facts,
                                              const std::string& arguments);

} // namespace stationsync::host::doctor
