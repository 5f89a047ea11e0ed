#include "net/hello.hpp"

#include "base/byte_stream.hpp"
#include "base/sha256.hpp"
#include "net/address.hpp"
#include "net/names.hpp"

namespace stationsync::host {
namespace {

constexpr std::string_view magic = "STNSYNC1";
constexpr std::size_t addresses_max = 16;

} // namespace

Bytes encode(const Hello& hello) {
    ByteWriter out;
    out.bytes(std::as_bytes(std::span(magic)));
    out.u16(hello.protocol_major);
    out.u16(hello.protocol_minor);
    out.bytes(hello.public_key);
    out.bytes(std::as_bytes(std::span(hello.station.bytes)));
    out.u64(hello.run_id);
    out.short_text(hello.name);
    std::vector<std::string> addresses;
    for (const std::string& address : hello.addresses) {
        if (addresses.size() < addresses_max && address.size() <= 255 &&
            parse_host_port(address, 1)) {
            addresses.push_back(address);
        }
    }
    out.u8(static_cast<std::uint8_t>(addresses.size()));
    for (const std::string& address : addresses) {
        out.short_text(address);
    }
    out.u16(0); // bytes of extensions
    return out.take();
}

Checked<Hello> decode_hello(std::span<const std::byte> payload) {
    ByteReader in(payload);
    std::array<std::byte, magic.size()> seen_magic{};
    in.bytes(seen_magic);
    if (!std::ranges::equal(seen_magic, std::as_bytes(std::span(magic)))) {
        return BadInput{"its first message is no StationSync hello"};
    }
    Hello hello;
    hello.protocol_major = in.u16();
    hello.protocol_minor = in.u16();
    in.bytes(hello.public_key);
    in.bytes(std::as_writable_bytes(std::span(hello.station.bytes)));
    hello.run_id = in.u64();
    hello.name = in.short_text();
    const std::size_t count = in.u8();
    for (std::size_t i = 0; i < count && in.ok(); ++i) {
        std::string address = in.short_text();
        // Hints only: what is none is dropped, a later version may write them otherwise.
        if (hello.addresses.size() < addresses_max && parse_host_port(address, 1)) {
            hello.addresses.push_back(std::move(address));
        }
    }
    in.skip(in.u16()); // extensions of later versions
    if (!in.at_end()) {
        return BadInput{"its hello is damaged"};
    }
    if (hello.station != station_id_of(hello.public_key)) {
        return BadInput{"its station id does not belong to its key"};
    }
    if (!valid_station_name(hello.name)) {
        return BadInput{
            "its station name is not 1 to 48 bytes of UTF-8 without control characters"};
    }
    return hello;
}

Bytes proof_message(LinkRole role, const Exporter& exporter,
                    std::span<const std::byte> hello_payload) {
    constexpr std::string_view label = "stationsync link proof 1";
    ByteWriter out;
    out.bytes(std::as_bytes(std::span(label)));
    out.u8(static_cast<std::uint8_t>(role));
    out.bytes(exporter);
    out.bytes(sha256(hello_payload));
    return out.take();
}

} // namespace stationsync::host
