#include "restore_plan.hpp"

#include "quoting.hpp"
#include "text.hpp"

#include <stationsync/sha256.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <map>

namespace stationsync::sqlserver {

namespace {

constexpr std::size_t stem_max = 60;
constexpr std::size_t which_size = 8 + 1 + 16; // of a work name: instance, database
constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20;

std::string hex_of(const sdk::Digest& digest, std::size_t bytes) {
    std::string text;
    for (std::size_t i = 0; i < bytes; ++i) {
        text += "0123456789abcdef"[digest[i] >> 4];
        text += "0123456789abcdef"[digest[i] & 15u];
    }
    return text;
}

// On Windows SQL Server takes a / as well, but stores a path in a form of its own.
std::string with_separator(std::string folder, const ServerFacts& server) {
    if (server.path_separator == "\\")
        std::replace(folder.begin(), folder.end(), '/', '\\');
    if (folder.empty() || folder.back() == '/' || folder.back() == '\\')
        return folder;
    return folder + (server.path_separator.empty() ? "\\" : server.path_separator);
}

// Where the configuration says, else beside the files that are there now, else where the server
// puts new ones.
std::string folder_for(const RestoreCase& restore, FileKind kind) {
    const std::string& wanted =
        kind == FileKind::log ? restore.settings.log_folder : restore.settings.data_folder;
    if (!wanted.empty())
        return with_separator(wanted, restore.server);
    for (const LiveFile& file : restore.target.files)
        if (file.kind == kind)
            return folder_of(file.path);
    if (kind != FileKind::log && !restore.target.files.empty())
        return folder_for(restore, FileKind::data);
    const bool is_log = kind == FileKind::log;
    const std::string& usual = is_log ? restore.server.log_folder : restore.server.data_folder;
    return with_separator(usual.empty() ? restore.target.master_folder : usual, restore.server);
}

std::string_view ending_of(FileKind kind, bool is_primary) noexcept {
    switch (kind) {
    case FileKind::data:
        return is_primary ? ".mdf" : ".ndf";
    case FileKind::log:
        return ".ldf";
    default:
        return "";
    }
}

std::string new_path(const RestoreCase& restore, const BackupFile& file, std::size_t number,
                     bool is_first_of_kind, std::string_view generation) {
    std::string name = file_stem_of(restore.database) + '.' + std::string(generation);
    if (!is_first_of_kind || file.kind == FileKind::stream)
        name += '.' + std::to_string(number);
    name += ending_of(file.kind, is_first_of_kind);
    return folder_for(restore, file.kind) + name;
}

std::vector<Move> moves_beside(const RestoreCase& restore, std::string_view generation) {
    std::vector<Move> moves;
    std::map<FileKind, int> seen;
    for (std::size_t i = 0; i < restore.backup.files.size(); ++i) {
        const BackupFile& file = restore.backup.files[i];
        const bool is_first = seen[file.kind]++ == 0;
        moves.push_back({file.name, new_path(restore, file, i + 1, is_first, generation)});
    }
    return moves;
}

// Each file takes the place of the next one of its kind; what there is no place for is new.
std::vector<Move> moves_over(const RestoreCase& restore, std::string_view generation) {
    std::vector<Move> moves = moves_beside(restore, generation);
    std::map<FileKind, std::size_t> next;
    for (std::size_t i = 0; i < moves.size(); ++i) {
        const FileKind kind = restore.backup.files[i].kind;
        std::size_t& at = next[kind];
        while (at < restore.target.files.size() && restore.target.files[at].kind != kind)
            ++at;
        if (at < restore.target.files.size())
            moves[i].path = restore.target.files[at++].path;
    }
    return moves;
}

std::uint64_t sum(std::uint64_t a, std::uint64_t b) noexcept {
    return a + b < a ? std::numeric_limits<std::uint64_t>::max() : a + b;
}

// One sentence when a volume cannot take the files; empty = they fit, as far as is known.
std::string shortage_of(const RestoreCase& restore, const std::vector<Move>& moves,
                        bool frees_old_files) {
    std::map<const Volume*, std::uint64_t> needed;
    for (std::size_t i = 0; i < moves.size(); ++i)
        if (const Volume* const volume = volume_of(restore.target.volumes, moves[i].path))
            needed[volume] = sum(needed[volume], restore.backup.files[i].byte_count);
    for (const auto& [volume, bytes] : needed) {
        std::uint64_t available = volume->free_bytes;
        if (frees_old_files)
            for (const LiveFile& file : restore.target.files)
                if (volume_of(restore.target.volumes, file.path) == volume)
                    available = sum(available, file.byte_count);
        if (bytes > available)
            return "The disk " + presentable(volume->mount_point, 100) + " of SQL Server has " +
                   std::to_string(available / mebibyte) + " MiB for the files of '" +
                   presentable(restore.database, 200) + "', and " +
                   std::to_string((bytes + mebibyte - 1) / mebibyte) +
                   " MiB are needed. Make room there; it is tried again by itself.";
    }
    return "";
}

bool has_stream(const RestoreCase& restore) {
    return std::any_of(restore.backup.files.begin(), restore.backup.files.end(),
                       [](const BackupFile& file) { return file.kind == FileKind::stream; });
}

std::string primary_of(const RestoreCase& restore, const std::vector<Move>& moves) {
    const std::string* first = nullptr;
    for (std::size_t i = 0; i < moves.size(); ++i) {
        const BackupFile& file = restore.backup.files[i];
        if (file.kind == FileKind::data && (first == nullptr || file.id == 1))
            first = &moves[i].path;
    }
    return first == nullptr ? "" : *first;
}

RestorePlan finished(const RestoreCase& restore, std::vector<Move> moves, bool is_in_place) {
    RestorePlan plan{is_in_place, std::move(moves), ""};
    plan.primary = primary_of(restore, plan.moves);
    return plan;
}

RestorePlan plan_in_place(const RestoreCase& restore, std::string_view generation) {
    std::vector<Move> moves = moves_over(restore, generation);
    if (const std::string shortage = shortage_of(restore, moves, true); !shortage.empty())
        throw sdk::Error(STSYNC_NO_SPACE, shortage);
    return finished(restore, std::move(moves), true);
}

} // namespace

WorkNames work_names_of(std::string_view instance, std::string_view database,
                        std::string_view generation) {
    std::string which = hex_of(sdk::sha256(std::string(instance)), 4) + '_' +
                        hex_of(sdk::sha256(lowered(database)), 8);
    if (!generation.empty())
        which += '_' + std::string(generation);
    return {std::string(incoming_prefix) + which, std::string(replaced_prefix) + which};
}

std::string work_stem_of(const std::string& name) {
    const std::size_t prefix = name.find('_') + 1;
    return name.substr(0, prefix + which_size);
}

std::string kept_name_of(std::string_view database, std::string_view generation) {
    return std::string(kept_prefix) + presentable(std::string(database), 80) + " (before " +
           std::string(generation) + ")";
}

std::string file_stem_of(std::string_view database) {
    constexpr std::array<std::string_view, 6> devices = {"con", "prn", "aux", "nul", "com", "lpt"};
    std::string stem;
    for (const char byte : database) {
        const bool is_plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                              (byte >= '0' && byte <= '9') || byte == '-' || byte == '_';
        if (stem.size() < stem_max)
            stem += is_plain ? byte : '_';
    }
    const std::string start = lowered(stem.substr(0, 3));
    const bool is_device =
        stem.size() <= 4 && std::any_of(devices.begin(), devices.end(),
                                        [&](std::string_view each) { return start == each; });
    return is_device || stem.empty() ? "db_" + stem : stem;
}

RestorePlan plan_restore(const RestoreCase& restore, std::string_view generation) {
    const bool is_new = !restore.target.entry;
    const RestoreMode mode = restore.settings.restore_mode;
    if (!is_new && mode == RestoreMode::in_place)
        return plan_in_place(restore, generation);
    if (!is_new && has_stream(restore)) {
        if (mode == RestoreMode::side_by_side)
            throw sdk::Error(STSYNC_INCOMPATIBLE,
                             "'" + presentable(restore.database, 200) +
                                 "' uses FILESTREAM or in-memory tables, whose folders cannot be "
                                 "exchanged side by side. Set restore = \"auto\" or \"in-place\".");
        return plan_in_place(restore, generation);
    }
    std::vector<Move> moves = moves_beside(restore, generation);
    const std::string shortage = shortage_of(restore, moves, false);
    if (shortage.empty())
        return finished(restore, std::move(moves), false);
    if (is_new || mode == RestoreMode::side_by_side)
        throw sdk::Error(STSYNC_NO_SPACE, shortage);
    return plan_in_place(restore, generation);
}

std::string copy_shortage(const RestoreCase& restore, const RestorePlan& plan,
                          const std::string& copy, std::uint64_t copy_bytes,
                          std::optional<std::uint64_t> free_here) {
    const Volume* const volume = volume_of(restore.target.volumes, copy);
    if (!free_here && volume == nullptr)
        return "";
    const std::uint64_t available = free_here.value_or(volume == nullptr ? 0 : volume->free_bytes);
    std::uint64_t needed = copy_bytes;
    // What the database grows by where the copy lies beside it. Volumes without a database are not
    // told by SQL Server: there the two figures differ.
    if (volume != nullptr &&
        (!free_here || *free_here / mebibyte == volume->free_bytes / mebibyte)) {
        std::uint64_t fresh = 0;
        std::uint64_t old = 0;
        for (std::size_t i = 0; i < plan.moves.size(); ++i)
            if (volume_of(restore.target.volumes, plan.moves[i].path) == volume)
                fresh = sum(fresh, restore.backup.files[i].byte_count);
        for (const LiveFile& file : restore.target.files)
            if (volume_of(restore.target.volumes, file.path) == volume)
                old = sum(old, file.byte_count);
        needed = sum(needed, fresh > old ? fresh - old : 0);
    }
    if (needed <= available)
        return "";
    return "Before '" + presentable(restore.database, 200) +
           "' is overwritten in place a copy of it is made, " + presentable(copy, 300) + ", and " +
           std::to_string((needed + mebibyte - 1) / mebibyte) + " MiB are needed there, but only " +
           std::to_string(available / mebibyte) +
           " MiB are free. Make room there, or set backup_folder to a folder with room; it is "
           "tried again by itself.";
}

std::string restore_statement(std::string_view database, std::string_view file,
                              const RestorePlan& plan) {
    std::string statement = "RESTORE DATABASE " + quoted_name(database) +
                            " FROM DISK = " + quoted_path(file) + " WITH FILE = 1, ";
    if (plan.is_in_place)
        statement += "REPLACE, ";
    statement += "CHECKSUM, STATS = 5, RECOVERY, RESTRICTED_USER";
    for (const Move& move : plan.moves)
        statement += ", MOVE " + quoted_text(move.name) + " TO " + quoted_path(move.path);
    return statement;
}

} // namespace stationsync::sqlserver
