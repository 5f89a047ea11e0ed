#include "net/join_code.hpp"

#include "base/byte_stream.hpp"
#include "base/sha256.hpp"
#include "base/text_codes.hpp"
#include "net/address.hpp"
#include "net/names.hpp"

#include <openssl/crypto.h>

#include <algorithm>

namespace stationsync::host {
namespace {

constexpr std::uint8_t version = 1;
constexpr std::size_t checksum_bytes = 5;
constexpr std::size_t addresses_max = 8;
constexpr std::size_t text_bytes_max = std::size_t{16} * 1024;
constexpr std::size_t characters_per_group = 5;
constexpr std::size_t groups_per_line = 10;

// The label keeps the checksum of a code from being a hash that anything else uses.
std::vector<std::byte> checksum_of(std::span<const std::byte> bytes) {
    Sha256 hash;
    constexpr std::string_view label = "stationsync join code";
    hash.update(std::as_bytes(std::span(label)));
    hash.update(bytes);
    const Sha256Digest digest = hash.finish();
    return {digest.begin(), digest.begin() + checksum_bytes};
}

// The first character that base32 does not have, as people see it.
std::string strange_character(std::string_view text) {
    constexpr std::string_view known =
        "0123456789ABCDEFGHJKMNPQRSTVWXYZabcdefghjkmnpqrstvwxyzOoIiLl-"
        " \t\r\n\v\f";
    const auto place = text.find_first_not_of(known);
    if (place == std::string_view::npos) {
        return {};
    }
    const auto byte = static_cast<unsigned char>(text[place]);
    return byte > 0x20 && byte < 0x7f ? std::string("the character '") + text[place] + "'"
                                      : std::string("a character that no join code has");
}

std::string no_code(std::string_view text) {
    if (const std::string strange = strange_character(text); !strange.empty()) {
        return "The join code contains " + strange +
               ": copy it again, it has digits and the letters A to Z without I, L, O and U.";
    }
    return "The join code is incomplete or has a character too many: copy all of it again.";
}

} // namespace

std::string to_text(const JoinCode& code) {
    ByteWriter out;
    out.u8(version);
    out.short_text(code.project);
    out.bytes(code.key.bytes);
    out.u64(static_cast<std::uint64_t>(code.key_made_at.us));
    out.bytes(std::as_bytes(std::span(code.inviter.bytes)));
    std::vector<std::string> addresses;
    for (const std::string& address : code.addresses) {
        if (addresses.size() < addresses_max && address.size() <= 255 &&
            parse_host_port(address, 1)) {
            addresses.push_back(address);
        }
    }
    out.u8(static_cast<std::uint8_t>(addresses.size()));
    for (const std::string& address : addresses) {
        out.short_text(address);
    }
    std::vector<std::byte> bytes = out.take();
    const auto checksum = checksum_of(bytes);
    bytes.insert(bytes.end(), checksum.begin(), checksum.end());
    const std::string characters = to_base32(bytes);
    OPENSSL_cleanse(bytes.data(), bytes.size());
    std::string text;
    for (std::size_t i = 0; i < characters.size(); i += characters_per_group) {
        const std::size_t group = i / characters_per_group;
        if (group != 0) {
            text += group % groups_per_line == 0 ? "\n" : "-";
        }
        text += characters.substr(i, characters_per_group);
    }
    return text;
}

Checked<JoinCode> parse_join_code(std::string_view text) {
    if (text.find_first_not_of(" \t\r\n-") == std::string_view::npos) {
        return BadInput{"There is no join code: get one with stationsync invite on a station of "
                        "the project."};
    }
    if (text.size() > text_bytes_max) {
        return BadInput{"This is too long for a join code: give only what stationsync invite "
                        "printed."};
    }
    const auto decoded = from_base32(text);
    if (!decoded || decoded->size() <= checksum_bytes) {
        return BadInput{no_code(text)};
    }
    const auto content = std::span(*decoded).first(decoded->size() - checksum_bytes);
    const auto checksum = std::span(*decoded).last(checksum_bytes);
    if (!std::ranges::equal(checksum_of(content), checksum)) {
        return BadInput{"The join code has a typing error or is incomplete (its checksum does "
                        "not match): copy all of it again."};
    }
    ByteReader in(content);
    if (in.u8() != version) {
        return BadInput{"The join code was made by a newer version of StationSync: update this "
                        "station first."};
    }
    JoinCode code;
    code.project = in.short_text();
    in.bytes(code.key.bytes);
    code.key_made_at.us = static_cast<std::int64_t>(in.u64());
    in.bytes(std::as_writable_bytes(std::span(code.inviter.bytes)));
    const std::size_t count = in.u8();
    for (std::size_t i = 0; i < count && in.ok(); ++i) {
        code.addresses.push_back(in.short_text());
        if (!parse_host_port(code.addresses.back(), 1)) {
            return BadInput{"The join code contains an address that is none: make a new code."};
        }
    }
    if (!in.at_end() || count > addresses_max) {
        return BadInput{"The join code is damaged: make a new one with stationsync invite."};
    }
    if (auto problem = project_name_problem(code.project)) {
        return BadInput{"The join code cannot be used. " + *problem};
    }
    return code;
}

} // namespace stationsync::host
