#include "content_id.hpp"

#include <algorithm>
#include <random>

namespace stationsync::sqlserver {

ContentId new_content_id() {
    std::random_device source;
    ContentId id;
    for (std::uint8_t& byte : id.bytes)
        byte = static_cast<std::uint8_t>(source());
    return id;
}

std::string to_text(const ContentId& id) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const std::uint8_t byte : id.bytes) {
        text += digits[byte >> 4];
        text += digits[byte & 15u];
    }
    return text;
}

std::optional<ContentId> parse_content_id(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    ContentId id;
    if (text.size() != 2 * id.bytes.size())
        return std::nullopt;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const std::size_t digit = digits.find(text[i]);
        if (digit == std::string_view::npos)
            return std::nullopt;
        id.bytes.at(i / 2) = static_cast<std::uint8_t>(id.bytes.at(i / 2) * 16u + digit);
    }
    return id;
}

sdk::Mark mark_of(const ContentId& id) {
    // The leading number leaves room for another way of naming states.
    std::string bytes(1, '\1');
    bytes.append(reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size());
    return sdk::Mark(bytes);
}

sdk::Digest digest_of(const ContentId& id) {
    return sdk::sha256("stationsync sqlserver content " + to_text(id));
}

} // namespace stationsync::sqlserver
