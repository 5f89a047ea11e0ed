// Loading plugins: one folder of shared libraries, looked at before they are loaded, never
// unloaded.
#pragma once

#include "stationsync/discovery.h"
#include "stationsync/module.h"
#include "stationsync/provider.h"

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace stationsync::host {

// One kind of instance that a loaded plugin can make. Valid until the process ends.
struct PluginKind {
    std::filesystem::path file;
    const stsync_module* module = nullptr;
    const stsync_descriptor* descriptor = nullptr;
    std::string id;
    std::string name;
    std::string version;
    std::string vendor;
    std::string config_schema;
    std::string package_extension;
    bool is_provider = false;
    bool keys_are_paths = false;
    bool export_reproducible = false;
    std::uint32_t max_parallel = 1;
    std::uint32_t default_timeout_ms = 0;
};

struct RefusedPlugin {
    std::filesystem::path file;
    std::string text; // one sentence: what was found, what was expected, what to do
};

// Loads every library of the folder once. Libraries stay mapped until the process ends, whatever
// becomes of this object.
class PluginRegistry {
public:
    // Blocking; call before the engine starts. A folder that does not exist is one refusal.
    void load_folder(const std::filesystem::path& folder);
    // Loads one file; a failure is added to refused().
    void load_file(const std::filesystem::path& file);

    [[nodiscard]] const PluginKind* find(std::string_view id) const;
    [[nodiscard]] const std::vector<std::unique_ptr<PluginKind>>& kinds() const { return kinds_; }
    [[nodiscard]] const std::vector<RefusedPlugin>& refused() const { return refused_; }

private:
    void refuse(const std::filesystem::path& file, std::string text);
    void take(const std::filesystem::path& file, const stsync_module* module);

    std::vector<std::unique_ptr<PluginKind>> kinds_;
    std::vector<RefusedPlugin> refused_;
};

// Copies of views handed over by a plugin.
[[nodiscard]] std::string copy_text(const stsync_str& text);
[[nodiscard]] stsync_str view_of(std::string_view text);

} // namespace stationsync::host
