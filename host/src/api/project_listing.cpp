#include "api/project_listing.hpp"

#include "config/project_config.hpp"
#include "config/project_files.hpp"

#include <nlohmann/json.hpp>

namespace stationsync::host {

nlohmann::json project_listing(const RootPaths& paths) {
    using nlohmann::json;
    const auto choice = load_project_choice(paths);
    auto projects = json::array();
    for (const auto& name : list_projects(paths)) {
        const auto selected = choice && choice->project == name;
        auto providers = json::array();
        const auto config = load_project_config(paths, name);
        if (config) {
            for (const auto& provider : config.value->providers) {
                providers.push_back({{"name", provider.name},
                                     {"plugin", provider.plugin},
                                     {"enabled", provider.enabled}});
            }
        }
        projects.push_back({{"name", name},
                            {"selected", selected},
                            {"active", selected && choice->active},
                            {"product_version", config ? config.value->product_version : ""},
                            {"providers", std::move(providers)},
                            {"problem", to_text(config.problems)}});
    }
    return projects;
}

} // namespace stationsync::host
