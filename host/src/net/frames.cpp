#include "net/frames.hpp"

#include "base/byte_stream.hpp"
#include "net/time_exchange.hpp"

#include <algorithm>

namespace stationsync::host {
namespace {

constexpr std::size_t optional_bytes_max = std::size_t{64} * 1024;
constexpr std::size_t proof_bytes = 64;

} // namespace

std::optional<std::size_t> frame_bytes_max(std::uint8_t type) {
    if (type >= frame_type_optional_min) {
        return optional_bytes_max;
    }
    switch (static_cast<FrameType>(type)) {
    case FrameType::hello:
        return hello_bytes_max;
    case FrameType::proof:
        return proof_bytes;
    case FrameType::ping:
        return ping_bytes;
    case FrameType::pong:
        return pong_bytes;
    case FrameType::engine:
        return engine_bytes_max;
    case FrameType::host:
        return optional_bytes_max;
    case FrameType::transfer:
        return transfer_bytes_max;
    case FrameType::block:
        return block_bytes_max;
    case FrameType::bye:
        return bye_bytes_max;
    }
    return std::nullopt;
}

std::array<std::byte, frame_header_bytes> frame_header(FrameType type, std::size_t payload_bytes) {
    const auto length = static_cast<std::uint32_t>(payload_bytes);
    return {static_cast<std::byte>(length >> 24), static_cast<std::byte>(length >> 16),
            static_cast<std::byte>(length >> 8), static_cast<std::byte>(length),
            static_cast<std::byte>(type)};
}

std::optional<std::string> FrameReader::begin_frame() {
    ByteReader in(header_);
    length_ = in.u32();
    type_ = in.u8();
    skipped_ = 0;
    const auto limit = frame_bytes_max(type_);
    if (!limit) {
        return "it sent a frame of the unknown type " + std::to_string(type_);
    }
    if (length_ > *limit) {
        return "it announced a frame of " + std::to_string(length_) + " bytes, at most " +
               std::to_string(*limit) + " are allowed for type " + std::to_string(type_);
    }
    payload_ = {};
    if (type_ < frame_type_optional_min) {
        // Only address space: pages are used as bytes arrive.
        payload_.reserve(length_);
    }
    return std::nullopt;
}

std::optional<std::string> FrameReader::feed(std::span<const std::byte> bytes, Sink& sink) {
    while (true) {
        if (header_size_ < frame_header_bytes) {
            const std::size_t take = std::min(bytes.size(), frame_header_bytes - header_size_);
            std::copy_n(bytes.begin(), take,
                        header_.begin() + static_cast<std::ptrdiff_t>(header_size_));
            header_size_ += take;
            bytes = bytes.subspan(take);
            if (header_size_ < frame_header_bytes) {
                return std::nullopt;
            }
            if (auto problem = begin_frame()) {
                return problem;
            }
        }
        const bool is_known = type_ < frame_type_optional_min;
        const std::size_t have = is_known ? payload_.size() : skipped_;
        const std::size_t take = std::min(bytes.size(), length_ - have);
        if (is_known) {
            payload_.insert(payload_.end(), bytes.begin(),
                            bytes.begin() + static_cast<std::ptrdiff_t>(take));
        } else {
            skipped_ += take;
        }
        bytes = bytes.subspan(take);
        if (have + take < length_) {
            return std::nullopt;
        }
        header_size_ = 0;
        if (is_known && !sink.on_frame(static_cast<FrameType>(type_), std::move(payload_))) {
            return std::nullopt;
        }
        payload_ = {};
    }
}

} // namespace stationsync::host
