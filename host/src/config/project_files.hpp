#pragma once
// Small durable facts about the projects of a root, written by the command line and read by the
// service. All functions block.

#include "base/io_result.hpp"
#include "config/root_paths.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stationsync::host {

// Which project the station works for, and whether it synchronizes it (`project activate`,
// `deactivate`).
struct ProjectChoice {
    std::string project; // empty: none
    bool active = true;
    bool operator==(const ProjectChoice&) const = default;
};
// Without a file: the only project there is, active; with several or none: an empty name.
[[nodiscard]] IoResult<ProjectChoice> load_project_choice(const RootPaths& paths);
[[nodiscard]] IoResult<void> save_project_choice(const RootPaths& paths,
                                                 const ProjectChoice& choice);

// How the station came to the project: state/NAME/origin.json.
struct ProjectOrigin {
    bool founder = false;        // made by `init`: established for what is enabled at its first run
    std::int64_t made_at_us = 0; // UTC
    std::string inviter;         // id of the station whose join code was used; empty for a founder
    bool operator==(const ProjectOrigin&) const = default;
};
[[nodiscard]] IoResult<ProjectOrigin> load_project_origin(const RootPaths& paths,
                                                          std::string_view project);
[[nodiscard]] IoResult<void> save_project_origin(const RootPaths& paths, std::string_view project,
                                                 const ProjectOrigin& origin);

// Objects that a person published while no service ran: state/NAME/publish-at-start.json. The
// service reads them at its next start, before anything is put back, and forgets them once their
// revisions are durable.
struct PendingPublish {
    std::string provider;
    std::string key;
    bool operator==(const PendingPublish&) const = default;
};
[[nodiscard]] IoResult<std::vector<PendingPublish>>
load_pending_publishes(const RootPaths& paths, std::string_view project);
// Adds one unless it is there already. The caller holds the lock file of the root.
[[nodiscard]] IoResult<void> add_pending_publish(const RootPaths& paths, std::string_view project,
                                                 const PendingPublish& publish);
[[nodiscard]] IoResult<void> clear_pending_publishes(const RootPaths& paths,
                                                     std::string_view project);

// A person has stopped the engine while it did not run, for it waited for the plant's project:
// state/NAME/stopped-by-person.json. The engine is told at its next start.
[[nodiscard]] IoResult<void> save_stop_by_person(const RootPaths& paths, std::string_view project);
[[nodiscard]] IoResult<bool> was_stopped_by_person(const RootPaths& paths,
                                                   std::string_view project);
[[nodiscard]] IoResult<void> clear_stop_by_person(const RootPaths& paths, std::string_view project);

} // namespace stationsync::host
