// What a statement gives: messages of the server and the driver, rows whose fields are read by name
// and type.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stationsync::sqlserver {

// One message of the server or the driver.
struct Diagnostic {
    std::string state;       // SQLSTATE, five characters
    std::int32_t number = 0; // of SQL Server, or of the driver or system; 0 = none
    std::string text;        // one line, free of secrets

    // SQL Server marks what has a severity of 10 or less as a warning.
    bool is_error() const noexcept {
        return (state.rfind("01", 0) != 0 && state != "00000") || tells_loss();
    }
    // What a driver says when the connection is gone. FreeTDS calls it a warning.
    bool tells_loss() const noexcept;
};

// "text (28000, 18456); text (01000)", one line.
std::string to_text(const std::vector<Diagnostic>& messages);

// A point in time as SQL Server writes it. Without an offset it is local time of whoever wrote it,
// mostly the server; which one, and when that was in UTC, is the caller's to know.
struct DateTime {
    int year = 0;
    int month = 0;
    int day = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
    std::int32_t nanoseconds = 0;
    std::optional<int> offset_minutes; // east of UTC, of a datetimeoffset

    // Microseconds since 1970-01-01 00:00 of the same clock, the offset taken off if there is one.
    std::int64_t microseconds() const noexcept;
    friend bool operator==(const DateTime&, const DateTime&) = default;
};

// "2024-05-01 13:45:10.1234567 +02:00": also with T, without time, fraction or offset, with Z.
std::optional<DateTime> parse_date_time(std::string_view text);

// One field. Each function gives nothing for NULL and throws sdk::Error(INTERNAL) when the field is
// of another kind: a defect of the statement, or a server that answers something else.
class Value {
public:
    Value() = default; // NULL
    static Value of_text(std::string text, bool is_exact = true);
    static Value of_bytes(std::string bytes);

    bool is_null() const noexcept { return kind_ == Kind::null; }
    // False: the text held half a character (a lone surrogate), so it does not name what it is.
    bool is_exact() const noexcept { return is_exact_; }

    std::optional<std::string> text() const;
    std::optional<std::int64_t> integer() const;
    std::optional<double> real() const;
    std::optional<bool> flag() const;           // bit, or a number: 0 is false
    std::optional<std::string> guid() const;    // upper case without braces
    std::optional<std::string> numeric() const; // digits, as long as they are
    std::optional<DateTime> date_time() const;
    std::optional<std::string> bytes() const;

    friend bool operator==(const Value&, const Value&) = default;

private:
    enum class Kind : std::uint8_t { null, text, bytes };
    const std::string& need_text(const char* wanted) const;
    [[noreturn]] void refuse(const char* wanted) const;

    Kind kind_ = Kind::null;
    bool is_exact_ = true;
    std::string content_;
};

class Row;

struct ResultSet {
    std::vector<std::string> columns;
    std::vector<std::vector<Value>> rows;
    bool has_more = false; // than RunOptions::rows_max

    bool has(std::string_view column) const noexcept;
    Row row(std::size_t index) const;
};

// One row; valid as long as its result set. Columns are found by name, for their number and order
// differ between versions of SQL Server.
class Row {
public:
    Row(const ResultSet& set, std::size_t index);

    // Null when there is no such column.
    const Value* find(std::string_view column) const noexcept;
    // Throws sdk::Error(INTERNAL) when there is no such column.
    const Value& operator[](std::string_view column) const;

private:
    const ResultSet* set_;
    std::size_t index_;
};

// How a statement ended, as far as the client can tell.
enum class Ending : std::uint8_t {
    complete,  // to its end, without an error
    failed,    // to its end, with errors
    cancelled, // broken off because somebody asked for it
    late,      // broken off because its time was over
    lost,      // the connection is gone, or the driver does not return: the session is useless, and
               // what the server did must be asked on another one
};

struct Answer {
    Ending ending = Ending::complete;
    std::vector<ResultSet> results;   // those with columns
    std::vector<Diagnostic> messages; // all of them; drivers do not keep the order of time
    // It was asked to end. Together with `complete`: too late, it had gone through.
    bool was_asked_to_end = false;

    bool is_complete() const noexcept { return ending == Ending::complete; }
    bool has(std::int32_t number) const noexcept;
    // The rows of the first result; throws sdk::Error(INTERNAL) when there is none.
    const ResultSet& rows() const;
    // The only row; throws sdk::Error(INTERNAL) when there is none or more than one.
    Row row() const;
};

} // namespace stationsync::sqlserver
