// What the plugin remembers of one database between two looks, kept over restarts.
#pragma once

#include "content_digest.hpp"
#include "evidence.hpp"

#include <stationsync/mark.hpp>
#include <stationsync/provider.h>

#include <deque>

namespace stationsync::sqlite {

struct Record {
    // An earlier state of the database.
    struct Past {
        sdk::Digest digest;
        std::uint32_t change_counter;
    };
    // An apply that has been carried out.
    struct Applied {
        std::array<std::uint8_t, 16> id;
        sdk::Digest digest;
    };

    std::string path;                // UTF-8; another path voids the record
    std::uint64_t folder_volume = 0; // where the folder was when the database was last seen
    Evidence evidence;
    // The evidence belongs to exactly this content; false when someone wrote while it was taken.
    bool is_exact = false;
    // The files were still the same well after their times could have hidden a second write.
    bool is_settled = false;
    bool is_read_only = false;
    Content content;
    stsync_time changed_at = STSYNC_TIME_NONE;
    stsync_time changed_not_before = STSYNC_TIME_NONE;
    stsync_time unchanged_at = STSYNC_TIME_NONE; // last look that found this content
    std::uint32_t flags = 0;                     // STSYNC_OBJECT_RESTORED, _TIME_UNCERTAIN
    std::deque<Past> past;                       // newest last
    std::deque<Applied> applied;                 // newest last

    // Not stored: when this process first saw the evidence, and when the record was last stored.
    std::chrono::steady_clock::time_point seen_at{};
    stsync_time stored_unchanged_at = STSYNC_TIME_NONE;

    sdk::Mark mark() const;
    const Applied* find_applied(const stsync_apply_id& id) const noexcept;
    void remember_applied(const stsync_apply_id& id, const sdk::Digest& digest);

    // Takes over newly read content and judges how it came about. `now` = beginning of the look.
    void take(const Content& content_now, const Evidence& evidence_now, bool is_exact_now,
              stsync_time now);
};

// The mark of a content: the same for the same content on every station.
sdk::Mark mark_of(const sdk::Digest& digest);

std::string encode(const Record& record);
// Nothing for bytes of another version or of another program.
std::optional<Record> decode(std::string_view bytes);

} // namespace stationsync::sqlite
