// What must hold before a package may replace a database. Each rule gives one sentence with cause
// and remedy; nothing has been touched when one speaks.
#pragma once

#include "provider_settings.hpp"
#include "target_facts.hpp"

#include <stationsync/error.hpp>

#include <span>

namespace stationsync::sqlserver {

struct RestoreCase {
    std::string database; // its name here
    Backup backup;
    ServerFacts server;
    TargetFacts target;
    ProviderSettings settings;
};

struct Precondition {
    std::string_view id;
    stsync_status status;
    std::string (*judge)(const RestoreCase& restore); // empty = it holds
};

// In the order in which they are asked: the first that speaks is told.
std::span<const Precondition> preconditions();

// A name that SQL Server gives its own databases; `distribution` counts.
bool is_system_name(std::string_view database) noexcept;

struct Refusal {
    std::string_view id;
    stsync_status status = STSYNC_OK;
    std::string sentence;
};
std::optional<Refusal> first_refusal(const RestoreCase& restore);

// Why a database in single-user mode is not replaced.
std::string single_user_sentence(const std::string& database);

// The package holds another database than the one that is there, as far as both are known.
bool is_foreign_family(const RestoreCase& restore) noexcept;

// What works and is worth a word, one sentence each.
std::vector<std::string> restore_warnings(const RestoreCase& restore);

} // namespace stationsync::sqlserver
