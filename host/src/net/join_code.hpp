// The text that `invite` prints and `join` reads: everything that a new station needs.
// It contains the project key: who holds the code is a member of the project.
#pragma once

#include "net/checked.hpp"
#include "net/project_key.hpp"
#include "stationsync/core/ids.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace stationsync::host {

struct JoinCode {
    std::string project;
    ProjectKey key;
    core::WallTime key_made_at; // so that the newcomer's ring agrees with the plant's
    core::StationId inviter;
    std::vector<std::string> addresses; // of the inviter, "host:port", at most 8
};

// Groups of 5 characters of Crockford's base32, joined by dashes, 10 groups a line. Addresses
// beyond the eighth, and those longer than an address can be, are left out.
[[nodiscard]] std::string to_text(const JoinCode& code);

// Reads it in any case, with any white space, dashes and line ends, O for 0, I and L for 1. The
// error is a sentence for the person who typed it.
[[nodiscard]] Checked<JoinCode> parse_join_code(std::string_view text);

} // namespace stationsync::host
