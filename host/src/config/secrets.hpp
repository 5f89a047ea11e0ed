#pragma once
// Values that configuration files refer to as `{ secret = "NAME" }`: one file each, for this
// account only.

#include "base/io_result.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace stationsync::host {

inline constexpr std::size_t secret_bytes_max = 4096;

// Blocking; any thread, no call while another changes the same secret.
class SecretStore {
public:
    explicit SecretStore(std::filesystem::path directory) : directory_(std::move(directory)) {}

    // `other` with a sentence when the name (is_secret_name) or the value (1 to 4096 bytes) cannot
    // be used.
    [[nodiscard]] IoResult<void> set(std::string_view name, std::string_view value) const;
    // `not_found` when there is none.
    [[nodiscard]] IoResult<std::string> get(std::string_view name) const;
    [[nodiscard]] IoResult<void> remove(std::string_view name) const;
    // Names only, sorted; `denied` for who may not look.
    [[nodiscard]] IoResult<std::vector<std::string>> list() const;

private:
    std::filesystem::path directory_;
};

} // namespace stationsync::host
