// Looking at a live database: what is in it now, and may one believe what one saw last time.
#pragma once

#include "record.hpp"

namespace stationsync::sqlite {

// How long a look waits for the locks of other programs before it gives up with BUSY.
inline constexpr std::chrono::milliseconds look_busy_limit{5000};

// One look with the content read.
struct Look {
    Content content;
    Evidence evidence;
    bool is_exact = false;     // nobody wrote between reading the content and taking the evidence
    std::uint32_t version = 0; // Connection::data_version of the state that was read
};

// Reads the content through `connection`, again when somebody writes meanwhile.
Look look_at(Connection& connection, const std::filesystem::path& path, const sdk::Op& op);

// True when the database is there: a file of 0 bytes is none yet.
bool is_present(const Evidence& evidence) noexcept;

// Brings `record` up to date. Content is read only when the evidence moved or `reread` is wanted.
// False when the database is absent. Throws sdk::Error, sdk::Cancelled. `now` is the station's
// time.
bool refresh(Record& record, const std::filesystem::path& path, const sdk::Op& op, bool reread,
             stsync_time now);

// Within a read transaction of `connection`: true when `record` names exactly the present content.
bool is_current(const Record& record, Connection& connection, const std::filesystem::path& path);

} // namespace stationsync::sqlite
