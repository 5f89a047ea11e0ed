#include "connection.hpp"

#include "sqlite_error.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <thread>

#include <stationsync/paths.hpp>

namespace stationsync::sqlite {

namespace {

constexpr std::size_t file_header_bytes = 100;
// Both from "WAL-mode File Format" (sqlite.org/walformat.html): size of the first block of the
// wal-index, and of one of the two copies of its header at its beginning.
constexpr int log_index_block_bytes = 32768;
constexpr std::size_t log_index_header_bytes = 48;

std::string uri_of(const std::filesystem::path& path, const char* query) {
    constexpr std::string_view hex = "0123456789ABCDEF";
    std::string uri = "file:";
    const std::string text = sdk::utf8_from_path(path);
    // A Windows path needs a slash before its drive letter.
    if (!text.empty() && text.front() != '/')
        uri += '/';
    for (const char byte : text) {
        const bool is_plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                              (byte >= '0' && byte <= '9') ||
                              std::string_view("/-_.:").find(byte) != std::string_view::npos;
        if (is_plain) {
            uri += byte;
        } else {
            const auto value = static_cast<unsigned char>(byte);
            uri += {'%', hex[value >> 4], hex[value & 15u]};
        }
    }
    return uri + query;
}

int compare_as_bytes(void*, int left_bytes, const void* left, int right_bytes, const void* right) {
    const int common =
        std::memcmp(left, right, static_cast<std::size_t>(std::min(left_bytes, right_bytes)));
    return common != 0 ? common : left_bytes - right_bytes;
}

// A table keyed by an application's own collation can be read in any order, which is all we need.
void supply_collation(void*, sqlite3* database, int, const char* name) {
    sqlite3_create_collation(database, name, SQLITE_UTF8, nullptr, &compare_as_bytes);
}

} // namespace

Connection::Connection(const std::filesystem::path& path, const std::string& uri, int flags)
    : name_(sdk::utf8_from_path(path.filename())) {
    sqlite3* database = nullptr;
    const int result = sqlite3_open_v2(uri.c_str(), &database,
                                       flags | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, nullptr);
    database_.reset(database);
    if (result != SQLITE_OK)
        fail(result, "opening " + name_);
    sqlite3_extended_result_codes(database, 1);
    sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
    sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
    sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
    sqlite3_collation_needed(database, nullptr, &supply_collation);
}

Connection Connection::open_live(const std::filesystem::path& path, const sdk::Op& op,
                                 std::chrono::milliseconds busy_limit) {
    Connection connection(path, uri_of(path, ""), SQLITE_OPEN_READWRITE);
    connection.wait_ = std::make_unique<Wait>(Wait{&op, busy_limit, {}});
    sqlite3_busy_handler(connection.raw(), &Connection::wait, connection.wait_.get());
    connection.execute("PRAGMA mmap_size=0; PRAGMA cell_size_check=ON");
    return connection;
}

Connection Connection::open_package(const std::filesystem::path& path) {
    Connection connection(path, uri_of(path, "?immutable=1"), SQLITE_OPEN_READONLY);
    connection.execute("PRAGMA mmap_size=0; PRAGMA cell_size_check=ON; PRAGMA query_only=ON");
    return connection;
}

Connection Connection::open_package_locked(const std::filesystem::path& path) {
    Connection connection(path, uri_of(path, ""), SQLITE_OPEN_READONLY);
    connection.execute("PRAGMA mmap_size=0; PRAGMA cell_size_check=ON");
    return connection;
}

Connection Connection::create_package(const std::filesystem::path& path) {
    Connection connection(path, uri_of(path, ""), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    // Nobody reads the file before it is complete: a journal would only cost time.
    connection.execute("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA mmap_size=0");
    return connection;
}

int Connection::wait(void* context, int attempt) noexcept {
    auto* wait = static_cast<Wait*>(context);
    const auto now = std::chrono::steady_clock::now();
    if (attempt == 0)
        wait->since = now;
    if (now - wait->since >= wait->limit || wait->op->is_cancelled())
        return 0;
    std::this_thread::sleep_for(std::chrono::milliseconds(attempt < 10 ? 2 : 20));
    return 1;
}

void Connection::fail(int result, const std::string& doing) const {
    // The waiting for a lock, or a long statement, may have ended because the call is to end.
    const int kind = result & 0xff;
    if (wait_ != nullptr && (kind == SQLITE_BUSY || kind == SQLITE_INTERRUPT))
        wait_->op->check();
    throw sqlite_failure(database_.get(), result, doing);
}

void Connection::execute(const std::string& sql) {
    const int result = sqlite3_exec(raw(), sql.c_str(), nullptr, nullptr, nullptr);
    if (result != SQLITE_OK)
        fail(result, "reading " + name_);
}

std::int64_t Connection::integer(const std::string& sql) {
    Statement statement(*this, sql);
    return statement.step() ? statement.integer(0) : 0;
}

std::string Connection::text(const std::string& sql) {
    Statement statement(*this, sql);
    return statement.step() ? statement.text(0) : std::string();
}

bool Connection::is_read_only() const noexcept {
    return sqlite3_db_readonly(raw(), "main") == 1;
}

bool Connection::is_wal() {
    return text("PRAGMA main.journal_mode") == "wal";
}

std::uint32_t Connection::page_size() {
    return static_cast<std::uint32_t>(integer("PRAGMA main.page_size"));
}

std::uint32_t Connection::data_version() {
    std::uint32_t version = 0;
    const int result = sqlite3_file_control(raw(), "main", SQLITE_FCNTL_DATA_VERSION, &version);
    if (result != SQLITE_OK)
        fail(result, "reading " + name_);
    return version;
}

bool Connection::has_moved() {
    int moved = 0;
    // Systems that do not answer keep an open file in its place.
    sqlite3_file_control(raw(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    return moved != 0;
}

sqlite3_file* Connection::file() {
    sqlite3_file* file = nullptr;
    const int result = sqlite3_file_control(raw(), "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (result != SQLITE_OK || file == nullptr || file->pMethods == nullptr)
        fail(SQLITE_INTERNAL, "reading " + name_);
    return file;
}

std::string Connection::file_header() {
    std::array<char, file_header_bytes> bytes{};
    sqlite3_file* const opened = file();
    const int result =
        opened->pMethods->xRead(opened, bytes.data(), static_cast<int>(bytes.size()), 0);
    if (result == SQLITE_IOERR_SHORT_READ)
        return {};
    if (result != SQLITE_OK)
        fail(result, "reading " + name_);
    return {bytes.data(), bytes.size()};
}

std::string Connection::log_state() {
    if (!is_wal())
        return {};
    sqlite3_file* const opened = file();
    if (opened->pMethods->iVersion < 2 || opened->pMethods->xShmMap == nullptr)
        return {};
    volatile void* block = nullptr;
    const int result = opened->pMethods->xShmMap(opened, 0, log_index_block_bytes, 0, &block);
    if (result != SQLITE_OK || block == nullptr)
        return {};
    std::string state(log_index_header_bytes, '\0');
    const auto* source = static_cast<const volatile char*>(block);
    for (std::size_t i = 0; i < state.size(); ++i)
        state[i] = source[i];
    return state;
}

Statement::Statement(Connection& connection, const std::string& sql, bool must)
    : connection_(&connection) {
    sqlite3_stmt* statement = nullptr;
    const int result = sqlite3_prepare_v2(connection.raw(), sql.c_str(),
                                          static_cast<int>(sql.size()), &statement, nullptr);
    statement_.reset(statement);
    if (result == SQLITE_OK)
        return;
    if (must || result != SQLITE_ERROR)
        connection.fail(result, "reading " + connection.name());
}

bool Statement::step() {
    const int result = step_raw();
    if (result == SQLITE_ROW)
        return true;
    if (result != SQLITE_DONE)
        connection_->fail(result, "reading " + connection_->name());
    return false;
}

std::string Statement::text(int column) const {
    const void* bytes = sqlite3_column_text(raw(), column);
    if (bytes == nullptr)
        return {};
    const auto count = static_cast<std::size_t>(sqlite3_column_bytes(raw(), column));
    return {static_cast<const char*>(bytes), count};
}

ReadTransaction::ReadTransaction(Connection& connection) : connection_(connection) {
    begin();
    // NOLINTNEXTLINE(cppcoreguidelines-prefer-member-initializer): after begin()
    version_ = connection_.data_version();
}

ReadTransaction::~ReadTransaction() {
    sqlite3_exec(connection_.raw(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void ReadTransaction::begin() {
    connection_.execute("BEGIN");
    // BEGIN alone takes no lock and no snapshot; the first read does.
    connection_.integer("PRAGMA main.schema_version");
}

bool ReadTransaction::renew() {
    connection_.execute("ROLLBACK");
    begin();
    return connection_.data_version() == version_;
}

std::string sql_name(const std::string& identifier) {
    std::string text = "\"";
    for (const char byte : identifier) {
        if (byte == '"')
            text += '"';
        text += byte;
    }
    return text + '"';
}

} // namespace stationsync::sqlite
