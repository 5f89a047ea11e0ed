#include "new_file.hpp"

#include <windows.h>

namespace stationsync::sqlite {

std::error_code rename_new(const std::filesystem::path& from, const std::filesystem::path& to) {
    if (MoveFileExW(from.c_str(), to.c_str(), MOVEFILE_WRITE_THROUGH) != 0)
        return {};
    const DWORD error = GetLastError();
    if (error == ERROR_ALREADY_EXISTS || error == ERROR_FILE_EXISTS)
        return std::make_error_code(std::errc::file_exists);
    return {static_cast<int>(error), std::system_category()};
}

void inherit_rights(const std::filesystem::path&, const std::filesystem::path&) {
    // A file made in a folder has inherited the folder's access list already.
}

} // namespace stationsync::sqlite
