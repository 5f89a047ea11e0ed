#include "lsn.hpp"

#include "text.hpp"

#include <charconv>
#include <limits>

namespace stationsync::sqlserver {

namespace {

constexpr std::size_t slot_digits = 5;
constexpr std::size_t block_digits = 10;

template <class Number>
bool read(std::string_view text, int base, Number& value) {
    const auto [stopped, failure] =
        std::from_chars(text.data(), text.data() + text.size(), value, base);
    return failure == std::errc{} && stopped == text.data() + text.size();
}

std::optional<Lsn> parse_hex(std::string_view text) {
    if (text.starts_with("0x") || text.starts_with("0X"))
        text.remove_prefix(2);
    const std::size_t first = text.find(':');
    const std::size_t second = text.find(':', first + 1);
    Lsn lsn;
    if (second == std::string_view::npos || !read(text.substr(0, first), 16, lsn.file) ||
        !read(text.substr(first + 1, second - first - 1), 16, lsn.block) ||
        !read(text.substr(second + 1), 16, lsn.slot))
        return std::nullopt;
    return lsn;
}

// The last `digits` digits, which are taken off; what is missing counts as zero.
bool take_last(std::string_view& text, std::size_t digits, std::uint64_t& value) {
    const std::size_t begin = text.size() > digits ? text.size() - digits : 0;
    const std::string_view part = text.substr(begin);
    text = text.substr(0, begin);
    value = 0;
    return part.empty() || read(part, 10, value);
}

std::string filled(const std::string& digits, std::size_t count) {
    return digits.size() < count ? std::string(count - digits.size(), '0') + digits : digits;
}

std::string hex(std::uint32_t value, std::size_t count) {
    std::string digits;
    for (; value != 0; value >>= 4)
        digits.insert(digits.begin(), "0123456789abcdef"[value & 0xfu]);
    return filled(digits, count);
}

} // namespace

std::optional<Lsn> parse_lsn(std::string_view text) {
    text = trimmed(text);
    if (text.find(':') != std::string_view::npos)
        return parse_hex(text);
    if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos)
        return std::nullopt;
    std::uint64_t slot = 0;
    std::uint64_t block = 0;
    std::uint64_t file = 0;
    if (!take_last(text, slot_digits, slot) || !take_last(text, block_digits, block) ||
        !take_last(text, block_digits, file) ||
        text.find_first_not_of('0') != std::string_view::npos ||
        slot > std::numeric_limits<std::uint16_t>::max() ||
        block > std::numeric_limits<std::uint32_t>::max() ||
        file > std::numeric_limits<std::uint32_t>::max())
        return std::nullopt;
    return Lsn{static_cast<std::uint32_t>(file), static_cast<std::uint32_t>(block),
               static_cast<std::uint16_t>(slot)};
}

std::string to_number(const Lsn& lsn) {
    const std::string digits = std::to_string(lsn.file) +
                               filled(std::to_string(lsn.block), block_digits) +
                               filled(std::to_string(lsn.slot), slot_digits);
    const std::size_t first = digits.find_first_not_of('0');
    return first == std::string::npos ? "0" : digits.substr(first);
}

std::string to_hex(const Lsn& lsn) {
    return hex(lsn.file, 8) + ':' + hex(lsn.block, 8) + ':' + hex(lsn.slot, 4);
}

} // namespace stationsync::sqlserver
