#include "write_traces.hpp"

#include "baseline.hpp"
#include "quoting.hpp"

namespace stationsync::sqlserver {

std::string traces_statement(std::string_view database, const ServerFacts& facts) {
    return "SELECT SUM(user_updates) AS user_updates, MAX(last_user_update) AS last_user_update "
           "FROM sys.dm_db_index_usage_stats WHERE database_id = DB_ID(" +
           quoted_text(database) + "); " + fingerprint_statement(database, facts, false);
}

std::optional<WriteTraces> traces_in(const Answer& answer) {
    const ResultSet* const usage = result_with(answer, "user_updates");
    const ResultSet* const inside = result_with(answer, "database_guid");
    if (!answer.is_complete() || usage == nullptr || usage->rows.size() != 1 || inside == nullptr ||
        inside->rows.size() != 1)
        return std::nullopt;
    return WriteTraces{usage_of(usage->row(0)), fingerprint_of(inside->row(0))};
}

bool were_written(const Evidence& before, const WriteTraces& now) {
    const Usage& was = before.usage;
    if (now.usage.updates.value_or(0) > was.updates.value_or(0))
        return true;
    if (now.usage.last_update && (!was.last_update || *now.usage.last_update > *was.last_update))
        return true;
    if (!now.fingerprint.differences(before.fingerprint).empty())
        return true;
    return before.fingerprint.modifications &&
           now.fingerprint.modifications.value_or(0) > *before.fingerprint.modifications;
}

} // namespace stationsync::sqlserver
