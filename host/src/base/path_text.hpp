// UTF-8 checks and the ways between file paths and text.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

namespace stationsync::host {

// Well-formed UTF-8: no overlong forms, no surrogates, nothing beyond U+10FFFF.
[[nodiscard]] bool is_valid_utf8(std::string_view text) noexcept;

// The longest prefix of valid UTF-8 that has at most `bytes_max` bytes and cuts no character.
[[nodiscard]] std::string_view utf8_prefix(std::string_view text, std::size_t bytes_max) noexcept;

// UTF-8 of a path, for messages and for interfaces that take UTF-8. Bytes of a Linux path that are
// not valid UTF-8 stay as they are.
[[nodiscard]] std::string path_text(const std::filesystem::path& path);

// The path that UTF-8 text names. `text` must be valid UTF-8.
[[nodiscard]] std::filesystem::path path_of(std::string_view text);

// A name for people, safe as one path component on every system: valid UTF-8, at most `bytes_max`
// bytes, each control character and each of / \ : * ? " < > | ~ replaced by _, no dot or space
// at either end, not a reserved Windows name, never empty.
[[nodiscard]] std::string readable_name(std::string_view key, std::size_t bytes_max);

// True when Windows keeps the name for a device (CON, NUL, COM1, also with an extension).
[[nodiscard]] bool is_reserved_windows_name(std::string_view component) noexcept;

// The error of the system call that has just failed on this thread.
[[nodiscard]] std::error_code last_system_error() noexcept;
[[nodiscard]] bool is_quota_error(const std::error_code& code) noexcept;
[[nodiscard]] bool is_sharing_error(const std::error_code& code) noexcept;

} // namespace stationsync::host
