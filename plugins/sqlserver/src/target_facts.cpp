#include "target_facts.hpp"

#include "job_outcome.hpp"
#include "quoting.hpp"
#include "text.hpp"

#include <algorithm>

namespace stationsync::sqlserver {

namespace {

constexpr std::uint64_t page_size = 8192;
constexpr std::size_t visitors_shown = 5;

Answer ask(SqlSession& session, const std::string& statement, const sdk::Op* op) {
    RunOptions options;
    options.op = op;
    Answer answer = session.run(statement, options);
    require_complete(answer, op);
    return answer;
}

// For what a login may lack the right to see: nothing then, unless the call is to end.
std::optional<Answer> ask_if_allowed(SqlSession& session, const std::string& statement,
                                     const sdk::Op* op) {
    RunOptions options;
    options.op = op;
    Answer answer = session.run(statement, options);
    if (answer.ending == Ending::failed)
        return std::nullopt;
    require_complete(answer, op);
    return answer;
}

FileKind kind_of(std::int64_t type) noexcept {
    switch (type) {
    case 0:
        return FileKind::data;
    case 1:
        return FileKind::log;
    case 2:
        return FileKind::stream;
    case 4:
        return FileKind::full_text;
    default:
        return FileKind::other;
    }
}

std::vector<LiveFile> parse_files(const ResultSet& set) {
    std::vector<LiveFile> files;
    for (std::size_t i = 0; i < set.rows.size(); ++i) {
        const Row row = set.row(i);
        files.push_back({row["file_id"].integer().value_or(0),
                         kind_of(row["type"].integer().value_or(-1)),
                         row["name"].text().value_or(""), row["physical_name"].text().value_or(""),
                         static_cast<std::uint64_t>(
                             std::max<std::int64_t>(row["size"].integer().value_or(0), 0)) *
                             page_size});
    }
    return files;
}

std::string files_statement(const std::string& of_database) {
    return "SELECT file_id, type, name, physical_name, size FROM sys.master_files "
           "WHERE database_id = " +
           of_database + " ORDER BY file_id";
}

std::vector<Volume> ask_volumes(SqlSession& session, const sdk::Op* op) {
    std::vector<Volume> volumes;
    const auto answer = ask_if_allowed(
        session,
        "SELECT DISTINCT v.volume_mount_point, v.available_bytes FROM sys.master_files f "
        "CROSS APPLY sys.dm_os_volume_stats(f.database_id, f.file_id) v",
        op);
    if (!answer)
        return volumes;
    const ResultSet& set = answer->rows();
    for (std::size_t i = 0; i < set.rows.size(); ++i) {
        const Row row = set.row(i);
        const auto place = row["volume_mount_point"].text();
        const auto free = row["available_bytes"].integer();
        if (place && free)
            volumes.push_back(
                {*place, static_cast<std::uint64_t>(std::max<std::int64_t>(*free, 0))});
    }
    return volumes;
}

} // namespace

std::string folder_of(std::string_view path) {
    const std::size_t end = path.find_last_of("/\\");
    return end == std::string_view::npos ? std::string() : std::string(path.substr(0, end + 1));
}

const Volume* volume_of(const std::vector<Volume>& volumes, std::string_view path) noexcept {
    const Volume* best = nullptr;
    for (const Volume& each : volumes) {
        const std::string& place = each.mount_point;
        if (place.empty() || path.size() < place.size() ||
            !is_same_name(path.substr(0, place.size()), place))
            continue;
        // Of two readings of one volume the smaller one counts.
        if (best == nullptr || place.size() > best->mount_point.size() ||
            (place.size() == best->mount_point.size() && each.free_bytes < best->free_bytes))
            best = &each;
    }
    return best;
}

TargetFacts ask_target_facts(SqlSession& session, const std::optional<DatabaseEntry>& entry,
                             const std::string& family, const sdk::Op* op) {
    TargetFacts facts;
    facts.entry = entry;
    facts.volumes = ask_volumes(session, op);
    if (const auto answer =
            ask_if_allowed(session, "SELECT thumbprint FROM master.sys.certificates", op))
        for (std::size_t i = 0; i < answer->rows().rows.size(); ++i)
            if (auto bytes = answer->rows().row(i)["thumbprint"].bytes())
                facts.thumbprints.push_back(*std::move(bytes));
    const Answer master = ask(session, files_statement("1"), op);
    for (const LiveFile& file : parse_files(master.rows()))
        if (file.kind == FileKind::data && facts.master_folder.empty())
            facts.master_folder = folder_of(file.path);
    if (!entry)
        return facts;
    const std::string id = std::to_string(entry->id);
    facts.files = parse_files(ask(session, files_statement(id), op).rows());
    const Answer snapshots =
        ask(session, "SELECT name FROM sys.databases WHERE source_database_id = " + id, op);
    for (std::size_t i = 0; i < snapshots.rows().rows.size(); ++i)
        facts.snapshots.push_back(snapshots.rows().row(i)["name"].text().value_or(""));
    facts.family_guid = family;
    if (!entry->is_online() || !family.empty())
        return facts;
    const Answer asked =
        ask(session,
            "SELECT family_guid FROM sys.database_recovery_status WHERE database_id = " + id, op);
    if (!asked.rows().rows.empty())
        facts.family_guid = asked.rows().row(0)["family_guid"].guid().value_or("");
    return facts;
}

void ask_feature_facts(SqlSession& session, const ServerFacts& server, const Backup& backup,
                       TargetFacts& facts, const sdk::Op* op) {
    const bool has_streams =
        std::any_of(backup.files.begin(), backup.files.end(),
                    [](const BackupFile& file) { return file.kind == FileKind::stream; });
    if (has_streams && server.filestream_level == 0 && facts.entry && facts.entry->is_online()) {
        const Answer groups = ask(session,
                                  "SELECT name FROM " + quoted_name(facts.entry->name) +
                                      ".sys.filegroups WHERE type = N'FX'",
                                  op);
        for (std::size_t i = 0; i < groups.rows().rows.size(); ++i)
            facts.memory_groups.push_back(groups.rows().row(i)["name"].text().value_or(""));
    }
    if (backup.header().containment == 0)
        return;
    const Answer allowed = ask(session,
                               "SELECT CONVERT(int, value_in_use) AS in_use FROM "
                               "sys.configurations WHERE name = "
                               "N'contained database authentication'",
                               op);
    facts.takes_contained =
        allowed.rows().rows.empty() || allowed.rows().row(0)["in_use"].integer().value_or(1) != 0;
}

std::vector<Visitor> ask_visitors(SqlSession& session, std::string_view database) {
    std::vector<Visitor> visitors;
    const Answer answer = session.run(
        "SELECT session_id, program_name, host_name, login_name FROM sys.dm_exec_sessions "
        "WHERE is_user_process = 1 AND session_id <> @@SPID AND database_id = DB_ID(" +
            quoted_text(database) + ")",
        {});
    if (!answer.is_complete() || answer.results.empty())
        return visitors;
    const ResultSet& set = answer.rows();
    for (std::size_t i = 0; i < set.rows.size(); ++i) {
        const Row row = set.row(i);
        visitors.push_back(
            {row["session_id"].integer().value_or(0), row["program_name"].text().value_or(""),
             row["host_name"].text().value_or(""), row["login_name"].text().value_or("")});
    }
    return visitors;
}

std::string to_text(const std::vector<Visitor>& visitors) {
    std::string text;
    for (std::size_t i = 0; i < visitors.size() && i < visitors_shown; ++i) {
        const Visitor& each = visitors[i];
        text += (text.empty() ? "" : ", ") +
                presentable(each.program.empty() ? "a program without a name" : each.program, 60);
        if (!each.computer.empty())
            text += " on " + presentable(each.computer, 60);
        text += " (login " + presentable(each.login, 60) + ")";
    }
    if (visitors.size() > visitors_shown)
        text += " and " + std::to_string(visitors.size() - visitors_shown) + " more";
    return text;
}

} // namespace stationsync::sqlserver
