#pragma once
// station.toml: what belongs to this computer, whatever project runs on it.

#include "base/log.hpp"
#include "config/endpoint.hpp"
#include "config/problem.hpp"
#include "config/root_paths.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stationsync::host {

struct StationConfig {
    std::string name; // 1..48 bytes of UTF-8 without control characters

    struct Net {
        std::vector<Endpoint> listen; // never empty
        // The default (every address of IPv4 and IPv6): a family that the machine lacks is no
        // error.
        bool listen_is_default = true;
        // Ports that a found or introduced address may have.
        std::vector<std::uint16_t> dial_ports{link_port_default};
        std::optional<Endpoint> api; // use api_endpoint() below
    } net;

    struct Sync {
        std::filesystem::path directory;             // absolute
        std::uint64_t live_above_bytes = 64'000'000; // larger files keep no package of their own
        // Both concern only packages that are neither held nor a predecessor.
        std::uint64_t size_max_bytes = 10'000'000'000;
        std::chrono::seconds age_max{std::chrono::hours{24 * 30}};
    } sync;

    struct History {
        std::filesystem::path directory; // absolute
        unsigned per_object = 5;
        std::chrono::seconds age_max{std::chrono::hours{24 * 30}};
        std::uint64_t size_max_bytes = 20'000'000'000;
    } history;

    log::Options log;
};

// The address of the local API: as configured, else the first loopback address of `listen`,
// else 127.0.0.1; port 8884 unless configured.
Endpoint api_endpoint(const StationConfig& config);

// Reads paths.station_file(). Never throws for bad content or a missing file.
Loaded<StationConfig> load_station_config(const RootPaths& paths);
// The same from text; `file` appears in problems.
Loaded<StationConfig> parse_station_config(std::string_view text, const std::filesystem::path& file,
                                           const RootPaths& paths);

} // namespace stationsync::host
