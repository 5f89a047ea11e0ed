#include "base/path_text.hpp"
#include "doctor/file_access.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace stationsync::host::doctor {
namespace {

std::string quoted(const std::filesystem::path& path) {
    auto text = path_text(path);
    const bool plain = std::ranges::all_of(text, [](unsigned char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               std::string_view("/._-+,:@").find(static_cast<char>(c)) != std::string_view::npos;
    });
    if (plain) {
        return text;
    }
    std::string result = "'";
    for (const char c : text) {
        result += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    return result + "'";
}

} // namespace

bool may_judge(const std::filesystem::path& file) {
    struct stat facts {};
    return ::lstat(file.c_str(), &facts) == 0 && (::geteuid() == 0 || facts.st_uid == ::geteuid());
}

bool is_hidden(const std::filesystem::path& identity) {
    struct stat facts {};
    if (::lstat(identity.c_str(), &facts) != 0) {
        return errno == EACCES;
    }
    return ::geteuid() != 0 && facts.st_uid != ::geteuid();
}

bool is_open_to_others(const std::filesystem::path& file) {
    struct stat facts {};
    return ::lstat(file.c_str(), &facts) == 0 && (facts.st_mode & (S_IRWXO | S_IWGRP)) != 0;
}

bool is_closed_to_owner(const std::filesystem::path& directory,
                        const std::filesystem::path& reference) {
    struct stat folder {};
    struct stat owner {};
    if (::geteuid() != 0 || ::stat(directory.c_str(), &folder) != 0 ||
        ::stat(reference.c_str(), &owner) != 0 || owner.st_uid == 0) {
        return false;
    }
    mode_t wanted = S_IWOTH | S_IXOTH;
    if (folder.st_uid == owner.st_uid) {
        wanted = S_IWUSR | S_IXUSR;
    } else if (folder.st_gid == owner.st_gid) {
        wanted = S_IWGRP | S_IXGRP;
    }
    return (folder.st_mode & wanted) != wanted;
}

bool is_of_other_owner(const std::filesystem::path& file, const std::filesystem::path& reference) {
    struct stat its {};
    struct stat owner {};
    return ::geteuid() == 0 && ::lstat(file.c_str(), &its) == 0 &&
           ::lstat(reference.c_str(), &owner) == 0 && owner.st_uid != 0 &&
           its.st_uid != owner.st_uid;
}

std::string same_owner_command(const std::filesystem::path& file,
                               const std::filesystem::path& reference) {
    return "chown --reference=" + quoted(reference) + " " + quoted(file);
}

std::string move_away_command(const std::filesystem::path& file) {
    auto away = file;
    away += ".old";
    return "mv " + quoted(file) + " " + quoted(away);
}

std::string owner_only_command(const std::filesystem::path& file) {
    return "chmod 600 " + quoted(file);
}

std::string make_writable_command(const std::filesystem::path& directory,
                                  const std::filesystem::path& reference) {
    return "chown -R --reference=" + quoted(reference) + " " + quoted(directory) +
           " && chmod u+rwx " + quoted(directory);
}

std::string make_directory_command(const std::filesystem::path& directory,
                                   const std::filesystem::path& reference) {
    return "mkdir -p " + quoted(directory) + " && chown --reference=" + quoted(reference) + " " +
           quoted(directory);
}

} // namespace stationsync::host::doctor
