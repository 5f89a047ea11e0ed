// What is kept of one database between two looks, over restarts of everybody: which content it had,
// and the evidence by which that content is known again.
#pragma once

#include "content_id.hpp"
#include "database_evidence.hpp"

#include <stationsync/provider.h>

#include <deque>

namespace stationsync::sqlserver {

// How the content came about that a baseline stands for.
enum class Origin : std::uint8_t {
    initial, // found at the first look
    change,  // somebody changed the database here
    backup,  // as the two before, and a package of it was made
    restore, // applied from another station
};

// What one look found, as far as it tells a content again.
struct Evidence {
    LocalTime created = 0; // sys.databases.create_date
    std::string options;   // DatabaseEntry::options
    LocalTime started = 0; // the instance
    // Newest row of restorehistory, 0 = none; nothing = msdb could not be read.
    std::optional<std::int64_t> restore_id;
    std::optional<Gate> gate;
    Usage usage;
    Fingerprint fingerprint;

    friend bool operator==(const Evidence&, const Evidence&) = default;
};

struct Baseline {
    // A content that was here before, known again by a backup of it.
    struct Past {
        ContentId content;
        std::string backup_set; // GUID
        stsync_time changed_at = STSYNC_TIME_NONE;
        // inside_of the backup; empty = not known, for it was changed while the backup was made.
        std::string inside;
    };
    struct Applied {
        std::array<std::uint8_t, 16> id{};
        ContentId content;
        stsync_time changed_at = STSYNC_TIME_NONE;
    };

    std::string server;   // @@SERVERNAME; another one voids the baseline
    std::string database; // its name there; as well
    ContentId content;    // none: no baseline yet
    Origin origin = Origin::initial;
    stsync_time changed_at = STSYNC_TIME_NONE; // of the content, at its origin
    stsync_time changed_not_before = STSYNC_TIME_NONE;
    std::uint32_t flags = 0;                 // STSYNC_OBJECT_RESTORED, _TIME_UNCERTAIN
    stsync_time clean_at = STSYNC_TIME_NONE; // last look that found this content
    bool was_closed = false; // by AUTO_CLOSE, since the evidence was taken: counters began anew
    Evidence evidence;
    // Of the rows of all tables, see content_sum.hpp; nothing = not read, or not to be told.
    std::optional<std::string> content_sum;
    std::deque<Past> past;       // newest last; with a backup of the present content
    std::deque<Applied> applied; // newest last

    bool is_known() const noexcept { return !content.is_none(); }
    sdk::Mark mark() const { return mark_of(content); }

    const Applied* find_applied(const stsync_apply_id& id) const noexcept;
    void remember_applied(const stsync_apply_id& id);
    const Past* find_past(std::string_view backup_set) const noexcept;
    const Past* find_past(const ContentId& content) const noexcept;
    // The present content is in this backup; `is_exact`: with what the evidence says.
    void remember_backup(std::string_view backup_set, bool is_exact = true);
};

// A digest of what lies in a database and travels in its backups, but for the rows themselves.
std::string inside_of(const std::string& options, const Fingerprint& fingerprint);

// What a look found. Where the look has no fingerprint, that of `before` is kept.
Evidence evidence_of(const DatabaseLook& look, const Evidence& before);

// The content that a restore has brought, from the package.
struct RestoredContent {
    ContentId content;                         // of the package's label
    std::string backup_set;                    // GUID, from its header
    stsync_time changed_at = STSYNC_TIME_NONE; // what apply was given
};

// The baseline after a restore of `restored`: call it with all fix-ups done and before users are
// let in, else their first change would be taken for a part of the restore. The first scan then
// reports exactly this mark and time. `before` = the baseline until then, for its past and applied
// ids; the caller adds the new id and stores it. Two statements, which read no user data. Throws
// sdk::Error: NOT_FOUND when there is no such database, or as look_at_server; sdk::Cancelled.
Baseline take_baseline_after_restore(SqlSession& session, const ServerFacts& facts,
                                     std::string_view database, const RestoredContent& restored,
                                     const Baseline& before,
                                     const std::function<stsync_time()>& now, const sdk::Op* op);

std::string encode(const Baseline& baseline);
// Nothing for bytes of another version or of another program.
std::optional<Baseline> decode(std::string_view bytes);

} // namespace stationsync::sqlserver
