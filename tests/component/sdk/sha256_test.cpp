// SHA-256 against the published examples, whichever instructions the processor has.
#include <stationsync/sha256.hpp>

#include <gtest/gtest.h>

#include <string>

namespace stationsync::sdk {
namespace {

std::string hex(const Digest& digest) {
    std::string text;
    for (const std::uint8_t byte : digest) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text;
}

// FIPS 180-2, appendix B.
TEST(Sha256, GivesThePublishedDigests) {
    EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(hex(sha256("abc")),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(hex(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    EXPECT_EQ(hex(sha256(std::string(1000000, 'a'))),
              "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, DoesNotDependOnHowTheBytesAreFed) {
    std::string text;
    for (int i = 0; i < 1000; ++i)
        text += static_cast<char>(i * 7);
    const Digest whole = sha256(text);
    for (const std::size_t piece : {1u, 3u, 63u, 64u, 65u, 200u}) {
        Sha256 hash;
        for (std::size_t at = 0; at < text.size(); at += piece)
            hash.update(std::string_view(text).substr(at, piece));
        EXPECT_EQ(hash.finish(), whole) << piece;
    }
}

#if defined(STSYNC_SDK_HAS_SHA_X86)
TEST(Sha256, BothImplementationsAgree) {
    if (!detail::cpu_has_sha())
        GTEST_SKIP() << "this processor has no SHA instructions";
    std::array<std::uint8_t, 64 * 5> data;
    for (std::size_t i = 0; i < data.size(); ++i)
        data[i] = static_cast<std::uint8_t>(i * i);
    std::array<std::uint32_t, 8> fast = {1, 2, 3, 4, 5, 6, 7, 8};
    std::array<std::uint32_t, 8> plain = fast;
    detail::sha256_blocks_x86(fast.data(), data.data(), 5, detail::sha256_constants.data());
    for (std::size_t i = 0; i < 5; ++i)
        detail::sha256_block(plain.data(), data.data() + 64 * i);
    EXPECT_EQ(fast, plain);
}
#endif

} // namespace
} // namespace stationsync::sdk
