// Names for states of a database. SQL Server tells no hash of a content, so each new state is given
// a name when it is first seen; it travels in the package, and whoever applies that has the state.
#pragma once

#include <stationsync/mark.hpp>

#include <array>
#include <string>
#include <string_view>

namespace stationsync::sqlserver {

struct ContentId {
    std::array<std::uint8_t, 16> bytes{};

    bool is_none() const noexcept { return *this == ContentId(); }
    friend bool operator==(const ContentId&, const ContentId&) = default;
};

// Never given before.
ContentId new_content_id();

// 32 lower-case hexadecimal digits, and back; nothing for anything else.
std::string to_text(const ContentId& id);
std::optional<ContentId> parse_content_id(std::string_view text);

// The same on every station that holds this state.
sdk::Mark mark_of(const ContentId& id);
sdk::Digest digest_of(const ContentId& id);

} // namespace stationsync::sqlserver
