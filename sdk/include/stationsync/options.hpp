// What a plugin says about itself beyond id, name and version.
#pragma once

#include "module.h"

#include <string_view>

namespace stationsync::sdk {

// Give a provider or discovery class a `static constexpr sdk::Options options{...}` to differ from
// these defaults. The texts must be static.
struct Options {
    std::uint32_t flags = 0;              // STSYNC_KEYS_ARE_PATHS, …
    std::uint32_t max_parallel = 1;       // calls at a time per instance
    std::uint32_t default_timeout_ms = 0; // 0 = the host's own
    std::string_view vendor = {};
    std::string_view package_extension = {}; // ".db"; empty = that of the key
    std::string_view config_schema = {};     // JSON, see stsync_descriptor
};

namespace detail {

template <class T, class = void>
struct OptionsOf {
    static constexpr Options value{};
};
template <class T>
struct OptionsOf<T, decltype(static_cast<void>(T::options))> {
    static constexpr Options value = T::options;
};

} // namespace detail
} // namespace stationsync::sdk
