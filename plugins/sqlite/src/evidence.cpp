#include "evidence.hpp"

namespace stationsync::sqlite {

namespace {

constexpr std::size_t change_counter_offset = 24;

} // namespace

std::uint32_t Evidence::change_counter() const noexcept {
    if (counters.size() < change_counter_offset + 4)
        return 0;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i)
        value = value << 8 | static_cast<unsigned char>(counters[change_counter_offset + i]);
    return value;
}

stsync_time Evidence::written_at() const noexcept {
    // With a log, transactions are written there, and the database file when it is convenient.
    const FileStamp& written = log.is_present ? log : database;
    return written.modified_ns / 1000;
}

Evidence file_evidence(const std::filesystem::path& database) {
    Evidence evidence;
    evidence.database = stamp_of(database);
    std::filesystem::path log = database;
    log += "-wal";
    evidence.log = stamp_of(log);
    if (evidence.log.size == 0)
        evidence.log = {};
    return evidence;
}

std::string counters_of(Connection& connection) {
    return connection.file_header() + connection.log_state();
}

} // namespace stationsync::sqlite
