#include "net/private_file.hpp"

#include "base/durable.hpp"

namespace stationsync::host {

IoResult<void> write_private_file(const std::filesystem::path& path, std::string_view text) {
    if (path.has_parent_path()) {
        if (auto made = make_directories(path.parent_path()); !made) {
            return made;
        }
    }
    return atomic_write(path, text, true);
}

IoResult<std::string> read_private_file(const std::filesystem::path& path) {
    constexpr std::uint64_t bytes_max = std::uint64_t{64} * 1024;
    if (auto allowed = check_private(path); !allowed) {
        return allowed.error();
    }
    return read_whole(path, bytes_max);
}

} // namespace stationsync::host
