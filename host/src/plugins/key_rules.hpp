// Which keys may become file names here (rule 23), and which keys are one file on some system.
#pragma once

#include <string>
#include <string_view>

namespace stationsync::host {

// Empty when the key may be used as a relative path on every system; otherwise one sentence why
// not:
// "..", absolute, drive letters, reserved Windows names, control characters, backslash, trailing
// dot or space, invalid UTF-8, too long.
[[nodiscard]] std::string why_path_refused(std::string_view key);

// Equal for keys that differ only in case or in the composition of characters (Unicode case folding
// and NFC, by utf8proc). Empty for invalid UTF-8.
[[nodiscard]] std::string folded_path(std::string_view key);

} // namespace stationsync::host
