// Text forms of ids, digests and times.
#include "text_line.hpp"

#include <cstdio>
#include <span>

namespace stationsync::core {

namespace {

constexpr char hex_digits[] = "0123456789abcdef";

void append_byte(std::string& text, std::uint8_t byte) {
    text += hex_digits[byte >> 4];
    text += hex_digits[byte & 15];
}

std::string hex_of(std::span<std::uint8_t const> bytes) {
    std::string text;
    text.reserve(bytes.size() * 2);
    for (std::uint8_t const byte : bytes)
        append_byte(text, byte);
    return text;
}

} // namespace

std::string hex_text(std::uint64_t value) {
    std::string text;
    for (int shift = 56; shift >= 0; shift -= 8)
        append_byte(text, static_cast<std::uint8_t>(value >> shift));
    return text;
}

std::string quoted_text(std::string_view text) {
    std::string out = "\"";
    for (const char character : text) {
        const auto byte = static_cast<unsigned char>(character);
        if (character == '"' || character == '\\') {
            out += '\\';
            out += character;
        } else if (byte < 0x20 || byte == 0x7f) {
            out += "\\x";
            append_byte(out, byte);
        } else {
            out += character;
        }
    }
    return out + '"';
}

std::string to_text(const StationId& id) {
    std::string text;
    text.reserve(36);
    for (std::size_t i = 0; i < id.bytes.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            text += '-';
        append_byte(text, id.bytes[i]);
    }
    return text;
}

std::string to_text(const AuthorId& id) {
    return to_text(id.station) + '/' + hex_text(id.incarnation);
}

std::string to_text(const ObjectId& id) {
    return id.provider + '/' + id.key;
}

std::string to_text(const RevisionId& id) {
    return id ? to_text(id.author) + '/' + std::to_string(id.sequence) : std::string("none");
}

std::string to_text(const Digest& digest) {
    return hex_of(digest.bytes);
}

std::string to_text(const ApplyId& id) {
    return hex_of(id.bytes);
}

std::string mark_text(const Mark& mark) {
    if (mark.empty())
        return "absent";
    std::string text;
    for (const char character : mark)
        append_byte(text, static_cast<std::uint8_t>(character));
    return text;
}

std::string to_text(WallTime time) {
    using namespace std::chrono;
    const microseconds since{time.us};
    const auto day = floor<days>(since);
    // Outside of the years that the usual form can hold, the number itself.
    if (day < days{-719'528} || day >= days{2'932'897})
        return '@' + std::to_string(time.us) + "us";
    const year_month_day date{sys_days{day}};
    const hh_mm_ss clock{since - day};
    char text[40];
    const int length = std::snprintf(
        text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ", static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
        static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
        static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
    return std::string(text, static_cast<std::size_t>(length));
}

std::string to_text(const Stamp& stamp) {
    return to_text(WallTime{stamp.wall_us}) + '+' + std::to_string(stamp.logical);
}

std::string duration_text(Duration duration) {
    const bool negative = duration.count() < 0;
    std::uint64_t const count = negative ? 0u - static_cast<std::uint64_t>(duration.count())
                                         : static_cast<std::uint64_t>(duration.count());
    std::string text = negative ? "-" : "";
    text += std::to_string(count / 1'000'000);
    if (std::uint64_t const part = count % 1'000'000; part != 0) {
        std::string digits = std::to_string(part);
        digits.insert(0, 6 - digits.size(), '0');
        digits.erase(digits.find_last_not_of('0') + 1);
        text += '.' + digits;
    }
    return text + 's';
}

} // namespace stationsync::core
