#pragma once

namespace stationsync::host::cli {

// Of the product, from CMakeLists.txt.
inline constexpr const char* version_text = STATIONSYNC_VERSION;

} // namespace stationsync::host::cli
