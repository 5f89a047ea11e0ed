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
    // query gives the columns name and address.
    SqliteSource(std::filesystem::path database, std::string query);

    bool may_have_changed() override;
    std::vector<Row> read(const std::function<bool()>& is_stopping) override;

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
    std::string query_;
    std::optional<Stamp> stamp_; // before the last successful reading
    std::chrono::steady_clock::time_point seen_at_{};
    std::chrono::steady_clock::time_point read_at_{};
};

} // namespace stationsync::discovery_static
