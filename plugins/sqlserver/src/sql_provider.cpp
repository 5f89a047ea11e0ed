#include "sql_provider.hpp"

#include "backup_job.hpp"
#include "errors.hpp"
#include "folder_check.hpp"
#include "package_check.hpp"
#include "permissions.hpp"
#include "settings.hpp"
#include "text.hpp"

#include <algorithm>
#include <set>

namespace stationsync::sqlserver {

namespace {

namespace fs = std::filesystem;

// Two instances may use one folder: each removes its own files only.
std::string instance_tag(const sdk::Host& host) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string tag;
    for (std::size_t i = 0; i < 4; ++i) {
        const std::uint8_t byte = sdk::sha256(host.config("@instance").value_or(""))[i];
        tag += digits[byte >> 4];
        tag += digits[byte & 15u];
    }
    return tag;
}

sdk::Fault fault_of(const std::string& key, const sdk::Error& error) {
    return {key, error.status(), error.what(), false, error.retry_after_ms()};
}

// Why a database that is there cannot be told.
std::optional<sdk::Error> obstacle_of(const DatabaseEntry& entry) {
    const std::string name = "The database " + entry.name;
    if (!entry.has_exact_name)
        return sdk::Error(STSYNC_UNSUPPORTED,
                          name + " has a name that is no valid Unicode: rename it.");
    if (entry.is_distributor)
        return sdk::Error(STSYNC_UNSUPPORTED,
                          name + " belongs to replication and cannot be synchronized: take it out "
                                 "of \"databases\".");
    if (entry.is_standby)
        return sdk::Error(STSYNC_DENIED, name + " is a standby of log shipping: it cannot be "
                                                "backed up or replaced before it is recovered.");
    if (entry.state == "ONLINE")
        return std::nullopt;
    if (entry.state == "RESTORING" || entry.state == "RECOVERING" || entry.state == "COPYING")
        return sdk::Error(STSYNC_BUSY, name + " is " + lowered(entry.state) +
                                           " just now: it is looked at again.");
    if (entry.state == "OFFLINE")
        return sdk::Error(STSYNC_DENIED,
                          name + " is offline: bring it online with ALTER DATABASE … SET ONLINE.");
    return sdk::Error(STSYNC_DENIED, name + " is in the state " + entry.state +
                                         ": look into the error log of SQL Server.");
}

// An apply would be refused; see the preconditions of the restore.
bool is_protected(const DatabaseEntry& entry) noexcept {
    return entry.is_read_only || entry.is_mirrored || entry.is_in_group;
}

} // namespace

SqlProvider::SqlProvider(sdk::Host host)
    : host_(host),
      settings_(provider_settings_of(host)),
      server_settings_(server_settings_of(host)),
      odbc_(server_settings_, [this] { return password_of(host_, server_settings_); }, {}),
      server_(odbc_, [this] { return login_hash(); }),
      baselines_(host),
      folder_(settings_, instance_tag(host)),
      restorer_(host, server_, settings_, baselines_, folder_),
      look_session_(server_),
      looks_(host, settings_, baselines_) {
    settings_.is_server_here = server_settings_.is_local();
    for (const std::string& warning : connection_warnings(server_settings_))
        host_.log(STSYNC_LOG_WARNING, "sqlserver.connection", "", warning);
}

std::size_t SqlProvider::login_hash() const {
    std::string login = password_of(host_, server_settings_);
    login += '\n' + server_settings_.user;
    const std::size_t hash = std::hash<std::string>()(login);
    wipe(login);
    return hash;
}

void SqlProvider::recover(sdk::Op& op) {
    restorer_.recover(op);
    // What is still open may need any of them.
    if (!restorer_.has_open())
        folder_.remove_leftovers();
}

std::vector<sdk::Token> SqlProvider::compat(sdk::Op& op) {
    const LookSession::Use use = look_session_.use(&op);
    return tokens_of(use.facts(), settings_.is_build_exact);
}

std::vector<std::string> SqlProvider::check_compat(sdk::Op& op,
                                                   const std::vector<sdk::Token>& remote) {
    const std::vector<sdk::Token> ours = compat(op);
    std::vector<std::string> obstacles = incompatibilities(ours, remote);
    if (obstacles.empty())
        for (const std::string& difference : differences(ours, remote))
            host_.log(STSYNC_LOG_WARNING, "sqlserver.difference", "", difference);
    return obstacles;
}

// Looks

void SqlProvider::scan(sdk::Op& op, const sdk::Scope& scope, sdk::ObjectSink& out) {
    // Of what is neither old nor new a look tells nothing.
    std::set<std::string> open;
    for (const Restorer::Unsettled& each : restorer_.settle_broken_off(op)) {
        open.insert(each.key);
        if (scope.contains(each.key))
            out.add(fault_of(each.key, each.error));
    }
    restorer_.undecided().release_old();
    LookSession::Use use = look_session_.use(&op);
    // Before the look: a call that begins or ends meanwhile makes it worth nothing for its key.
    const KeysAtWork::Turns turns = keys_.turns();
    const ServerLook server = look_at_all(use, op);
    if (const auto fault = folder_fault(use, op)) {
        out.add(*fault);
        return;
    }
    if (!server.history_problem.empty() && !is_history_problem_told_.exchange(true))
        host_.log(STSYNC_LOG_WARNING, "sqlserver.history", "",
                  "The history of restores in msdb cannot be read, so a restored database may be "
                  "taken for a changed one. " +
                      server.history_problem);
    for (const DatabaseLook& seen : server.databases) {
        const auto key = settings_.databases.key_of(seen.entry.name);
        if (!key || seen.entry.is_snapshot || !scope.contains(*key) || open.contains(*key))
            continue;
        op.check();
        try {
            scan_one(use, server, seen, *key, turns, op, out);
        } catch (const sdk::Error& error) {
            out.add(fault_of(*key, error));
            if (!use.session().is_usable())
                throw;
        }
    }
}

// The session may be an old one whose connection has died since, which not every driver says.
ServerLook SqlProvider::look_at_all(LookSession::Use& use, const sdk::Op& op) {
    try {
        return looks_.look(use.session(), use.facts(), op);
    } catch (const sdk::Error& error) {
        if (error.status() != STSYNC_BUSY && error.status() != STSYNC_INTERNAL)
            throw;
    }
    use.renew(&op);
    return looks_.look(use.session(), use.facts(), op);
}

void SqlProvider::scan_one(const LookSession::Use& use, const ServerLook& server,
                           const DatabaseLook& seen, const std::string& key,
                           const KeysAtWork::Turns& turns, const sdk::Op& op,
                           sdk::ObjectSink& out) {
    const KeysAtWork::Work work = keys_.work(key);
    if (work == KeysAtWork::Work::apply)
        throw sdk::Error(STSYNC_BUSY, "The database " + seen.entry.name + " is being replaced.");
    if (seen.entry.state == "RESTORING")
        if (const auto text =
                restorer_.lost_restore_of(use.session(), use.facts(), seen.entry.name, op))
            throw sdk::Error(STSYNC_DENIED, *text);
    if (const auto obstacle = obstacle_of(seen.entry))
        throw sdk::Error(*obstacle);
    Baseline baseline;
    if (work == KeysAtWork::Work::backup || keys_.has_turned(key, turns)) {
        // The call at work says what it finds; until then nothing is new.
        baseline = baselines_.get(key);
        if (!baseline.is_known())
            throw sdk::Error(STSYNC_BUSY,
                             "The database " + seen.entry.name + " is being backed up.");
    } else {
        DatabaseLook look = seen;
        look.was_kept_open = seen.entry.is_auto_close && restorer_.undecided().is_holding(key);
        const auto is_current = [&] { return !keys_.has_turned(key, turns); };
        baseline = looks_.refresh(use.session(), use.facts(), server, look, key, op, is_current);
        if (!baseline.is_known()) // a call has begun
            throw sdk::Error(STSYNC_BUSY, "The database " + seen.entry.name +
                                              " is at work: it is looked at again.");
    }
    sdk::Object object;
    object.key = key;
    object.mark = baseline.mark();
    object.byte_count = seen.entry.data_bytes;
    object.changed_at = baseline.changed_at;
    object.changed_not_before = baseline.changed_not_before;
    object.content_digest = digest_of(baseline.content);
    object.flags = baseline.flags | (is_protected(seen.entry) ? STSYNC_OBJECT_READ_ONLY : 0u);
    if (key != seen.entry.name)
        object.display_name = seen.entry.name;
    out.add(object);
}

// The folder

// Nothing: there is no folder yet; the host makes its own when it starts.
std::optional<sdk::Finding> SqlProvider::probe_folders(const LookSession::Use& use,
                                                       const sdk::Op& op) const {
    std::vector<fs::path> folders = {settings_.backup_folder};
    // The first hands its rights down, but what is in it may be older than they are.
    if (settings_.backup_folder.empty())
        folders = {settings_.packages_folder, settings_.fetched_folder};
    std::optional<sdk::Finding> finding;
    for (const fs::path& folder : folders) {
        std::error_code ignored;
        if (folder.empty() ||
            (settings_.backup_folder.empty() && !fs::is_directory(folder, ignored)))
            continue;
        finding =
            check_folder(use.session(), use.facts(), folder_, folder / "probe", settings_, &op);
        if (finding->severity != STSYNC_FINDING_OK)
            break;
    }
    return finding;
}

std::optional<sdk::Fault> SqlProvider::folder_fault(const LookSession::Use& use,
                                                    const sdk::Op& op) {
    if (is_folder_known_good_)
        return std::nullopt;
    const auto finding = probe_folders(use, op);
    if (!finding || finding->severity != STSYNC_FINDING_ERROR) {
        is_folder_known_good_ = finding.has_value();
        return std::nullopt;
    }
    return sdk::Fault{"", STSYNC_DENIED, finding->text + ' ' + finding->remedy, true, 0};
}

// Backup

// Else AUTO_CLOSE empties the counters between the two looks of an export.
SqlProvider::Held SqlProvider::hold_open(SqlSession& session, const ServerFacts& facts,
                                         const std::string& key, const std::string& database,
                                         const sdk::Op& op) {
    const ServerLook server = looks_.look(session, facts, op);
    const DatabaseLook* const seen = server.find(database);
    Held held;
    if (seen == nullptr || !seen->entry.is_auto_close || !seen->entry.is_online())
        return held;
    held.kept = restorer_.undecided().take(key);
    held.was_left_open = held.kept.has_value();
    if (!held.kept)
        held.kept.emplace(server_, seen->entry.name, &op);
    return held;
}

SqlProvider::ExportedState SqlProvider::before_export(SqlSession& session, const ServerFacts& facts,
                                                      const std::string& key,
                                                      const std::string& database,
                                                      bool was_left_open, const sdk::Op& op) {
    const ServerLook server = looks_.look(session, facts, op);
    const DatabaseLook* const seen = server.find(database);
    if (seen == nullptr || seen->entry.is_snapshot)
        throw sdk::Error(STSYNC_NOT_FOUND, "The database " + database + " does not exist.");
    if (const auto obstacle = obstacle_of(seen->entry))
        throw sdk::Error(*obstacle);
    ExportedState state;
    // A scan at the same time stores nothing: this call has begun.
    DatabaseLook look = *seen;
    look.was_kept_open = was_left_open;
    state.before = looks_.refresh(session, facts, server, look, key, op);
    state.label = {state.before.content, state.before.changed_at, facts.server};
    return state;
}

void SqlProvider::after_export(SqlSession& session, const ServerFacts& facts,
                               const std::string& key, const ExportedState& exported,
                               const std::string& backup_set, const DatabaseLook& seen,
                               const ServerLook& server, const sdk::Op& op) {
    Baseline baseline = exported.before;
    DatabaseLook look = seen;
    Verdict verdict = looks_.judge_again(session, facts, server, look, baseline, op);
    // Each backup writes to the log: taken for a change, it would be followed by another one for
    // ever. What users wrote meanwhile is found when the log moves next.
    if (verdict.change == Change::changed && verdict.is_not_counted) {
        verdict.change = Change::system_activity;
        host_.log(STSYNC_LOG_WARNING, "sqlserver.not_counted", key,
                  "Whether the database " + seen.entry.name +
                      " was written while its package was made cannot be told: " + verdict.reason +
                      ". It counts as unchanged.");
    }
    const bool is_same = same_state(verdict) == SameState::yes;
    const bool has_package =
        std::any_of(baseline.past.begin(), baseline.past.end(), [&](const Baseline::Past& past) {
            return past.content == exported.before.content;
        });
    // A content is what its first package holds. Another package of it must hold exactly the same,
    // but the first one may be newer by what was written while it was made: that is consistent, and
    // the database has a new content all the same.
    if (!is_same && (has_package || baseline.origin == Origin::restore))
        throw sdk::Error(STSYNC_BUSY, "The database " + seen.entry.name +
                                          " was changed while its package was made.");
    baseline.remember_backup(backup_set, is_same);
    if (is_same && baseline.origin != Origin::restore)
        baseline.origin = Origin::backup;
    DatabaseLooks::take(baseline, look, verdict);
    baselines_.put(key, baseline);
}

sdk::ExportResult SqlProvider::export_object(sdk::Op& op, const std::string& key,
                                             const fs::path& package) {
    const std::string database = settings_.databases.database_of(key);
    if (restorer_.is_open(key))
        throw sdk::Error(STSYNC_BUSY, "Replacing the database " + database +
                                          " was broken off: that is settled first.");
    const KeysAtWork::Guard guard(keys_, key, KeysAtWork::Work::backup);
    const std::unique_ptr<SqlSession> session = open_session(server_, SessionRole::worker, &op);
    const ServerFacts facts = ask_server_facts(*session, &op);
    Held held = hold_open(*session, facts, key, database, op);
    const ExportedState state =
        before_export(*session, facts, key, database, held.was_left_open, op);
    BackupJob job(server_, *session, facts, settings_, op);
    if (const auto free = host_.free_space(folder_.folder_here(package)))
        job.check_space(database, *free, folder_.folder_there(package));
    ExchangeFile file = folder_.new_file(package);
    try {
        job.write(database, file, state.label);
    } catch (const sdk::Error& error) {
        if (error.status() == STSYNC_DENIED)
            is_folder_known_good_ = false; // the next scan looks at it
        throw;
    }
    const ServerLook server = looks_.look(*session, facts, op);
    const DatabaseLook* const found = server.find(database);
    if (found == nullptr)
        throw sdk::Error(STSYNC_NOT_FOUND, "The database " + database + " was dropped meanwhile.");
    DatabaseLook seen = *found;
    seen.was_kept_open = held.kept && held.kept->is_holding();
    const std::string backup_set = job.check(file, state.label);
    file.move_to(package, state.before.changed_at, op);
    try {
        after_export(*session, facts, key, state, backup_set, seen, server, op);
    } catch (...) {
        std::error_code ignored;
        fs::remove(package, ignored);
        throw;
    }
    // Whoever asked for the state before the doubt asks again, for this one.
    if (held.kept && state.before.content_sum.value_or("").empty())
        restorer_.undecided().keep(key, *std::move(held.kept));
    return {mark_of(state.before.content), seen.entry.data_bytes, digest_of(state.before.content)};
}

std::optional<sdk::Digest> SqlProvider::verify(sdk::Op& op, const std::string& key,
                                               const fs::path& package) {
    settings_.databases.database_of(key);
    const std::unique_ptr<SqlSession> session = open_session(server_, SessionRole::worker, &op);
    const ServerFacts facts = ask_server_facts(*session, &op);
    const ExchangeFile file = folder_.lend(package, op);
    const CheckedPackage checked = check_package(*session, facts, file.there(), settings_, &op);
    for (const std::string& warning : checked.warnings)
        host_.log(STSYNC_LOG_WARNING, "sqlserver.package", key, warning);
    verify_readable(server_, *session, facts, settings_, file.there(), op);
    return digest_of(checked.label.content);
}

sdk::ApplyResult SqlProvider::apply(sdk::Op& op, const std::string& key, const fs::path& package,
                                    const sdk::ApplyInfo& info) {
    const KeysAtWork::Guard guard(keys_, key, KeysAtWork::Work::apply);
    const Applied applied = restorer_.apply({key, settings_.databases.database_of(key), package,
                                             info.apply_id, info.expected, info.changed_at},
                                            op);
    return {applied.mark, applied.changed_at};
}

// Hints and findings

void SqlProvider::start_watch(sdk::Op&, sdk::WatchSink sink) {
    watch_ = std::make_unique<ChangeWatch>(
        host_, server_, settings_, baselines_, [this] { return restorer_.broken_off(); }, sink);
}

void SqlProvider::stop_watch() {
    watch_.reset();
}

// Names of the databases that are synchronized and online.
std::vector<std::string> SqlProvider::test_databases(const LookSession::Use& use,
                                                     std::vector<sdk::Finding>& findings,
                                                     const sdk::Op& op) {
    const ServerLook server = looks_.look(use.session(), use.facts(), op);
    std::vector<std::string> names;
    for (const DatabaseLook& seen : server.databases) {
        if (!settings_.databases.key_of(seen.entry.name) || !seen.entry.is_online())
            continue;
        names.push_back(seen.entry.name);
        if (seen.entry.is_auto_close)
            findings.push_back(
                {STSYNC_FINDING_WARNING, "sqlserver.auto_close",
                 "AUTO_CLOSE is on for the database " + seen.entry.name +
                     ": its counters are lost whenever its last user leaves, so that changes are "
                     "found later and less surely.",
                 "Switch it off: ALTER DATABASE … SET AUTO_CLOSE OFF."});
    }
    return names;
}

std::vector<sdk::Finding> SqlProvider::self_test(sdk::Op& op) {
    std::vector<sdk::Finding> findings;
    try {
        const LookSession::Use use = look_session_.use(&op);
        findings.push_back(
            {STSYNC_FINDING_OK, "sqlserver.server", use.facts().name() + " answers.", ""});
        std::vector<std::string> names;
        try {
            names = test_databases(use, findings, op);
        } catch (const sdk::Error& error) {
            findings.push_back(
                {STSYNC_FINDING_ERROR, "sqlserver.look", error.what(), "See the next lines."});
        }
        for (sdk::Finding& finding : check_permissions(use.session(), use.facts(), names, &op))
            findings.push_back(std::move(finding));
        if (auto finding = probe_folders(use, op))
            findings.push_back(*std::move(finding));
    } catch (const sdk::Error& error) {
        findings.push_back(
            {STSYNC_FINDING_ERROR, "sqlserver.server", error.what(), "See the sentence."});
    }
    return findings;
}

} // namespace stationsync::sqlserver
