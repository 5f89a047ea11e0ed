#include "config/root_paths.hpp"

#include "base/path_text.hpp"

namespace stationsync::host {

std::filesystem::path RootPaths::project_file(std::string_view project) const {
    return projects() / path_of(std::string(project) + ".toml");
}

std::filesystem::path RootPaths::project_state(std::string_view project) const {
    return state / path_of(project);
}

std::filesystem::path RootPaths::project_key(std::string_view project) const {
    return project_state(project) / "key";
}

RootPaths paths_of(const std::optional<std::filesystem::path>& root) {
    if (!root) {
        return system_paths();
    }
    RootPaths paths;
    paths.root = std::filesystem::absolute(*root).lexically_normal();
    if (!paths.root.has_filename() && paths.root != paths.root.root_path()) {
        paths.root = paths.root.parent_path(); // without the separator at the end
    }
    paths.configuration = paths.root;
    paths.state = paths.root / "state";
    paths.sync = paths.root / "sync";
    paths.history = paths.root / "history";
    paths.log = paths.root / "log";
    return paths;
}

} // namespace stationsync::host
