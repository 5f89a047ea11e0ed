// The first message of each side of a link and the proof that follows it. The format of both is
// fixed for ever, so that stations of any two versions can tell each other what they are.
#pragma once

#include "net/checked.hpp"
#include "net/frames.hpp"
#include "net/station_identity.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace stationsync::host {

struct Hello {
    std::uint16_t protocol_major = 1;
    std::uint16_t protocol_minor = 0;
    PublicKey public_key{};
    core::StationId station;            // sent too, checked against the key
    std::uint64_t run_id = 0;           // random, drawn at each process start
    std::string name;                   // of the station
    std::vector<std::string> addresses; // where it listens, "host:port", at most 16
};

// Unfit addresses are left out.
[[nodiscard]] Bytes encode(const Hello& hello);
[[nodiscard]] Checked<Hello> decode_hello(std::span<const std::byte> payload);

enum class LinkRole : std::uint8_t { dialler = 1, listener = 2 };

// Value that only the two ends of one TLS connection know (RFC 8446 section 7.5).
using Exporter = std::array<std::byte, 32>;
inline constexpr const char* exporter_label = "EXPORTER-stationsync-link-1";

// What a station signs to prove that it holds its private key and is an end of this very
// connection. The role keeps a proof from being sent back to its maker.
[[nodiscard]] Bytes proof_message(LinkRole role, const Exporter& exporter,
                                  std::span<const std::byte> hello_payload);

} // namespace stationsync::host
