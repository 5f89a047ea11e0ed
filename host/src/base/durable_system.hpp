// What durable.cpp needs from the system; implemented in durable_linux.cpp, durable_windows.cpp.
#pragma once

#include "base/file.hpp"

#include <filesystem>

namespace stationsync::host {

// Creates or empties a file that only this account (and administrators) can read.
[[nodiscard]] IoResult<File> create_for_owner(const std::filesystem::path& path);

// Lets `to` (existing, empty) share the blocks of `from`; false when the file system cannot.
[[nodiscard]] bool clone_content(const std::filesystem::path& from,
                                 const std::filesystem::path& to) noexcept;

} // namespace stationsync::host
