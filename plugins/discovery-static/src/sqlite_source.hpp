// The station list in a table of an SQLite database.
#pragma once

#include "station_source.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>

namespace stationsync::discovery_static {

class SqliteSource final : public StationSource {
public:
    SqliteSource(std::filesystem::path database, Queries queries);

    bool is_due(bool is_asked) override;
    Listing read(const std::function<bool()>& is_stopping) override;
    std::string identity() const override;

private:
    struct Stamp {
        std::uint64_t size = 0;
        std::filesystem::file_time_type modified{};
        std::uint64_t log_size = 0;
        std::filesystem::file_time_type log_modified{};

        friend bool operator==(const Stamp&, const Stamp&) = default;
    };
    std::optional<Stamp> look() const;

    std::filesystem::path database_;
    Queries queries_;
    std::optional<Stamp> stamp_; // before the last successful reading
    std::chrono::steady_clock::time_point seen_at_{};
    std::chrono::steady_clock::time_point read_at_{};
};

} // namespace stationsync::discovery_static
