#include "statement.hpp"

#include "../text.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace stationsync::sqlserver::odbc {

namespace {

constexpr int results_max = 100000; // of one batch
constexpr SQLSMALLINT columns_max = 1024;

bool is_binary(SQLSMALLINT type) noexcept {
    return type == SQL_BINARY || type == SQL_VARBINARY || type == SQL_LONGVARBINARY;
}

bool is_real(SQLSMALLINT type) noexcept {
    return type == SQL_REAL || type == SQL_FLOAT || type == SQL_DOUBLE;
}

} // namespace

void Statement::fail() {
    has_failed_ = true;
    collect(handle_, where_, messages_);
}

void Statement::run(std::u16string sql, const Limits& limits) {
    const Api& api = handle_.api();
    SQLRETURN code =
        api.exec_direct(handle_.get(), wide(sql.data()), static_cast<SQLINTEGER>(sql.size()));
    for (int i = 0; i < results_max && code != SQL_INVALID_HANDLE; ++i) {
        const std::size_t known = messages_.size();
        // SQL_NO_DATA of the first call is success without rows.
        if (code != SQL_SUCCESS)
            collect(handle_, where_, messages_);
        if (SQL_SUCCEEDED(code))
            read_rows(limits);
        const bool is_error = !SQL_SUCCEEDED(code) && code != SQL_NO_DATA;
        if (is_error && i > 0 && has_failed_) {
            // A driver manager that asks no further after an error says so each time.
            const bool says_nothing =
                messages_.size() == known || messages_.back().state == "HY010";
            if (says_nothing) {
                messages_.resize(known);
                return;
            }
        }
        has_failed_ = has_failed_ || is_error;
        code = api.more_results(handle_.get());
        if (code == SQL_NO_DATA) {
            collect(handle_, where_, messages_);
            return;
        }
    }
    has_failed_ = true;
}

std::vector<Statement::Column> Statement::columns() {
    const Api& api = handle_.api();
    std::vector<Column> found;
    SQLSMALLINT count = 0;
    if (!SQL_SUCCEEDED(api.num_result_cols(handle_.get(), &count))) {
        fail();
        return found;
    }
    std::array<char16_t, 256> name{};
    for (SQLSMALLINT i = 1; i <= std::min(count, columns_max); ++i) {
        SQLSMALLINT units = 0;
        SQLSMALLINT type = SQL_WVARCHAR;
        SQLULEN size = 0;
        SQLSMALLINT digits = 0;
        SQLSMALLINT nullable = 0;
        const SQLRETURN code = api.describe_col(
            handle_.get(), static_cast<SQLUSMALLINT>(i), wide(name.data()),
            static_cast<SQLSMALLINT>(name.size()), &units, &type, &size, &digits, &nullable);
        const std::size_t used =
            SQL_SUCCEEDED(code) && units > 0
                ? std::min<std::size_t>(static_cast<std::size_t>(units), name.size() - 1)
                : 0;
        found.push_back({utf8_of({name.data(), used}).text, type});
    }
    return found;
}

void Statement::read_rows(const Limits& limits) {
    const std::vector<Column> found = columns();
    if (found.empty())
        return;
    ResultSet set;
    for (const Column& column : found)
        set.columns.push_back(column.name);
    bool is_good = true;
    while (is_good) {
        const SQLRETURN code = handle_.api().fetch(handle_.get());
        if (code == SQL_NO_DATA)
            break;
        if (!SQL_SUCCEEDED(code)) {
            fail(); // the row must not be read then
            break;
        }
        if (code == SQL_SUCCESS_WITH_INFO)
            collect(handle_, where_, messages_);
        if (set.rows.size() == limits.rows_max) {
            set.has_more = true;
            break;
        }
        const bool had_failed = has_failed_;
        has_failed_ = false;
        std::vector<Value> row;
        // In the order of the columns: most drivers can do no other.
        for (std::size_t i = 0; i < found.size() && !has_failed_; ++i)
            row.push_back(value(static_cast<SQLUSMALLINT>(i + 1), found[i].type, limits));
        is_good = !has_failed_;
        has_failed_ = has_failed_ || had_failed;
        if (is_good)
            set.rows.push_back(std::move(row));
    }
    results_.push_back(std::move(set));
}

Value Statement::value(SQLUSMALLINT column, SQLSMALLINT type, const Limits& limits) {
    if (is_binary(type))
        return bytes_value(column, limits);
    if (is_real(type))
        return real_value(column);
    return text_value(column, limits);
}

// In pieces, for neither the driver's size of a column nor its idea of a length can be trusted.
Value Statement::text_value(SQLUSMALLINT column, const Limits& limits) {
    std::u16string text;
    std::array<char16_t, 2048> piece{};
    constexpr std::size_t room = piece.size() - 1; // the driver adds a zero
    bool is_whole = false;
    while (!is_whole && text.size() * sizeof(char16_t) < limits.value_bytes_max) {
        piece.fill(0);
        SQLLEN indicator = 0;
        const SQLRETURN code = handle_.api().get_data(handle_.get(), column, SQL_C_WCHAR,
                                                      piece.data(), sizeof piece, &indicator);
        if (code == SQL_NO_DATA) {
            is_whole = true;
            break;
        }
        if (!SQL_SUCCEEDED(code)) {
            fail();
            return {};
        }
        if (indicator == SQL_NULL_DATA)
            return {};
        const std::size_t units =
            indicator >= 0 ? static_cast<std::size_t>(indicator) / sizeof(char16_t) : room + 1;
        is_whole = units <= room;
        std::size_t used = std::min(units, room);
        while (!is_whole && used > 0 && piece.at(used - 1) == 0)
            --used; // some drivers do not split a pair of surrogates and leave a unit free
        text.append(piece.data(), used);
        is_whole = is_whole || code == SQL_SUCCESS;
    }
    FromWide result = utf8_of(text);
    return Value::of_text(std::move(result.text), result.is_exact && is_whole);
}

Value Statement::bytes_value(SQLUSMALLINT column, const Limits& limits) {
    std::string bytes;
    std::array<char, 8192> piece{};
    while (bytes.size() < limits.value_bytes_max) {
        SQLLEN indicator = 0;
        const SQLRETURN code = handle_.api().get_data(handle_.get(), column, SQL_C_BINARY,
                                                      piece.data(), piece.size(), &indicator);
        if (code == SQL_NO_DATA)
            break;
        if (!SQL_SUCCEEDED(code)) {
            fail();
            return {};
        }
        if (indicator == SQL_NULL_DATA)
            return {};
        const std::size_t left =
            indicator >= 0 ? static_cast<std::size_t>(indicator) : piece.size();
        bytes.append(piece.data(), std::min(left, piece.size()));
        if (code == SQL_SUCCESS)
            break;
    }
    return Value::of_bytes(std::move(bytes));
}

// As a number, so that no driver's way of writing one loses digits.
Value Statement::real_value(SQLUSMALLINT column) {
    SQLDOUBLE real = 0;
    SQLLEN indicator = 0;
    const SQLRETURN code =
        handle_.api().get_data(handle_.get(), column, SQL_C_DOUBLE, &real, sizeof real, &indicator);
    if (!SQL_SUCCEEDED(code)) {
        fail();
        return {};
    }
    if (indicator == SQL_NULL_DATA)
        return {};
    std::array<char, 64> digits{};
    const auto [end, failure] =
        std::to_chars(digits.data(), digits.data() + digits.size(), double{real});
    return Value::of_text(failure == std::errc{} ? std::string(digits.data(), end) : "nan");
}

} // namespace stationsync::sqlserver::odbc
