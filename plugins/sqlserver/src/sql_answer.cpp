#include "sql_answer.hpp"

#include "text.hpp"

#include <stationsync/error.hpp>

#include <algorithm>
#include <array>
#include <charconv>

namespace stationsync::sqlserver {

namespace {

constexpr std::size_t shown_bytes_max = 1500;

// Reads exactly `digits` digits.
bool take_number(std::string_view& text, std::size_t digits, int& value) {
    if (text.size() < digits)
        return false;
    const auto [stopped, failure] = std::from_chars(text.data(), text.data() + digits, value);
    if (failure != std::errc{} || stopped != text.data() + digits || text.front() == '-')
        return false;
    text.remove_prefix(digits);
    return true;
}

bool take(std::string_view& text, char wanted) {
    if (text.empty() || text.front() != wanted)
        return false;
    text.remove_prefix(1);
    return true;
}

bool take_fraction(std::string_view& text, std::int32_t& nanoseconds) {
    std::size_t digits = 0;
    nanoseconds = 0;
    while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9' && digits < 9)
        nanoseconds = nanoseconds * 10 + (text[digits++] - '0');
    text.remove_prefix(digits);
    for (std::size_t i = digits; i < 9; ++i)
        nanoseconds *= 10;
    return digits > 0;
}

bool take_time(std::string_view& text, DateTime& time) {
    if (!take_number(text, 2, time.hour) || !take(text, ':') || !take_number(text, 2, time.minute))
        return false;
    if (take(text, ':') && !take_number(text, 2, time.second))
        return false;
    return !take(text, '.') || take_fraction(text, time.nanoseconds);
}

bool take_offset(std::string_view& text, DateTime& time) {
    text = trimmed(text);
    if (text.empty())
        return true;
    if (take(text, 'Z')) {
        time.offset_minutes = 0;
        return text.empty();
    }
    const bool is_west = text.front() == '-';
    if (!take(text, '-') && !take(text, '+'))
        return false;
    int hours = 0;
    int minutes = 0;
    if (!take_number(text, 2, hours) || !take(text, ':') || !take_number(text, 2, minutes) ||
        !text.empty() || hours > 14 || minutes > 59)
        return false;
    time.offset_minutes = (is_west ? -1 : 1) * (hours * 60 + minutes);
    return true;
}

bool is_possible(const DateTime& time) noexcept {
    constexpr std::array<int, 13> days = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return time.year > 0 && time.month >= 1 && time.month <= 12 && time.day >= 1 &&
           time.day <= days.at(static_cast<std::size_t>(time.month)) && time.hour < 24 &&
           time.minute < 60 && time.second < 60;
}

// Days since 1970-01-01 in the Gregorian calendar.
std::int64_t days_of(int year, int month, int day) noexcept {
    const std::int64_t y = month <= 2 ? year - 1 : year;
    const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
    const std::int64_t year_of_era = y - era * 400;
    const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

sdk::Error bad_answer(const std::string& what) {
    return {STSYNC_INTERNAL, "SQL Server has answered something unexpected: " + what + "."};
}

} // namespace

bool Diagnostic::tells_loss() const noexcept {
    constexpr std::array<std::int32_t, 4> freetds = {20004, 20006, 20017, 20047};
    return state.rfind("08", 0) == 0 ||
           std::find(freetds.begin(), freetds.end(), number) != freetds.end();
}

std::string to_text(const std::vector<Diagnostic>& messages) {
    std::string text;
    for (const Diagnostic& each : messages) {
        if (text.size() > shown_bytes_max)
            return text + "; …";
        text += (text.empty() ? "" : "; ") + each.text + " (" + each.state;
        if (each.number != 0)
            text += ", " + std::to_string(each.number);
        text += ')';
    }
    return text.empty() ? "the driver gives no reason" : text;
}

std::int64_t DateTime::microseconds() const noexcept {
    const std::int64_t minutes =
        (days_of(year, month, day) * 24 + hour) * 60 + minute - offset_minutes.value_or(0);
    const std::int64_t seconds = minutes * 60 + second;
    return seconds * 1'000'000 + nanoseconds / 1000;
}

std::optional<DateTime> parse_date_time(std::string_view text) {
    text = trimmed(text);
    DateTime time;
    if (!take_number(text, 4, time.year) || !take(text, '-') || !take_number(text, 2, time.month) ||
        !take(text, '-') || !take_number(text, 2, time.day))
        return std::nullopt;
    if (take(text, 'T') || take(text, ' '))
        if (!take_time(text, time))
            return std::nullopt;
    if (!take_offset(text, time) || !is_possible(time))
        return std::nullopt;
    return time;
}

Value Value::of_text(std::string text, bool is_exact) {
    Value value;
    value.kind_ = Kind::text;
    value.is_exact_ = is_exact;
    value.content_ = std::move(text);
    return value;
}

Value Value::of_bytes(std::string bytes) {
    Value value;
    value.kind_ = Kind::bytes;
    value.content_ = std::move(bytes);
    return value;
}

void Value::refuse(const char* wanted) const {
    throw bad_answer(
        std::string("not ") + wanted + ", but " +
        (kind_ == Kind::bytes ? std::string("bytes") : "\"" + presentable(content_, 100) + "\""));
}

const std::string& Value::need_text(const char* wanted) const {
    if (kind_ != Kind::text)
        refuse(wanted);
    return content_;
}

std::optional<std::string> Value::text() const {
    if (is_null())
        return std::nullopt;
    return need_text("a text");
}

std::optional<std::int64_t> Value::integer() const {
    if (is_null())
        return std::nullopt;
    const std::string_view digits = trimmed(need_text("a whole number"));
    std::int64_t value = 0;
    const auto [stopped, failure] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (failure != std::errc{} || stopped != digits.data() + digits.size())
        refuse("a whole number");
    return value;
}

std::optional<double> Value::real() const {
    if (is_null())
        return std::nullopt;
    const std::string_view digits = trimmed(need_text("a number"));
    double value = 0;
    const auto [stopped, failure] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (failure != std::errc{} || stopped != digits.data() + digits.size())
        refuse("a number");
    return value;
}

std::optional<bool> Value::flag() const {
    const std::optional<std::int64_t> value = integer();
    if (!value)
        return std::nullopt;
    return *value != 0;
}

std::optional<std::string> Value::guid() const {
    if (is_null())
        return std::nullopt;
    std::string_view text = trimmed(need_text("a GUID"));
    if (text.size() == 38 && text.front() == '{' && text.back() == '}')
        text = text.substr(1, 36);
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char byte =
            text[i] >= 'a' && text[i] <= 'f' ? static_cast<char>(text[i] - 32) : text[i];
        const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        const bool is_digit = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'F');
        if (is_dash ? byte != '-' : !is_digit)
            refuse("a GUID");
        result += byte;
    }
    if (result.size() != 36)
        refuse("a GUID");
    return result;
}

std::optional<std::string> Value::numeric() const {
    if (is_null())
        return std::nullopt;
    const std::string_view text = trimmed(need_text("a number"));
    const std::string_view digits = text.substr(!text.empty() && text.front() == '-' ? 1 : 0);
    const bool is_number = !digits.empty() &&
                           digits.find_first_not_of("0123456789.") == std::string_view::npos &&
                           std::count(digits.begin(), digits.end(), '.') <= 1 && digits != ".";
    if (!is_number)
        refuse("a number");
    return std::string(text);
}

std::optional<DateTime> Value::date_time() const {
    if (is_null())
        return std::nullopt;
    const auto time = parse_date_time(need_text("a time"));
    if (!time)
        refuse("a time");
    return time;
}

std::optional<std::string> Value::bytes() const {
    if (is_null())
        return std::nullopt;
    if (kind_ != Kind::bytes)
        refuse("bytes");
    return content_;
}

bool ResultSet::has(std::string_view column) const noexcept {
    return std::any_of(columns.begin(), columns.end(),
                       [&](const std::string& each) { return is_same_name(each, column); });
}

Row ResultSet::row(std::size_t index) const {
    return {*this, index};
}

Row::Row(const ResultSet& set, std::size_t index) : set_(&set), index_(index) {
    if (index >= set.rows.size())
        throw bad_answer("row " + std::to_string(index + 1) + " of " +
                         std::to_string(set.rows.size()));
}

const Value* Row::find(std::string_view column) const noexcept {
    const auto place =
        std::find_if(set_->columns.begin(), set_->columns.end(),
                     [&](const std::string& each) { return is_same_name(each, column); });
    if (place == set_->columns.end())
        return nullptr;
    const auto number = static_cast<std::size_t>(place - set_->columns.begin());
    const std::vector<Value>& row = set_->rows[index_];
    return number < row.size() ? &row[number] : nullptr;
}

const Value& Row::operator[](std::string_view column) const {
    const Value* const value = find(column);
    if (value == nullptr)
        throw bad_answer("a result without the column " + std::string(column));
    return *value;
}

bool Answer::has(std::int32_t number) const noexcept {
    return std::any_of(messages.begin(), messages.end(),
                       [&](const Diagnostic& each) { return each.number == number; });
}

const ResultSet& Answer::rows() const {
    if (results.empty())
        throw bad_answer("no rows");
    return results.front();
}

Row Answer::row() const {
    const ResultSet& set = rows();
    if (set.rows.size() != 1)
        throw bad_answer(std::to_string(set.rows.size()) + " rows instead of one");
    return set.row(0);
}

} // namespace stationsync::sqlserver
