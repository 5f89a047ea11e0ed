#include "row_hash.hpp"

#include <bit>

namespace stationsync::sqlite {

namespace {

enum class ValueType : char { null = 0, integer = 1, real = 2, text = 3, blob = 4 };

std::uint64_t load_number(const std::uint8_t* bytes) noexcept {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 8; ++i)
        value = value << 8 | bytes[i];
    return value;
}

} // namespace

void RowMultiset::add(const sdk::Digest& row) noexcept {
    std::uint64_t carry = 0;
    for (std::size_t i = 0; i < limbs_.size(); ++i) {
        const std::uint64_t term = load_number(row.data() + 8 * (limbs_.size() - 1 - i));
        const std::uint64_t with_term = limbs_[i] + term;
        const std::uint64_t with_carry = with_term + carry;
        carry = (with_term < term ? 1u : 0u) + (with_carry < carry ? 1u : 0u);
        limbs_[i] = with_carry;
    }
    ++row_count_;
}

sdk::Digest RowMultiset::sum() const noexcept {
    sdk::Digest bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<std::uint8_t>(limbs_[3 - i / 8] >> (56 - 8 * (i % 8)));
    return bytes;
}

void append_number(std::string& bytes, std::uint64_t value) {
    for (int shift = 56; shift >= 0; shift -= 8)
        bytes += static_cast<char>(value >> shift);
}

void append_text(std::string& bytes, std::string_view text) {
    append_number(bytes, text.size());
    bytes += text;
}

void append_value_head(std::string& bytes, bool is_text, std::uint64_t byte_count) {
    bytes += static_cast<char>(is_text ? ValueType::text : ValueType::blob);
    append_number(bytes, byte_count);
}

void append_value(std::string& bytes, const Statement& statement, int column) {
    sqlite3_stmt* const row = statement.raw();
    switch (sqlite3_column_type(row, column)) {
    case SQLITE_INTEGER:
        bytes += static_cast<char>(ValueType::integer);
        append_number(bytes, static_cast<std::uint64_t>(sqlite3_column_int64(row, column)));
        return;
    case SQLITE_FLOAT: {
        bytes += static_cast<char>(ValueType::real);
        // Minus zero is stored as zero in some columns and kept in others: they are equal.
        const double value = sqlite3_column_double(row, column) + 0.0;
        append_number(bytes, std::bit_cast<std::uint64_t>(value));
        return;
    }
    case SQLITE_TEXT:
    case SQLITE_BLOB: {
        const bool is_text = sqlite3_column_type(row, column) == SQLITE_TEXT;
        const void* data = is_text ? static_cast<const void*>(sqlite3_column_text(row, column))
                                   : sqlite3_column_blob(row, column);
        const auto count = static_cast<std::size_t>(sqlite3_column_bytes(row, column));
        append_value_head(bytes, is_text, count);
        if (count > 0)
            bytes.append(static_cast<const char*>(data), count);
        return;
    }
    default:
        bytes += static_cast<char>(ValueType::null);
    }
}

} // namespace stationsync::sqlite
