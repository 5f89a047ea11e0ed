#pragma once
// Where a station's files lie: one folder with --root, otherwise the places usual on the system.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace stationsync::host {

struct RootPaths {
    std::filesystem::path root;          // empty without --root
    std::filesystem::path configuration; // station.toml and projects/
    std::filesystem::path state;
    std::filesystem::path sync;    // default; [sync] directory in station.toml wins
    std::filesystem::path history; // default; [history] directory wins
    std::filesystem::path log;     // default; [log] directory wins

    std::filesystem::path station_file() const { return configuration / "station.toml"; }
    std::filesystem::path projects() const { return configuration / "projects"; }
    std::filesystem::path project_file(std::string_view project) const;
    // state/NAME of one project: its database, its key, its kept hints.
    std::filesystem::path project_state(std::string_view project) const;
    std::filesystem::path project_key(std::string_view project) const;
    // Which project is active, and whether synchronization is (project_choice.hpp).
    std::filesystem::path choice_file() const { return state / "active-project.json"; }
    // The station's own key pair, readable by the service account only.
    std::filesystem::path identity_file() const { return state / "identity.key"; }
    std::filesystem::path secrets() const { return state / "secrets"; }
    // Held locked for as long as a service runs on this root.
    std::filesystem::path lock_file() const { return state / "lock"; }
    // How the command line finds the running service.
    std::filesystem::path api() const { return state / "api"; }
    std::filesystem::path api_endpoint_file() const { return api() / "api.json"; }
    std::filesystem::path view_token_file() const { return api() / "view.token"; }
    std::filesystem::path act_token_file() const { return api() / "act.token"; }
};

// Everything under `root` (made absolute), or the places of the system:
// Linux /etc/stationsync, /var/lib/stationsync, /var/log/stationsync; Windows
// ProgramData\StationSync and C:\Daten\Transfer\Data Sync.
RootPaths paths_of(const std::optional<std::filesystem::path>& root);
RootPaths system_paths();

// What a fresh project file shows, as it would look on this system.
struct ExamplePaths {
    std::string recipes;  // a folder
    std::string database; // a file
};
ExamplePaths example_paths();

} // namespace stationsync::host
