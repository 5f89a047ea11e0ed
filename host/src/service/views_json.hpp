// The engine's pictures as the JSON of docs/openapi.yaml. Only ever extended.
#pragma once

#include "service/runtime.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>

namespace stationsync::host {

[[nodiscard]] nlohmann::json providers_json(const Runtime& runtime, bool with_digests);
// Providers of a project while its engine does not run.
[[nodiscard]] nlohmann::json stopped_providers_json(const ProjectConfig& project);
[[nodiscard]] nlohmann::json messages_json(const std::vector<StoredMessage>& messages);
[[nodiscard]] nlohmann::json message_json(const StoredMessage& message);
[[nodiscard]] nlohmann::json stations_json(const core::Engine& engine);
[[nodiscard]] nlohmann::json objects_json(const core::Engine& engine, std::string_view provider,
                                          std::string_view key);
[[nodiscard]] nlohmann::json explain_json(const core::Engine& engine, const core::ObjectView& view);
[[nodiscard]] nlohmann::json history_json(const core::Engine& engine,
                                          const std::vector<core::HistoryEntry>& entries);
[[nodiscard]] nlohmann::json plugins_json(const PluginRegistry& plugins);

} // namespace stationsync::host
