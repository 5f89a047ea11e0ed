// SHA-256 (FIPS 180-4), here so that the SDK depends on nothing.
#pragma once

#include "detail/sha256_x86.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace stationsync::sdk {

using Digest = std::array<std::uint8_t, 32>;

namespace detail {

inline constexpr std::array<std::uint32_t, 64> sha256_constants = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

inline std::uint32_t rotate_right(std::uint32_t word, unsigned by) noexcept {
    return (word >> by) | (word << (32 - by));
}

inline void sha256_block(std::uint32_t* state, const std::uint8_t* data) noexcept {
    std::array<std::uint32_t, 64> w;
    for (std::size_t i = 0; i < 16; ++i) {
        const std::uint8_t* p = data + 4 * i;
        w[i] =
            std::uint32_t{p[0]} << 24 | std::uint32_t{p[1]} << 16 | std::uint32_t{p[2]} << 8 | p[3];
    }
    for (std::size_t i = 16; i < 64; ++i) {
        const std::uint32_t a = w[i - 15];
        const std::uint32_t b = w[i - 2];
        w[i] = w[i - 16] + (rotate_right(a, 7) ^ rotate_right(a, 18) ^ (a >> 3)) + w[i - 7] +
               (rotate_right(b, 17) ^ rotate_right(b, 19) ^ (b >> 10));
    }
    std::array<std::uint32_t, 8> s;
    std::memcpy(s.data(), state, sizeof s);
    for (std::size_t i = 0; i < 64; ++i) {
        const std::uint32_t e = s[4];
        const std::uint32_t a = s[0];
        const std::uint32_t t1 = s[7] + sha256_constants[i] + w[i] +
                                 (rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25)) +
                                 ((e & s[5]) ^ (~e & s[6]));
        const std::uint32_t t2 = (rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22)) +
                                 ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));
        s = {t1 + t2, s[0], s[1], s[2], s[3] + t1, s[4], s[5], s[6]};
    }
    for (std::size_t i = 0; i < 8; ++i)
        state[i] += s[i];
}

} // namespace detail

// Feed the bytes in pieces of any length, then finish once.
class Sha256 {
public:
    void update(const void* bytes, std::size_t count) noexcept {
        const auto* data = static_cast<const std::uint8_t*>(bytes);
        total_ += count;
        if (filled_ != 0) {
            const std::size_t taken = count < 64 - filled_ ? count : 64 - filled_;
            if (taken != 0)
                std::memcpy(buffer_.data() + filled_, data, taken);
            filled_ += taken;
            data += taken;
            count -= taken;
            if (filled_ < 64)
                return;
            blocks(buffer_.data(), 1);
            filled_ = 0;
        }
        blocks(data, count / 64);
        filled_ = count % 64;
        if (filled_ != 0)
            std::memcpy(buffer_.data(), data + (count - filled_), filled_);
    }
    void update(std::string_view bytes) noexcept { update(bytes.data(), bytes.size()); }

    Digest finish() noexcept {
        const std::uint64_t bits = total_ * 8;
        const std::uint8_t end = 0x80;
        update(&end, 1);
        const std::array<std::uint8_t, 64> zeros{};
        update(zeros.data(), (120 - filled_) % 64);
        std::array<std::uint8_t, 8> length;
        for (unsigned i = 0; i < 8; ++i)
            length[i] = static_cast<std::uint8_t>(bits >> (56 - 8 * i));
        update(length.data(), length.size());
        Digest digest;
        for (unsigned i = 0; i < 32; ++i)
            digest[i] = static_cast<std::uint8_t>(state_[i / 4] >> (24 - 8 * (i % 4)));
        return digest;
    }

private:
    void blocks(const std::uint8_t* data, std::size_t count) noexcept {
#if defined(STSYNC_SDK_HAS_SHA_X86)
        if (detail::cpu_has_sha()) {
            detail::sha256_blocks_x86(state_.data(), data, count, detail::sha256_constants.data());
            return;
        }
#endif
        for (std::size_t i = 0; i < count; ++i)
            detail::sha256_block(state_.data(), data + 64 * i);
    }

    std::array<std::uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                           0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    std::array<std::uint8_t, 64> buffer_{};
    std::size_t filled_ = 0;
    std::uint64_t total_ = 0;
};

inline Digest sha256(std::string_view bytes) noexcept {
    Sha256 hash;
    hash.update(bytes);
    return hash.finish();
}

} // namespace stationsync::sdk
