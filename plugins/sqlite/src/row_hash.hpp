// Digests of rows and of multisets of rows.
#pragma once

#include "connection.hpp"

#include <stationsync/sha256.hpp>

#include <array>
#include <cstdint>
#include <string>

namespace stationsync::sqlite {

// The sum of row digests modulo 2^256 with their count: the same for the same rows in any order,
// in constant memory. A sum, not an exclusive or, so that two equal rows do not cancel out.
class RowMultiset {
public:
    void add(const sdk::Digest& row) noexcept;
    std::uint64_t row_count() const noexcept { return row_count_; }
    // The sum, most significant byte first.
    sdk::Digest sum() const noexcept;

private:
    std::array<std::uint64_t, 4> limbs_{}; // least significant first
    std::uint64_t row_count_ = 0;
};

// Appends numbers to what is hashed, most significant byte first.
void append_number(std::string& bytes, std::uint64_t value);
// Length, then bytes: so that no two different lists give the same bytes.
void append_text(std::string& bytes, std::string_view text);

// Appends type and value of one column of the current row.
void append_value(std::string& bytes, const Statement& statement, int column);
// What append_value puts before the bytes of a text or blob.
void append_value_head(std::string& bytes, bool is_text, std::uint64_t byte_count);

} // namespace stationsync::sqlite
