// SHA-256 with the SHA instructions of x86 processors, chosen at run time.
#pragma once

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#define STSYNC_SDK_HAS_SHA_X86 1

#include <cpuid.h>
#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace stationsync::sdk::detail {

inline bool cpu_has_sha() noexcept {
    static const bool has = [] {
        unsigned a = 0, b = 0, c = 0, d = 0;
        if (__get_cpuid(1, &a, &b, &c, &d) == 0)
            return false;
        const bool sse41 = (c & (1u << 19)) != 0 && (c & (1u << 9)) != 0;
        if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0)
            return false;
        return sse41 && (b & (1u << 29)) != 0;
    }();
    return has;
}

inline __m128i load_16(const void* from) noexcept {
    return _mm_loadu_si128(static_cast<const __m128i*>(from));
}

// state: 8 words; data: `blocks` times 64 bytes; constants: the 64 words of FIPS 180-4. Layout and
// order of the instructions follow Intel's description of the SHA extensions.
__attribute__((target("sha,sse4.1,ssse3"))) inline void
sha256_blocks_x86(std::uint32_t* state, const std::uint8_t* data, std::size_t blocks,
                  const std::uint32_t* constants) noexcept {
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    const __m128i low = _mm_shuffle_epi32(load_16(state), 0xB1);
    __m128i second = _mm_shuffle_epi32(load_16(state + 4), 0x1B);
    __m128i first = _mm_alignr_epi8(low, second, 8);
    second = _mm_blend_epi16(second, low, 0xF0);
    for (; blocks != 0; --blocks, data += 64) {
        const __m128i first_before = first;
        const __m128i second_before = second;
        __m128i w[4];
        for (std::size_t i = 0; i < 4; ++i)
            w[i] = _mm_shuffle_epi8(load_16(data + 16 * i), big_endian);
#pragma GCC unroll 16
        for (std::size_t i = 0; i < 16; ++i) {
            if (i >= 4) {
                const __m128i mixed =
                    _mm_add_epi32(_mm_sha256msg1_epu32(w[i & 3], w[(i + 1) & 3]),
                                  _mm_alignr_epi8(w[(i + 3) & 3], w[(i + 2) & 3], 4));
                w[i & 3] = _mm_sha256msg2_epu32(mixed, w[(i + 3) & 3]);
            }
            const __m128i word = _mm_add_epi32(w[i & 3], load_16(constants + 4 * i));
            second = _mm_sha256rnds2_epu32(second, first, word);
            first = _mm_sha256rnds2_epu32(first, second, _mm_shuffle_epi32(word, 0x0E));
        }
        first = _mm_add_epi32(first, first_before);
        second = _mm_add_epi32(second, second_before);
    }
    const __m128i front = _mm_shuffle_epi32(first, 0x1B);
    const __m128i back = _mm_shuffle_epi32(second, 0xB1);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(state), _mm_blend_epi16(front, back, 0xF0));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(state + 4), _mm_alignr_epi8(back, front, 8));
}

} // namespace stationsync::sdk::detail
#endif
