// Files that both this service and SQL Server open: backups on their way out, packages on their way
// in. SQL Server may see the folder under another name, or only one folder of its own.
#pragma once

#include "provider_settings.hpp"

#include <stationsync/op.hpp>

namespace stationsync::sqlserver {

// A file in the exchange folder; removed with this object unless it was moved away.
class ExchangeFile {
public:
    ExchangeFile(std::filesystem::path here, std::string there, bool is_ours)
        : here_(std::move(here)), there_(std::move(there)), is_ours_(is_ours) {}
    ExchangeFile(ExchangeFile&& other) noexcept;
    ExchangeFile& operator=(ExchangeFile&&) = delete;
    ~ExchangeFile();

    const std::filesystem::path& here() const noexcept { return here_; } // as this computer sees it
    const std::string& there() const noexcept { return there_; }         // as SQL Server sees it

    // Makes it the file `target`, which must not exist, with this time of modification (may be
    // NONE): renamed where that does, else copied, to another volume or because the file belongs to
    // SQL Server's account. Throws sdk::Error: NO_SPACE, DENIED; leaves no target behind then.
    void move_to(const std::filesystem::path& target, stsync_time modified, const sdk::Op& op);

private:
    std::filesystem::path here_;
    std::string there_;
    bool is_ours_;
};

class ExchangeFolder {
public:
    // `tag` is the instance's: two instances may use one folder.
    ExchangeFolder(const ProviderSettings& settings, std::string tag);

    // A name that does not exist yet, for a backup that shall become `package`.
    ExchangeFile new_file(const std::filesystem::path& package) const;

    // `package` where SQL Server can read it: itself, or a copy where a folder is configured.
    // Throws sdk::Error: NO_SPACE, DENIED, or sdk::Cancelled.
    ExchangeFile lend(const std::filesystem::path& package, const sdk::Op& op) const;

    // The folder used for a package that lies in `near`, as this computer and SQL Server see it.
    std::filesystem::path folder_here(const std::filesystem::path& near) const;
    std::string folder_there(const std::filesystem::path& near) const;

    // Removes what a killed call of this instance left in the configured folder, apart from safety
    // copies: one of them may be all that is left of a database.
    void remove_leftovers() const noexcept;

    // Prefix of the names of our files; of the copies that a restore in place falls back upon.
    const std::string& prefix() const noexcept { return prefix_; }
    std::string safety_prefix() const { return prefix_ + "safety-"; }

private:
    std::filesystem::path here_; // empty = beside the package
    std::string there_;
    std::string prefix_;
};

} // namespace stationsync::sqlserver
