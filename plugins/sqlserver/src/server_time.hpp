// Times of SQL Server: most of them are local to the computer that it runs on, without an offset.
#pragma once

#include "sql_answer.hpp"

#include <stationsync/types.h>

namespace stationsync::sqlserver {

// Microseconds since 1970-01-01 00:00 of the server's local clock.
using LocalTime = std::int64_t;

// One reading of both clocks, and how the server's local time stood to UTC then.
struct ServerMoment {
    stsync_time at = STSYNC_TIME_NONE;         // by the clock of this station, UTC
    stsync_time server_utc = STSYNC_TIME_NONE; // by the clock of the server
    int offset_minutes = 0;                    // east of UTC

    // Now, in the server's local time.
    LocalTime local() const noexcept;
};

// An interval in which something happened, by the clock of this station; `from` may be NONE.
struct Interval {
    stsync_time from = STSYNC_TIME_NONE; // not included: the state was still the old one then
    stsync_time to = STSYNC_TIME_NONE;
};

// When a local time of the server was, by the clock of this station, for something known to have
// happened within `within`. An offset other than the present one (daylight saving ended or began
// meanwhile) is tried where the present one does not lead into the interval; what no offset brings
// there, because a clock was set, is taken to its nearer end.
stsync_time utc_within(LocalTime local, const ServerMoment& now, const Interval& within);

// The same for something of any age, such as the end of a backup: by the rules of this computer's
// time zone when the server has the same offset now, else by the server's present offset.
stsync_time utc_of(LocalTime local, const ServerMoment& now);

} // namespace stationsync::sqlserver
