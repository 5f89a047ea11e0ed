#include "provider_settings.hpp"

#include <stationsync/paths.hpp>

namespace stationsync::sqlserver {

namespace {

[[noreturn]] void refuse(const std::string& text) {
    throw sdk::Error(STSYNC_INVALID_ARG, text);
}

std::int64_t number_of(const sdk::Host& host, const char* key, std::int64_t otherwise,
                       std::int64_t least, std::int64_t most) {
    const std::int64_t value = host.config_integer(key, otherwise);
    if (value < least || value > most)
        refuse(std::string("The setting \"") + key + "\" must be a number from " +
               std::to_string(least) + " to " + std::to_string(most) + ", but is " +
               std::to_string(value) + ".");
    return value;
}

bool is_first_of(const sdk::Host& host, const char* key, const std::string& first,
                 const std::string& second) {
    const std::string value = host.config(key).value_or(first);
    if (value != first && value != second)
        refuse(std::string("The setting \"") + key + "\" must be \"" + first + "\" or \"" + second +
               "\", but is \"" + value + "\".");
    return value == first;
}

RestoreMode restore_mode_of(const sdk::Host& host) {
    const std::string value = host.config("restore").value_or("auto");
    if (value == "auto")
        return RestoreMode::automatic;
    if (value == "side-by-side")
        return RestoreMode::side_by_side;
    if (value == "in-place")
        return RestoreMode::in_place;
    refuse("The setting \"restore\" must be \"auto\", \"side-by-side\" or \"in-place\", but is "
           "\"" +
           value + "\".");
}

} // namespace

ProviderSettings provider_settings_of(const sdk::Host& host) {
    constexpr std::int64_t day_minutes = 1440;
    constexpr std::int64_t mebibyte = std::int64_t{1} << 20;
    ProviderSettings settings;
    settings.databases = DatabaseNames(host.config_list("databases"));
    if (host.config("backup_folder"))
        settings.backup_folder = host.config_path("backup_folder");
    settings.backup_folder_on_server = host.config("backup_folder_on_server").value_or("");
    if (settings.backup_folder.empty() && !settings.backup_folder_on_server.empty())
        refuse("The setting \"backup_folder_on_server\" needs \"backup_folder\": the same folder "
               "as this computer names it.");
    if (const auto packages = host.config("@packages")) {
        settings.packages_folder = sdk::path_from_utf8(*packages);
        settings.fetched_folder = settings.packages_folder /
                                  sdk::path_from_utf8(host.config("@project").value_or("")) /
                                  sdk::path_from_utf8(host.config("@name").value_or(""));
    }
    settings.compresses = host.config_flag("compression", false);
    settings.verifies_backups = host.config_flag("verify_backup", true);
    settings.is_build_exact = host.config_flag("exact_build", false);
    settings.uncertain_is_change = is_first_of(host, "on_uncertain", "change", "ignore");
    settings.sum_bytes_max =
        static_cast<std::uint64_t>(number_of(host, "sum_below_mb", 64, 0, mebibyte) * mebibyte);
    settings.poll_interval = std::chrono::seconds(number_of(host, "poll_seconds", 15, 1, 3600));
    settings.stall_limit =
        std::chrono::minutes(number_of(host, "stall_minutes", 10, 1, day_minutes));
    settings.restore_mode = restore_mode_of(host);
    settings.checks_database = host.config_flag("check_database", false);
    settings.preserves_trustworthy = host.config_flag("preserve_trustworthy", false);
    settings.preserves_broker = host.config_flag("preserve_broker", false);
    settings.accepts_foreign_family = host.config_flag("accept_foreign_family", false);
    settings.accepts_replication = host.config_flag("accept_replication", false);
    settings.keeps_previous = host.config_flag("keep_previous", false);
    settings.data_folder = host.config("data_folder").value_or("");
    settings.log_folder = host.config("log_folder").value_or("");
    return settings;
}

} // namespace stationsync::sqlserver
