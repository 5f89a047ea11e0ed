#include "odbc.hpp"

#include "odbc_api.hpp"

#include <algorithm>
#include <array>
#include <mutex>

namespace stationsync::odbc {

namespace {

constexpr std::size_t diagnostics_max = 32;
constexpr std::size_t diagnostic_bytes_max = 500;
constexpr int results_max = 10000; // of one statement
constexpr SQLSMALLINT columns_max = 256;

const Api& need_api() {
    std::string missing;
    const Api* const api = find_api(missing);
    if (api == nullptr)
        throw Error(Cause::no_driver, missing, {});
    return *api;
}

SQLWCHAR* wide(std::u16string& text) noexcept {
    return reinterpret_cast<SQLWCHAR*>(text.data());
}

// A number where ODBC takes a pointer.
SQLPOINTER number(std::uintptr_t value) noexcept {
    return reinterpret_cast<SQLPOINTER>(value); // NOLINT(performance-no-int-to-ptr)
}

template <std::size_t size>
std::string text_of(const std::array<char16_t, size>& buffer, std::size_t units) {
    return utf8_of(std::u16string_view(buffer.data(), std::min(units, size - 1)));
}

// One line, not too long, cut between two characters.
std::string presentable(std::string text) {
    if (text.size() > diagnostic_bytes_max) {
        std::size_t end = diagnostic_bytes_max;
        while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0u) == 0x80u)
            --end;
        text.resize(end);
        text += "…";
    }
    for (char& byte : text)
        if (static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f)
            byte = ' ';
    while (!text.empty() && text.back() == ' ')
        text.pop_back();
    return text;
}

// A handle of the driver manager and what frees it.
class Handle {
public:
    Handle(const Api& api, SQLSMALLINT type) noexcept : api_(api), type_(type) {}
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    ~Handle() {
        if (value_ != SQL_NULL_HANDLE)
            api_.free_handle(type_, value_);
    }

    bool allocate(SQLHANDLE parent) noexcept {
        return SQL_SUCCEEDED(api_.alloc_handle(type_, parent, &value_));
    }
    SQLHANDLE get() const noexcept { return value_; }
    SQLSMALLINT type() const noexcept { return type_; }

private:
    const Api& api_;
    SQLSMALLINT type_;
    SQLHANDLE value_ = SQL_NULL_HANDLE;
};

} // namespace

struct Connection::State {
    const Api& api;
    Options options;
    ConnectionString where; // for the secrets that no text may show
    Handle environment;
    Handle connection;
    bool is_connected = false;
    std::mutex mutex;                    // guards what follows
    SQLHANDLE running = SQL_NULL_HANDLE; // the statement that cancel() is about
    bool is_cancelled = false;

    State(const Api& manager, const Options& wanted, const ConnectionString& string)
        : api(manager),
          options(wanted),
          where(string),
          environment(manager, SQL_HANDLE_ENV),
          connection(manager, SQL_HANDLE_DBC) {}

    // Adds all that a handle has to say about its last call.
    void collect(const Handle& handle, std::vector<Diagnostic>& into) const;
    [[noreturn]] void fail(std::vector<Diagnostic> diagnostics) const;
    void connect();
    void read_rows(const Handle& statement, const Limits& limits, Result& result,
                   std::vector<Diagnostic>& said, bool& is_failed) const;
    std::optional<std::string> value(const Handle& statement, SQLUSMALLINT column,
                                     const Limits& limits, std::vector<Diagnostic>& said,
                                     bool& is_failed) const;
    std::vector<std::string> column_names(const Handle& statement, std::vector<Diagnostic>& said,
                                          bool& is_failed) const;
};

void Connection::State::collect(const Handle& handle, std::vector<Diagnostic>& into) const {
    std::array<char16_t, 6> state{};
    std::array<char16_t, 2048> text{};
    for (SQLSMALLINT record = 1; into.size() < diagnostics_max; ++record) {
        SQLINTEGER native = 0;
        SQLSMALLINT units = 0;
        const SQLRETURN code = api.get_diag_rec(handle.type(), handle.get(), record,
                                                reinterpret_cast<SQLWCHAR*>(state.data()), &native,
                                                reinterpret_cast<SQLWCHAR*>(text.data()),
                                                static_cast<SQLSMALLINT>(text.size()), &units);
        if (!SQL_SUCCEEDED(code))
            return;
        // Cut only after the secrets are out: half a password would not be recognised.
        into.push_back({text_of(state, 5), native,
                        presentable(where.without_secrets(text_of(
                            text, static_cast<std::size_t>(std::max<SQLSMALLINT>(units, 0)))))});
    }
}

void Connection::State::fail(std::vector<Diagnostic> diagnostics) const {
    const Cause cause = cause_of(diagnostics, is_connected);
    std::string text = to_text(diagnostics);
    throw Error(cause, text, std::move(diagnostics));
}

void Connection::State::connect() {
    if (!environment.allocate(SQL_NULL_HANDLE))
        throw Error(Cause::no_driver, "the ODBC driver manager cannot be used", {});
    api.set_env_attr(environment.get(), SQL_ATTR_ODBC_VERSION, number(SQL_OV_ODBC3), 0);
    std::vector<Diagnostic> said;
    if (!connection.allocate(environment.get())) {
        collect(environment, said);
        fail(std::move(said));
    }
    const auto set = [this](SQLINTEGER attribute, std::uintptr_t value) {
        // A driver that lacks one of them works without it: the caller has a limit of his own.
        api.set_connect_attr(connection.get(), attribute, number(value), SQL_IS_UINTEGER);
    };
    if (options.login_limit.count() > 0)
        set(SQL_ATTR_LOGIN_TIMEOUT, static_cast<std::uintptr_t>(options.login_limit.count()));
    if (options.is_read_only)
        set(SQL_ATTR_ACCESS_MODE, SQL_MODE_READ_ONLY);
    std::u16string text = utf16_of(where.text());
    const SQLRETURN code = api.driver_connect(connection.get(), nullptr, wide(text),
                                              static_cast<SQLSMALLINT>(text.size()), nullptr, 0,
                                              nullptr, SQL_DRIVER_NOPROMPT);
    wipe(text);
    if (!SQL_SUCCEEDED(code)) {
        collect(connection, said);
        fail(std::move(said));
    }
    is_connected = true;
    if (options.is_read_only)
        set(SQL_ATTR_AUTOCOMMIT, SQL_AUTOCOMMIT_OFF);
}

std::vector<std::string> Connection::State::column_names(const Handle& statement,
                                                         std::vector<Diagnostic>& said,
                                                         bool& is_failed) const {
    std::vector<std::string> names;
    SQLSMALLINT count = 0;
    if (!SQL_SUCCEEDED(api.num_result_cols(statement.get(), &count))) {
        collect(statement, said);
        is_failed = true;
        return names;
    }
    std::array<char16_t, 256> name{};
    for (SQLSMALLINT column = 1; column <= std::min(count, columns_max); ++column) {
        SQLSMALLINT units = 0;
        SQLSMALLINT type = 0;
        SQLULEN size = 0;
        SQLSMALLINT digits = 0;
        SQLSMALLINT nullable = 0;
        const SQLRETURN code = api.describe_col(statement.get(), static_cast<SQLUSMALLINT>(column),
                                                reinterpret_cast<SQLWCHAR*>(name.data()),
                                                static_cast<SQLSMALLINT>(name.size()), &units,
                                                &type, &size, &digits, &nullable);
        const bool is_named = SQL_SUCCEEDED(code) && units > 0;
        names.push_back(is_named ? text_of(name, static_cast<std::size_t>(units)) : "");
    }
    return names;
}

// In pieces, for neither the driver's size of a column nor its idea of a length can be trusted.
std::optional<std::string> Connection::State::value(const Handle& statement, SQLUSMALLINT column,
                                                    const Limits& limits,
                                                    std::vector<Diagnostic>& said,
                                                    bool& is_failed) const {
    std::u16string text;
    std::array<char16_t, 512> piece{};
    constexpr std::size_t room = piece.size() - 1; // the driver adds a zero
    while (text.size() < limits.value_bytes_max) {
        piece.fill(0);
        SQLLEN indicator = 0;
        const SQLRETURN code = api.get_data(statement.get(), column, SQL_C_WCHAR, piece.data(),
                                            sizeof piece, &indicator);
        if (code == SQL_NO_DATA)
            break;
        if (!SQL_SUCCEEDED(code)) {
            collect(statement, said);
            is_failed = true;
            break;
        }
        if (indicator == SQL_NULL_DATA)
            return std::nullopt;
        const bool is_known = indicator >= 0;
        const std::size_t units =
            is_known ? static_cast<std::size_t>(indicator) / sizeof(char16_t) : room + 1;
        const bool is_last = units <= room;
        std::size_t used = std::min(units, room);
        while (!is_last && used > 0 && piece.at(used - 1) == 0)
            --used; // some drivers do not split a pair of surrogates and leave a unit free
        text.append(piece.data(), used);
        if (is_last || code == SQL_SUCCESS)
            break;
    }
    std::string result = utf8_of(text);
    wipe(text);
    return result;
}

void Connection::State::read_rows(const Handle& statement, const Limits& limits, Result& result,
                                  std::vector<Diagnostic>& said, bool& is_failed) const {
    result.columns = column_names(statement, said, is_failed);
    if (result.columns.empty())
        return;
    while (!is_failed) {
        const SQLRETURN code = api.fetch(statement.get());
        if (code == SQL_NO_DATA)
            return;
        if (!SQL_SUCCEEDED(code)) {
            collect(statement, said);
            is_failed = true;
            return;
        }
        if (result.rows.size() == limits.rows_max) {
            result.has_more = true;
            return;
        }
        std::vector<std::optional<std::string>> row;
        // In the order of the columns: most drivers can do no other.
        for (std::size_t i = 0; i < result.columns.size() && !is_failed; ++i)
            row.push_back(
                value(statement, static_cast<SQLUSMALLINT>(i + 1), limits, said, is_failed));
        result.rows.push_back(std::move(row));
    }
}

Connection::Connection(const ConnectionString& where, const Options& options)
    : state_(std::make_unique<State>(need_api(), options, where)) {
    state_->connect();
}

Connection::~Connection() {
    if (!state_->is_connected)
        return;
    if (state_->options.is_read_only)
        state_->api.end_tran(SQL_HANDLE_DBC, state_->connection.get(), SQL_ROLLBACK);
    state_->api.disconnect(state_->connection.get());
}

Result Connection::run(std::string_view sql, const Limits& limits) {
    State& state = *state_;
    const Api& api = state.api;
    std::vector<Diagnostic> said;
    Handle statement(api, SQL_HANDLE_STMT);
    if (!statement.allocate(state.connection.get())) {
        state.collect(state.connection, said);
        state.fail(std::move(said));
    }
    api.set_stmt_attr(statement.get(), SQL_ATTR_QUERY_TIMEOUT,
                      number(static_cast<std::uintptr_t>(state.options.query_limit.count())),
                      SQL_IS_UINTEGER);
    // From here to its end cancel() may reach the statement; it is freed after that.
    struct Running {
        State& of;
        ~Running() {
            const std::lock_guard lock(of.mutex);
            of.running = SQL_NULL_HANDLE;
        }
    } const running{state};
    {
        const std::lock_guard lock(state.mutex);
        if (state.is_cancelled)
            throw Error(Cause::late, "it was cancelled", {});
        state.running = statement.get();
    }

    Result result;
    bool is_failed = false;
    std::u16string text = utf16_of(sql);
    SQLRETURN code =
        api.exec_direct(statement.get(), wide(text), static_cast<SQLINTEGER>(text.size()));
    // Errors may come with any later result, and the order of the messages is not that of time.
    for (int i = 0; i < results_max && code != SQL_INVALID_HANDLE; ++i) {
        if (code != SQL_SUCCESS && code != SQL_NO_DATA)
            state.collect(statement, said);
        const bool has_failed = !SQL_SUCCEEDED(code) && code != SQL_NO_DATA;
        is_failed = is_failed || has_failed;
        if (SQL_SUCCEEDED(code) && result.columns.empty() && !is_failed)
            state.read_rows(statement, limits, result, said, is_failed);
        const std::size_t known = said.size();
        code = api.more_results(statement.get());
        if (code == SQL_NO_DATA)
            break;
        if (code == SQL_ERROR && is_failed) {
            // More messages, or a manager that does not ask further after an error.
            state.collect(statement, said);
            if (said.size() == known || said.back().state == "HY010") {
                said.resize(known);
                break;
            }
        }
    }
    if (is_failed)
        state.fail(std::move(said));
    result.messages = std::move(said);
    return result;
}

void Connection::cancel() noexcept {
    const std::lock_guard lock(state_->mutex);
    state_->is_cancelled = true;
    if (state_->running != SQL_NULL_HANDLE)
        state_->api.cancel(state_->running);
}

std::vector<std::string> installed_drivers() {
    std::vector<std::string> names;
    std::string missing;
    const Api* const api = find_api(missing);
    if (api == nullptr)
        return names;
    Handle environment(*api, SQL_HANDLE_ENV);
    if (!environment.allocate(SQL_NULL_HANDLE))
        return names;
    api->set_env_attr(environment.get(), SQL_ATTR_ODBC_VERSION, number(SQL_OV_ODBC3), 0);
    std::array<char16_t, 256> name{};
    SQLUSMALLINT direction = SQL_FETCH_FIRST;
    while (names.size() < 100) {
        SQLSMALLINT units = 0;
        const SQLRETURN code =
            api->drivers(environment.get(), direction, reinterpret_cast<SQLWCHAR*>(name.data()),
                         static_cast<SQLSMALLINT>(name.size()), &units, nullptr, 0, nullptr);
        if (!SQL_SUCCEEDED(code))
            return names;
        names.push_back(text_of(name, static_cast<std::size_t>(std::max<SQLSMALLINT>(units, 0))));
        direction = SQL_FETCH_NEXT;
    }
    return names;
}

} // namespace stationsync::odbc
