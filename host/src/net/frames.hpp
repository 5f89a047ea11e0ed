// Frames of a link inside TLS: length (4 bytes, network order) of the payload, type (1 byte),
// payload. docs/protocol.md describes them in bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace stationsync::host {

using Bytes = std::vector<std::byte>;

enum class FrameType : std::uint8_t {
    hello = 1, // first frame of each side; never changes its format
    proof = 2, // second frame of each side: signature over the TLS exporter
    ping = 3,  // keep-alive and time measurement
    pong = 4,
    engine = 5,   // one message between engines (messages.proto: EngineMessage)
    host = 6,     // one message between hosts (messages.proto: HostMessage)
    transfer = 7, // small messages of the package transfer: requests, lists of blocks
    block = 8,    // blocks of packages, raw
    bye = 9,      // why the sender closes, UTF-8
};
// Types from here on may appear with a later minor version: who does not know one skips it.
inline constexpr std::uint8_t frame_type_optional_min = 128;

inline constexpr std::size_t frame_header_bytes = 5;
inline constexpr std::size_t engine_bytes_max = std::size_t{4} << 20;
inline constexpr std::size_t transfer_bytes_max = std::size_t{1} << 20;
inline constexpr std::size_t block_bytes_max = (std::size_t{2} << 20) + 4096;
inline constexpr std::size_t hello_bytes_max = 8192;
inline constexpr std::size_t bye_bytes_max = 512;

// The greatest payload of this type; nothing for a type that is neither known nor optional.
[[nodiscard]] std::optional<std::size_t> frame_bytes_max(std::uint8_t type);

[[nodiscard]] std::array<std::byte, frame_header_bytes> frame_header(FrameType type,
                                                                     std::size_t payload_bytes);

// Cuts a stream into frames. Allocates for a frame only after its length was checked against its
// type, and memory is used only as bytes really arrive. One thread.
class FrameReader {
public:
    struct Sink {
        virtual ~Sink() = default;
        // False stops the reading: the rest of the bytes is dropped.
        virtual bool on_frame(FrameType type, Bytes payload) = 0;
    };

    // Takes bytes as they came. Nothing while the stream is good, else one sentence; then the link
    // must be closed and the reader not used again.
    [[nodiscard]] std::optional<std::string> feed(std::span<const std::byte> bytes, Sink& sink);

    // True in the middle of a frame.
    [[nodiscard]] bool is_mid_frame() const noexcept { return header_size_ != 0; }

private:
    [[nodiscard]] std::optional<std::string> begin_frame();

    std::array<std::byte, frame_header_bytes> header_{};
    std::size_t header_size_ = 0;
    std::uint32_t length_ = 0;
    std::size_t skipped_ = 0; // of a frame whose type we do not know
    std::uint8_t type_ = 0;
    Bytes payload_;
};

} // namespace stationsync::host
