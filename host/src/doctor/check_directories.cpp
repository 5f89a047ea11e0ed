#include "base/durable.hpp"
#include "base/path_text.hpp"
#include "base/random.hpp"
#include "config/units.hpp"
#include "doctor/checks.hpp"
#include "doctor/file_access.hpp"

#include <array>

namespace stationsync::host::doctor {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t free_warned_bytes = 1'000'000'000;

struct Place {
    std::string id;
    std::string name; // "The sync directory"
    fs::path path;
};

// The directory, or what of its path is there already: the service makes the rest.
fs::path existing_part(fs::path path) {
    std::error_code error;
    while (!fs::exists(fs::symlink_status(path, error)) && path.has_relative_path()) {
        path = path.parent_path();
    }
    return path;
}

// A block on the disk, so that a full one shows.
IoResult<void> try_to_write(const fs::path& directory) {
    constexpr std::size_t block = 4096;
    const auto file = directory / (".stationsync-doctor-" + std::to_string(random_u64()) + ".tmp");
    const auto written = atomic_write(file, std::string(block, '\n'));
    const auto removed = remove_file(file);
    return written ? removed : written;
}

// Nothing but the configured path is changed: an ancestor may be the folder of all programs.
std::string access_command(const Place& place, const fs::path& part, const fs::path& reference) {
    return part == place.path ? make_writable_command(place.path, reference)
                              : make_directory_command(place.path, reference);
}

std::string remedy_for(const Place& place, const fs::path& part, IoErrorKind kind,
                       const fs::path& reference) {
    switch (kind) {
    case IoErrorKind::no_space:
        return "Make room on the disk of " + path_text(part) + ": df -h \"" + path_text(part) +
               "\"";
    case IoErrorKind::denied:
        return access_command(place, part, reference) +
               "   (a disk that is mounted read-only: look into the log of the system)";
    default:
        return "Make " + path_text(place.path) +
               " a folder that the service can write, or name "
               "another one in station.toml.";
    }
}

void check_place(const Place& place, const fs::path& reference, Findings& findings) {
    const auto part = existing_part(place.path);
    const auto shown = place.name + " " + path_text(place.path);
    if (const auto written = try_to_write(part); !written) {
        findings.problem(place.id, shown + " cannot be written: " + written.error().text + ".",
                         remedy_for(place, part, written.error().kind, reference));
        return;
    }
    if (is_closed_to_owner(part, reference)) {
        findings.problem(place.id, shown + " cannot be written by the account of the service.",
                         access_command(place, part, reference));
        return;
    }
    const auto free = free_bytes(part);
    if (!free) {
        findings.warning(place.id, "The free space cannot be found out: " + free.error().text + ".",
                         remedy_of(free.error().kind));
        return;
    }
    const auto room = size_text(*free) + " free";
    if (*free < free_warned_bytes) {
        findings.warning(place.id, shown + " can be written, but has only " + room + ".",
                         "Make room, or name a folder on a larger disk in station.toml: df -h \"" +
                             path_text(part) + "\"");
        return;
    }
    findings.ok(place.id, shown + (part == place.path ? " can be written" : " can be made") + ", " +
                              room + ".");
}

} // namespace

void check_directories(const StationFacts& facts, Findings& findings) {
    if (facts.is_hidden) {
        return; // what this account may write says nothing about the service
    }
    const auto& station = facts.station;
    const auto& paths = facts.paths;
    const std::array places{
        Place{"directories.sync", "The sync directory",
              station ? station->sync.directory : paths.sync},
        Place{"directories.history", "The history directory",
              station ? station->history.directory : paths.history},
        Place{"directories.state", "The state directory", paths.state},
    };
    for (const auto& place : places) {
        check_place(place, paths.identity_file(), findings);
    }
}

} // namespace stationsync::host::doctor
