#include "component/sqlserver_apply/apply_fixture.hpp"

#include "backup_header.hpp"
#include "database_looks.hpp"
#include "package_label.hpp"
#include "quoting.hpp"
#include "restore_journal.hpp"

#include <cstdlib>

namespace stationsync::test {

namespace fs = std::filesystem;

class WatchedSession final : public sql::SqlSession {
public:
    WatchedSession(std::unique_ptr<sql::SqlSession> inner, WatchedServer& server, bool is_watched)
        : inner_(std::move(inner)), server_(server), is_watched_(is_watched) {}

    sql::Answer run(std::string_view statement, const sql::RunOptions& options) override {
        if (!is_watched_)
            return inner_->run(statement, options);
        const std::string text(statement);
        server_.statements.push_back(text);
        const int number = static_cast<int>(server_.statements.size());
        if (server_.before)
            server_.before(number, text);
        if (server_.refuses && server_.refuses(number, text)) {
            sql::Answer answer;
            answer.ending = sql::Ending::failed;
            answer.messages = {{"42000", 1222, "Lock request time out period exceeded."}};
            return answer;
        }
        sql::Answer answer = inner_->run(statement, options);
        if (server_.loses_answer && server_.loses_answer(number, text)) {
            answer = sql::Answer();
            answer.ending = sql::Ending::lost;
            answer.messages = {{"08S01", 0, "Communication link failure"}};
            is_lost_ = true;
        }
        if (server_.after)
            server_.after(number, text);
        return answer;
    }
    void cancel() noexcept override { inner_->cancel(); }
    bool is_usable() const noexcept override { return !is_lost_ && inner_->is_usable(); }
    std::int64_t id() const noexcept override { return inner_->id(); }

private:
    std::unique_ptr<sql::SqlSession> inner_;
    WatchedServer& server_;
    bool is_watched_;
    bool is_lost_ = false;
};

sql::Opened WatchedServer::open(sql::SessionRole role, const sdk::Op* op) {
    sql::Opened opened = inner_.open(role, op);
    if (opened.session)
        opened.session = std::make_unique<WatchedSession>(std::move(opened.session), *this,
                                                          role != sql::SessionRole::monitor);
    return opened;
}

namespace {

sql::ServerSettings settings_for(std::uint16_t port) {
    sql::ServerSettings settings;
    settings.server = "127.0.0.1";
    settings.port = port;
    settings.user = "sa";
    settings.encryption = sql::Encryption::no;
    return settings;
}

} // namespace

ApplyStation::ApplyStation(const fs::path& folder, std::uint16_t port)
    : odbc_(settings_for(port), [] { return std::string("secret"); }, {}) {
    host.config["@instance"] = {"instance-a"};
    host.kv_file = folder / "values";
    settings.restore_mode = sql::RestoreMode::side_by_side;
}

void ApplyStation::begin() {
    restorer_.reset();
    server.emplace(odbc_);
    baselines_ = std::make_unique<sql::BaselineStore>(sdk::Host(host.abi()));
    folder_ = std::make_unique<sql::ExchangeFolder>(settings, "stationsync-a-");
    restorer_ = std::make_unique<sql::Restorer>(sdk::Host(host.abi()), *server, settings,
                                                *baselines_, *folder_);
}

Ended ApplyStation::apply(const std::string& database, const Package& package,
                          const sdk::Mark& expected, std::uint8_t id, stsync_time changed_at) {
    sql::ApplyRequest request;
    request.key = database;
    request.database = database;
    request.package = package.file;
    request.id.bytes[0] = id;
    request.expected = expected;
    request.changed_at = changed_at;
    try {
        const sql::Applied applied = restorer_->apply(request, sdk::Op(op.abi()));
        return {applied.mark, applied.changed_at, STSYNC_OK, ""};
    } catch (const sdk::Error& error) {
        return {std::nullopt, STSYNC_TIME_NONE, error.status(), error.what()};
    } catch (const sdk::Cancelled& cancelled) {
        return {std::nullopt, STSYNC_TIME_NONE, cancelled.status(), "cancelled"};
    }
}

Ended ApplyStation::recover() {
    try {
        const FakeOp op_of_start;
        restorer_->recover(sdk::Op(op_of_start.abi()));
        return {};
    } catch (const sdk::Error& error) {
        return {std::nullopt, STSYNC_TIME_NONE, error.status(), error.what()};
    }
}

void ApplyStation::know(const std::string& database, const sql::ContentId& content,
                        sql::Origin origin) {
    sql(""); // opens the session
    const sql::ServerFacts facts = sql::ask_server_facts(*session_, nullptr);
    sql::RestoredContent present;
    present.content = content;
    present.changed_at = 1'600'000'000'000'000;
    const sdk::Host services(host.abi());
    sql::Baseline baseline = sql::take_baseline_after_restore(
        *session_, facts, database, present, {}, [&] { return services.utc_now(); }, nullptr);
    baseline.origin = origin;
    baselines_->put(database, baseline);
}

sdk::Mark ApplyStation::mark_of(const std::string& database) {
    sql("");
    const sql::ServerFacts facts = sql::ask_server_facts(*session_, nullptr);
    const FakeOp op_of_scan;
    const sdk::Op scan(op_of_scan.abi());
    sql::DatabaseLooks looks(sdk::Host(host.abi()), settings, *baselines_);
    const sql::ServerLook all = looks.look(*session_, facts, scan);
    const sql::DatabaseLook* const seen = all.find(database);
    if (seen == nullptr)
        return {};
    return looks.refresh(*session_, facts, all, *seen, database, scan).mark();
}

std::vector<std::string> ApplyStation::open_intents() {
    std::vector<std::string> keys;
    for (const sql::Intent& intent : sql::RestoreJournal(sdk::Host(host.abi())).open_intents())
        keys.push_back(intent.key);
    return keys;
}

std::vector<std::string> ApplyStation::leftovers() {
    std::vector<std::string> names;
    for (const sql::Intent& each : sql::RestoreJournal(sdk::Host(host.abi())).leftovers())
        names.push_back(sql::leftover_name(each));
    return names;
}

std::vector<std::string> ApplyStation::settle() {
    const FakeOp op_of_scan;
    std::vector<std::string> texts;
    for (const auto& each : restorer_->settle_broken_off(sdk::Op(op_of_scan.abi())))
        texts.emplace_back(each.error.what());
    return texts;
}

std::string ApplyStation::sql(const std::string& statement) {
    if (!session_ || !session_->is_usable()) {
        auto opened = odbc_.open(sql::SessionRole::look, nullptr);
        if (!opened.session)
            throw std::runtime_error("no session: " + sql::to_text(opened.messages));
        session_ = std::move(opened.session);
    }
    if (statement.empty())
        return "";
    const sql::Answer answer = session_->run(statement, {});
    if (!answer.is_complete())
        throw std::runtime_error(statement + ": " + sql::to_text(answer.messages));
    if (answer.results.empty() || answer.rows().rows.empty())
        return "";
    return answer.rows().rows.front().front().text().value_or("NULL");
}

// unixODBC reads where its files are once in a process.
SqlServerApply::SqlServerApply() {
    static const TempFolder ini;
    write_file(ini / "odbcinst.ini", "[FreeTDS]\nDriver=" STATIONSYNC_TDS_ODBC "\n");
    write_file(ini / "odbc.ini", "");
    ::setenv("ODBCSYSINI", ini.path().c_str(), 1);
    ::setenv("ODBCINI", (ini / "odbc.ini").c_str(), 1);
}

SqlServerApply::~SqlServerApply() {
    if (stand_in_) {
        EXPECT_EQ(stand_in_->problems(), "");
    }
}

void SqlServerApply::start(const std::vector<std::string>& options) {
    fs::create_directory(server_folder());
    stand_in_ = std::make_unique<StandIn>(server_folder(), options);
    station_ = std::make_unique<ApplyStation>(folder_.path(), stand_in_->port());
    station_->begin();
}

void SqlServerApply::make(const std::string& database, const std::string& note) {
    // The name of a log that is not given is made of that of the database, which may then have 123
    // characters only.
    constexpr std::size_t with_log_name = 123;
    const fs::path data = server_folder() / "data";
    const std::string files = database.size() <= with_log_name
                                  ? ""
                                  : " ON (NAME = " + sql::quoted_name(database) +
                                        ", FILENAME = N'" + (data / "long.mdf").string() +
                                        "') LOG ON (NAME = long_log, FILENAME = N'" +
                                        (data / "long.ldf").string() + "')";
    station_->sql("CREATE DATABASE " + sql::quoted_name(database) + files);
    station_->sql("ALTER DATABASE " + sql::quoted_name(database) + " SET AUTO_CLOSE OFF");
    station_->sql("CREATE TABLE " + sql::quoted_name(database) +
                  ".dbo.recipe(id int PRIMARY KEY, note nvarchar(200) NOT NULL)");
    station_->sql("INSERT INTO " + sql::quoted_name(database) + ".dbo.recipe VALUES (1, " +
                  sql::quoted_text(note) + ")");
}

void SqlServerApply::write(const std::string& database, const std::string& note) {
    station_->sql("UPDATE " + sql::quoted_name(database) +
                  ".dbo.recipe SET note = " + sql::quoted_text(note));
}

Package SqlServerApply::pack(const std::string& database, const std::string& file) {
    Package package;
    package.file = folder_ / (file + ".bak");
    package.content = sql::new_content_id();
    sql::PackageLabel label;
    label.content = package.content;
    label.changed_at = 1'650'000'000'000'000;
    label.server = "elsewhere";
    station_->sql("BACKUP DATABASE " + sql::quoted_name(database) +
                  " TO DISK = " + sql::quoted_path(package.file.string()) +
                  " WITH COPY_ONLY, FORMAT, INIT, CHECKSUM, NAME = " +
                  sql::quoted_text(to_text(package.content)) +
                  ", MEDIANAME = " + sql::quoted_text(to_text(package.content)) +
                  ", DESCRIPTION = " + sql::quoted_text(to_text(label)));
    package.set_guid = station_->sql("SELECT TOP (1) backup_set_uuid FROM msdb.dbo.backupset "
                                     "ORDER BY backup_set_id DESC");
    return package;
}

void SqlServerApply::make_two_states(const std::string& database) {
    make(database, "fresh");
    fresh_ = pack(database, "fresh");
    write(database, "old");
    old_ = pack(database, "old");
    station_->know(database, old_.content, sql::Origin::backup);
}

std::string SqlServerApply::note_in(const std::string& database) {
    return station_->sql("SELECT note FROM " + sql::quoted_name(database) + ".dbo.recipe");
}

std::string SqlServerApply::standing(const std::string& database) {
    const std::string text =
        station_->sql("SELECT state_desc + N' ' + user_access_desc FROM sys.databases "
                      "WHERE name = " +
                      sql::quoted_text(database));
    return text.empty() ? "none" : text;
}

std::vector<std::string> SqlServerApply::databases() {
    std::vector<std::string> names;
    std::string last;
    while (true) {
        last = station_->sql("SELECT TOP (1) name FROM sys.databases WHERE database_id > 4 AND "
                             "name > " +
                             sql::quoted_text(last) + " ORDER BY name");
        if (last.empty())
            return names;
        names.push_back(last);
    }
}

std::vector<std::string> SqlServerApply::data_files() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(server_folder() / "data")) {
        const std::string name = entry.path().filename().string();
        bool is_system = false;
        for (const char* const each :
             {"master", "mastlog", "model", "msdb", "MSDB", "tempdb", "templog", "modellog"})
            is_system = is_system || name.starts_with(each);
        if (!is_system)
            names.push_back(name);
    }
    return names;
}

void SqlServerApply::expect_whole(const std::string& database, const std::string& note,
                                  const std::string& where) {
    EXPECT_EQ(standing(database), "ONLINE MULTI_USER") << where;
    if (standing(database) == "ONLINE MULTI_USER") {
        EXPECT_EQ(note_in(database), note) << where;
    }
    EXPECT_EQ(databases(), std::vector{database}) << where;
    EXPECT_EQ(data_files().size(), 2u) << where << ": " << ::testing::PrintToString(data_files());
    EXPECT_TRUE(station_->open_intents().empty()) << where;
    EXPECT_TRUE(station_->leftovers().empty()) << where;
}

} // namespace stationsync::test
