// The only place where names and texts become part of a statement. Everything may be hostile: a
// package, and so its header, comes from elsewhere.
#pragma once

#include <string>
#include <string_view>

namespace stationsync::sqlserver {

constexpr std::size_t name_units_max = 128;        // of an identifier (sysname)
constexpr std::size_t device_path_units_max = 259; // of a backup file, else error 3057

// [name] with ] doubled. Throws sdk::Error(INVALID_ARG) for what SQL Server takes as no name:
// empty, longer than 128 UTF-16 units, with a zero, or not valid UTF-8 (which is how half a
// character, a lone surrogate, looks here).
std::string quoted_name(std::string_view name);

// [a].[b]
std::string quoted_name(std::string_view first, std::string_view second);

// N'text' with ' doubled. Throws sdk::Error(INVALID_ARG) for a zero and for invalid UTF-8.
std::string quoted_text(std::string_view text);

// N'path' of a backup file or folder: as quoted_text, and not empty, without control characters and
// at most 259 UTF-16 units long.
std::string quoted_path(std::string_view path);

} // namespace stationsync::sqlserver
