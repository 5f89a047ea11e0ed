// What the engine's actions do with package files: sync directory, history directory, staging.
// Blocking functions for worker threads; no state but folder names, so any number may run at once
// (never two for one object, which the engine sees to).
#pragma once

#include "packages/package_directory.hpp"
#include "plugins/provider_calls.hpp"
#include "stationsync/core/action.hpp"

#include <filesystem>
#include <span>
#include <string>

namespace stationsync::host {

struct StoreSettings {
    std::filesystem::path sync;    // the project's folder in the sync directory
    std::filesystem::path history; // the project's folder in the history directory
    std::filesystem::path staging; // exports in progress; emptied at start; same volume as `sync`
    core::StationId self;
    std::uint64_t live_above_bytes = 0;
};

struct DescribedPackage {
    core::DescribePackage action;
    std::string extension;
};

class PackageStore {
public:
    explicit PackageStore(StoreSettings settings);

    // Empties the staging folder. `no_space`, `denied`: the engine cannot start.
    IoResult<void> prepare();

    // Export of the live state through the plugin, hashed, and placed where the purpose says.
    core::ExportFinished export_object(ProviderCalls& provider, Operation& operation,
                                       const core::Export& action);
    core::HistorySaved save_to_history(ProviderCalls& provider, Operation& operation,
                                       const core::SaveToHistory& action);
    // Writes their revisions into the descriptions; of a package that comes twice the last one.
    // What cannot be written costs convenience, not data, and is logged: the state database holds
    // it.
    void describe(std::span<const DescribedPackage> packages);
    IoResult<void> drop(const core::DropPackage& action);
    IoResult<void> adopt_kept(const core::AdoptKept& action, const std::string& extension);
    // Sync directory first, then history.
    IoResult<std::filesystem::path> find(const core::ObjectId& object,
                                         const core::Digest& package) const;
    // Live content as a package for peers: exported to staging, its digest must be `package`.
    IoResult<std::filesystem::path> export_live(ProviderCalls& provider, Operation& operation,
                                                const core::ObjectId& object,
                                                const core::Digest& package);
    [[nodiscard]] PackageName name_of(const core::ObjectId& object, const core::Revision* revision,
                                      const std::string& extension) const;
    [[nodiscard]] const PackageDirectory& sync() const { return sync_; }
    [[nodiscard]] const PackageDirectory& history() const { return history_; }

private:
    std::filesystem::path staging_file();
    struct Exported {
        ExportOutcome outcome;
        core::PackageInfo package;
        std::filesystem::path file;
    };
    Exported export_to_staging(ProviderCalls& provider, Operation& operation,
                               const std::string& key);

    StoreSettings settings_;
    PackageDirectory sync_;
    PackageDirectory history_;
};

[[nodiscard]] core::JobStatus job_status(const IoError& error);
// What packages of an object are called: the provider's extension, or that of the key.
[[nodiscard]] std::string extension_of(const PluginKind& kind, const std::string& key);

} // namespace stationsync::host
