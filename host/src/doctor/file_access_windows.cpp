#include "base/path_text.hpp"
#include "doctor/file_access.hpp"
#include "net/private_file.hpp"

#include <windows.h>

namespace stationsync::host::doctor {
namespace {

// Without a separator at its end: before a quote it would escape it. "D:\." is the folder "D:\".
std::string quoted(const std::filesystem::path& path) {
    auto text = path_text(path.has_filename() ? path : path.parent_path());
    if (text.ends_with('\\') || text.ends_with('/')) {
        text += '.';
    }
    return "\"" + text + "\"";
}

} // namespace

bool may_judge(const std::filesystem::path& file) {
    const HANDLE handle =
        CreateFileW(file.c_str(), READ_CONTROL, FILE_SHARE_READ | FILE_SHARE_WRITE, nullptr,
                    OPEN_EXISTING, FILE_FLAG_OPEN_REPARSE_POINT, nullptr);
    if (handle == INVALID_HANDLE_VALUE) {
        return false;
    }
    CloseHandle(handle);
    return true;
}

bool is_hidden(const std::filesystem::path& identity) {
    const HANDLE handle =
        CreateFileW(identity.c_str(), READ_CONTROL, FILE_SHARE_READ | FILE_SHARE_WRITE, nullptr,
                    OPEN_EXISTING, FILE_FLAG_OPEN_REPARSE_POINT, nullptr);
    if (handle == INVALID_HANDLE_VALUE) {
        return GetLastError() == ERROR_ACCESS_DENIED;
    }
    CloseHandle(handle);
    return false;
}

bool is_open_to_others(const std::filesystem::path& file) {
    return may_judge(file) && !check_private(file);
}

// Administrators are bound by the lists of a folder like everybody else: writing there has shown
// it.
bool is_closed_to_owner(const std::filesystem::path&, const std::filesystem::path&) {
    return false;
}

// Access goes by the list of a file, whoever owns it; check_private looks at that.
bool is_of_other_owner(const std::filesystem::path&, const std::filesystem::path&) {
    return false;
}

std::string same_owner_command(const std::filesystem::path& file, const std::filesystem::path&) {
    return owner_only_command(file);
}

std::string move_away_command(const std::filesystem::path& file) {
    auto away = file;
    away += ".old";
    return "move " + quoted(file) + " " + quoted(away);
}

std::string owner_only_command(const std::filesystem::path& file) {
    return "icacls " + quoted(file) + " /inheritance:r /grant *S-1-5-18:F *S-1-5-32-544:F";
}

std::string make_writable_command(const std::filesystem::path& directory,
                                  const std::filesystem::path&) {
    return "icacls " + quoted(directory) + " /grant *S-1-5-18:(OI)(CI)F *S-1-5-32-544:(OI)(CI)F /T";
}

std::string make_directory_command(const std::filesystem::path& directory,
                                   const std::filesystem::path&) {
    return "mkdir " + quoted(directory) + " && icacls " + quoted(directory) +
           " /grant *S-1-5-18:(OI)(CI)F *S-1-5-32-544:(OI)(CI)F";
}

} // namespace stationsync::host::doctor
