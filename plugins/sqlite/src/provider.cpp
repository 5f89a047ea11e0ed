// The provider `sqlite`: one object per SQLite database.
#include "database_list.hpp"
#include "folder_watch.hpp"
#include "live_database.hpp"
#include "package.hpp"
#include "record_store.hpp"
#include "replace.hpp"

#include <stationsync/plugin.hpp>

namespace stationsync::sqlite {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view schema = R"({
    "files": {"type": "list", "required": true,
              "help": "databases: absolute paths, * and ? in the last part, or NAME=path"}
})";

// A package that was found sound, so that apply need not read it a second time.
class CheckedPackages {
public:
    Content check(const fs::path& package, const sdk::Op& op) {
        const FileStamp stamp = stamp_of(package);
        {
            const std::lock_guard lock(mutex_);
            for (const Checked& checked : checked_)
                if (checked.stamp == stamp && stamps_are_prompt())
                    return checked.content;
        }
        const Content content = check_package(package, op);
        const std::lock_guard lock(mutex_);
        checked_.push_back({stamp, content});
        if (checked_.size() > 16)
            checked_.pop_front();
        return content;
    }

private:
    struct Checked {
        FileStamp stamp;
        Content content;
    };
    std::mutex mutex_;
    std::deque<Checked> checked_;
};

class SqliteProvider final : public sdk::Provider, public sdk::Watch, public sdk::SelfTest {
public:
    static constexpr sdk::Options options{STSYNC_KEYS_ARE_PATHS, 2,     30 * 60 * 1000,
                                          "StationSync",         ".db", schema};

    explicit SqliteProvider(sdk::Host host)
        : host_(host),
          databases_(host.config_list("files")),
          records_(host),
          temp_prefix_(std::string(sdk::temp_prefix) + "db-" + instance_tag(host) + '-'),
          is_place_accepted_(host.config_flag("@accept_root", false)) {}

    void recover(sdk::Op& op) override {
        for (const fs::path& folder : databases_.folders())
            remove_temp_files(folder);
        for (const auto& [key, path] : databases_.find().by_key) {
            op.check();
            fs::path journal = path;
            journal += "-journal";
            if (stamp_of(journal).size == 0 || !is_present(file_evidence(path)))
                continue;
            try {
                // SQLite takes back what a killed transaction left, ours or anybody's.
                Connection connection = Connection::open_live(path, op, look_busy_limit);
                ReadTransaction transaction(connection);
            } catch (const sdk::Error& error) {
                // In use by others: then there is nothing to take back, or they do it.
                host_.log(STSYNC_LOG_WARNING, "sqlite.recover", key, error.what());
            }
        }
    }

    std::vector<sdk::Token> compat(sdk::Op&) override {
        return {{STSYNC_TOKEN_EXACT, "sqlite.major", "3"},
                {STSYNC_TOKEN_INFO, "sqlite.library", sqlite3_libversion()}};
    }

    void scan(sdk::Op& op, const sdk::Scope& scope, sdk::ObjectSink& out) override {
        const DatabasesFound found = databases_.find();
        for (const std::string& text : found.unreadable)
            out.add(sdk::Fault{"", STSYNC_DENIED, text, true, 0});
        for (const auto& [key, text] : found.unclear)
            out.add(sdk::Fault{key, STSYNC_DENIED, text, false, 0});
        for (const auto& [key, path] : found.by_key) {
            if (!scope.contains(key) || found.unclear.contains(key))
                continue;
            op.check();
            try {
                look(key, path, op, scope.wants_reread(), out);
            } catch (const sdk::Error& error) {
                out.add(
                    sdk::Fault{key, error.status(), error.what(), false, error.retry_after_ms()});
            }
        }
    }

    sdk::ExportResult export_object(sdk::Op& op, const std::string& key,
                                    const fs::path& package) override {
        const fs::path path = databases_.locate(key);
        if (!is_present(file_evidence(path)))
            throw sdk::Error(STSYNC_NOT_FOUND, key + " does not exist.");
        const Record record = records_.get(key);
        const Content content = write_package(path, package, record, op);
        if (record.content.digest == content.digest && record.changed_at != STSYNC_TIME_NONE)
            set_modified(package, record.changed_at);
        return {mark_of(content.digest), content.byte_count, content.digest};
    }

    std::optional<sdk::Digest> verify(sdk::Op& op, const std::string& key,
                                      const fs::path& package) override {
        databases_.locate(key);
        return checked_.check(package, op).digest;
    }

    sdk::ApplyResult apply(sdk::Op& op, const std::string& key, const fs::path& package,
                           const sdk::ApplyInfo& info) override {
        const fs::path path = databases_.locate(key);
        Record record = records_.get(key);
        if (const Record::Applied* applied = record.find_applied(info.apply_id))
            return {mark_of(applied->digest), record.changed_at};
        Replacement wanted{path, package, checked_.check(package, op), info.expected,
                           host_.scratch(package).value_or(package.parent_path())};
        bring_in(wanted, record, op);
        record.remember_applied(info.apply_id, wanted.content.digest);
        try {
            records_.put(key, record);
        } catch (const sdk::Error& error) {
            // The database has its new content; the next scan reads it again.
            host_.log(STSYNC_LOG_WARNING, "sqlite.record", key, error.what());
        }
        return {mark_of(wanted.content.digest), record.changed_at};
    }

    void start_watch(sdk::Op&, sdk::WatchSink sink) override {
        std::vector<fs::path> unwatched;
        FolderWatch::Events events;
        events.written = [this, sink](const fs::path& file) { hint(sink, file); };
        events.overflowed = [sink] { sink.rescan(); };
        events.ended = [sink](const std::string& why) { sink.lost(why); };
        watch_ = std::make_unique<FolderWatch>(databases_.folders(), std::move(events), unwatched);
        for (const fs::path& folder : unwatched)
            host_.log(STSYNC_LOG_WARNING, "sqlite.watch", "",
                      "The folder " + sdk::utf8_from_path(folder) +
                          " cannot be watched: its changes are found by the periodic scan.");
    }

    void stop_watch() override { watch_.reset(); }

    std::vector<sdk::Finding> self_test(sdk::Op& op) override {
        std::vector<sdk::Finding> findings;
        const DatabasesFound found = databases_.find();
        for (const std::string& text : found.unreadable)
            findings.push_back({STSYNC_FINDING_ERROR, "sqlite.folder", text, "See the sentence."});
        for (const auto& [key, text] : found.unclear)
            findings.push_back(
                {STSYNC_FINDING_ERROR, "sqlite.database", text, "See the sentence."});
        for (const auto& [key, path] : found.by_key)
            if (!found.unclear.contains(key))
                findings.push_back(test_database(key, path, op));
        return findings;
    }

private:
    // Two instances may keep databases in one folder: each removes its own temporary files only.
    static std::string instance_tag(sdk::Host host) {
        const auto name = host.config("@instance");
        std::string tag;
        for (std::size_t i = 0; i < 4; ++i) {
            const std::uint8_t byte = sdk::sha256(name.value_or(""))[i];
            tag += "0123456789abcdef"[byte >> 4];
            tag += "0123456789abcdef"[byte & 15u];
        }
        return tag;
    }

    void remove_temp_files(const fs::path& folder) {
        std::error_code failure;
        std::vector<fs::path> found;
        for (fs::directory_iterator entries(folder, failure);
             !failure && entries != fs::directory_iterator(); entries.increment(failure)) {
            const std::string name = sdk::utf8_from_path(entries->path().filename());
            if (name.starts_with(temp_prefix_))
                found.push_back(entries->path());
        }
        for (const fs::path& path : found)
            fs::remove(path, failure);
    }

    void look(const std::string& key, const fs::path& path, const sdk::Op& op, bool reread,
              sdk::ObjectSink& out) {
        Record record = records_.get(key);
        if (!refresh(record, path, op, reread, host_.utc_now())) {
            require_place(record, path);
            return;
        }
        records_.put(key, record);
        sdk::Object object;
        object.key = key;
        object.mark = record.mark();
        object.byte_count = record.content.byte_count;
        object.changed_at = record.changed_at;
        object.changed_not_before = record.changed_not_before;
        object.content_digest = record.content.digest;
        object.flags = record.flags | (record.is_read_only ? STSYNC_OBJECT_READ_ONLY : 0u);
        out.add(object);
    }

    // A database that is gone together with its disk is not absent.
    void require_place(const Record& record, const fs::path& path) const {
        if (record.folder_volume == 0 || is_place_accepted_)
            return;
        if (stamp_of(path.parent_path()).volume == record.folder_volume)
            return;
        const auto name = host_.config("@name");
        throw sdk::Error(STSYNC_DENIED,
                         "The folder " + sdk::utf8_from_path(path.parent_path()) +
                             " is on another disk than the database was, and the database is not "
                             "there: mount its disk, or accept the new place with `stationsync "
                             "provider accept-root " +
                             name.value_or("NAME") + "`.");
    }

    void bring_in(const Replacement& wanted, Record& record, const sdk::Op& op) {
        const Evidence evidence = file_evidence(wanted.live);
        if (evidence.database.is_present && !evidence.database.is_regular)
            throw sdk::Error(STSYNC_DENIED,
                             sdk::utf8_from_path(wanted.live) + " is no file: move it away.");
        if (!is_present(evidence)) {
            if (!wanted.expected.is_absent())
                throw sdk::Error(STSYNC_CONFLICT, "The database was deleted meanwhile.");
            require_place(record, wanted.live);
        }
        if (record.path != sdk::utf8_from_path(wanted.live)) {
            record = Record();
            record.path = sdk::utf8_from_path(wanted.live);
        }
        // A file of 0 bytes may be open in a program that is about to fill it.
        if (evidence.database.is_present)
            replace_in_place(wanted, record, op, host_.utc_now());
        else
            create_database(wanted, record, op,
                            temp_prefix_ + sdk::new_temp_name().substr(sdk::temp_prefix.size()),
                            host_.utc_now());
    }

    static void set_modified(const fs::path& file, stsync_time time) {
        const auto since_epoch = std::chrono::microseconds(time);
        const std::chrono::sys_time<std::chrono::microseconds> moment(since_epoch);
        std::error_code ignored; // the time is for people only
        fs::last_write_time(file,
                            std::chrono::time_point_cast<fs::file_time_type::duration>(
                                std::chrono::file_clock::from_sys(moment)),
                            ignored);
    }

    void hint(sdk::WatchSink sink, const fs::path& file) const {
        fs::path database = file;
        std::string name = sdk::utf8_from_path(file.filename());
        for (const std::string_view suffix : {"-wal", "-journal"})
            if (name.ends_with(suffix)) {
                name.resize(name.size() - suffix.size());
                database = file.parent_path() / sdk::path_from_utf8(name);
                break;
            }
        if (const auto key = databases_.key_of(database))
            sink.changed(*key);
    }

    sdk::Finding test_database(const std::string& key, const fs::path& path, const sdk::Op& op) {
        try {
            if (!is_present(file_evidence(path)))
                return {STSYNC_FINDING_OK, "sqlite.absent",
                        key + " does not exist here: it is made when another station has it.", ""};
            Connection connection = Connection::open_live(path, op, look_busy_limit);
            ReadTransaction transaction(connection);
            if (connection.is_read_only())
                return {STSYNC_FINDING_ERROR, "sqlite.read_only", key + " cannot be written.",
                        "Give the service the right to write the file and its folder."};
            return {STSYNC_FINDING_OK, "sqlite.database",
                    key + " can be read, its journal mode is " +
                        connection.text("PRAGMA main.journal_mode") + ".",
                    ""};
        } catch (const sdk::Error& error) {
            return {STSYNC_FINDING_ERROR, "sqlite.database", error.what(), "See the sentence."};
        }
    }

    sdk::Host host_;
    DatabaseList databases_;
    RecordStore records_;
    CheckedPackages checked_;
    std::string temp_prefix_;
    bool is_place_accepted_;
    std::unique_ptr<FolderWatch> watch_;
};

} // namespace
} // namespace stationsync::sqlite

STSYNC_PROVIDER(stationsync::sqlite::SqliteProvider, "sqlite", "SQLite databases", "1.0.0")
