// What the reader of project files may know of the plugins.
#pragma once

#include "config/project_config.hpp"
#include "plugins/plugin_library.hpp"

namespace stationsync::host {

// Valid as long as the registry.
inline KnownPlugins known_plugins(const PluginRegistry& plugins) {
    KnownPlugins known;
    for (const auto& kind : plugins.kinds())
        known.names.push_back(kind->id);
    known.schema_of = [&plugins](std::string_view plugin) -> std::optional<std::string> {
        const PluginKind* const kind = plugins.find(plugin);
        return kind ? std::optional(kind->config_schema) : std::nullopt;
    };
    return known;
}

} // namespace stationsync::host
