// Files that hold keys: written for this account alone, refused when others can read them.
#pragma once

#include "base/io_result.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace stationsync::host {

// Replaces `path` durably; only this account (on Windows also SYSTEM and administrators) can read
// it. Makes missing folders.
[[nodiscard]] IoResult<void> write_private_file(const std::filesystem::path& path,
                                                std::string_view text);

// Reads at most 64 KiB. `denied` with a remedy when other accounts could read or write the file.
[[nodiscard]] IoResult<std::string> read_private_file(const std::filesystem::path& path);

// Success when nobody else has access; implemented in private_file_linux.cpp and _windows.cpp.
[[nodiscard]] IoResult<void> check_private(const std::filesystem::path& path);

} // namespace stationsync::host
