// What one plugin instance gets from the host: log, configuration, secrets, staging, clock,
// key-value.
#pragma once

#include "config/value.hpp"
#include "stationsync/host.h"

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stationsync::host {

// Durable values of plugin instances. Any thread.
class PluginValueStore {
public:
    using KeyValues = std::vector<std::pair<std::string, std::optional<std::string>>>;
    virtual ~PluginValueStore() = default;
    // An error is a sentence.
    virtual bool get(const std::string& instance, const std::string& key,
                     std::optional<std::string>& value, std::string& error) = 0;
    virtual bool put(const std::string& instance, const KeyValues& values, std::string& error) = 0;
};

struct InstanceSettings {
    std::string name;        // of the provider or discovery, for people and as log part
    std::string instance_id; // the same on every start of this station
    std::string project;
    std::filesystem::path packages; // the sync directory
    ConfigValue own;                // a table: the plugin's own keys
    bool first_enable = false;
    bool accept_root = false;
    std::filesystem::path scratch; // exists; for temporary files
    std::filesystem::path cache;   // exists; kept over restarts
    std::function<std::optional<std::string>(const std::string& name)> secret; // any thread
    std::shared_ptr<PluginValueStore> values; // kept by the instance to its end
};

// The stsync_host of one instance; address-stable, outlives the instance.
class HostServices {
public:
    explicit HostServices(InstanceSettings settings);
    HostServices(const HostServices&) = delete;
    HostServices& operator=(const HostServices&) = delete;

    [[nodiscard]] const stsync_host* host() const { return &host_; }
    [[nodiscard]] const InstanceSettings& settings() const { return settings_; }
    [[nodiscard]] const ConfigValue* find(std::string_view key) const;
    // A value that the host itself adds ("@name"), or nothing.
    [[nodiscard]] std::optional<std::string> added(std::string_view key) const;

private:
    InstanceSettings settings_;
    stsync_host host_{};
};

} // namespace stationsync::host
