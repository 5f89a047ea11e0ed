#include "base/random.hpp"
#include "packages/block_codec.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace stationsync::host {
namespace {

using Block = std::vector<std::byte>;

Block random_block(std::size_t bytes = 65536) {
    Block block(bytes);
    fill_random(block);
    return block;
}

Block decoded(const EncodedBlock& encoded, const Block& old_block, std::size_t bytes) {
    Block block(bytes, std::byte{0xAA});
    EXPECT_TRUE(decode_block(encoded.encoding, encoded.payload, old_block, block));
    return block;
}

TEST(BlockCodec, RoundTripsEveryKindOfBlock) {
    Block text(65536);
    for (std::size_t index = 0; index < text.size(); ++index) {
        text[index] = static_cast<std::byte>(index % 40);
    }
    for (const Block& block :
         {random_block(), text, Block(65536), random_block(1), random_block(5000)}) {
        for (const bool compresses : {false, true}) {
            const EncodedBlock encoded = encode_block(block, compresses);
            EXPECT_LE(encoded.payload.size(), block.size());
            EXPECT_EQ(decoded(encoded, {}, block.size()), block);
        }
    }
    EXPECT_LT(encode_block(text, true).payload.size(), 1000U);
    EXPECT_EQ(encode_block(Block(65536), false).encoding, BlockEncoding::zeros);
    EXPECT_EQ(encode_block(random_block(), true).encoding, BlockEncoding::raw);
}

TEST(BlockCodec, DifferenceToTheOldBlockIsSmall) {
    const Block old_block = random_block();
    Block block = old_block;
    std::ranges::copy(random_block(100), block.begin() + 20'000);
    const EncodedBlock encoded = encode_block_against(block, old_block);
    EXPECT_EQ(encoded.encoding, BlockEncoding::zstd_old);
    EXPECT_LT(encoded.payload.size(), 400U);
    EXPECT_EQ(decoded(encoded, old_block, block.size()), block);
    Block other = old_block;
    other[0] ^= std::byte{1};
    Block wrong(block.size());
    // Against another old block the result is not the block: the hash finds out.
    if (decode_block(encoded.encoding, encoded.payload, other, wrong)) {
        EXPECT_NE(wrong, block);
    }
}

TEST(BlockCodec, ChangedPagesAloneTravel) {
    const Block old_block = random_block();
    Block block = old_block;
    block[4096 * 3 + 7] ^= std::byte{1};
    block[4096 * 9] ^= std::byte{1};
    const EncodedBlock encoded = encode_changed_pages(block, hash_pages(old_block), true);
    EXPECT_LT(encoded.payload.size(), 2 * 4096U + 64);
    EXPECT_EQ(decoded(encoded, old_block, block.size()), block);
}

TEST(BlockCodec, ChangedPagesOfBlocksOfOtherLengths) {
    const Block old_block = random_block(10'000);
    Block longer = old_block;
    longer.resize(20'000, std::byte{7});
    Block shorter(old_block.begin(), old_block.begin() + 9'000);
    for (const Block& block : {longer, shorter}) {
        const EncodedBlock encoded = encode_changed_pages(block, hash_pages(old_block), false);
        EXPECT_EQ(decoded(encoded, old_block, block.size()), block);
    }
}

TEST(BlockCodec, DamagedPayloadsAreRefusedOrGiveOtherBytes) {
    const Block old_block = random_block();
    Block block = old_block;
    block[5] ^= std::byte{1};
    std::vector<EncodedBlock> all = {encode_block(Block(65536, std::byte{3}), true),
                                     encode_block_against(block, old_block),
                                     encode_changed_pages(block, hash_pages(old_block), true)};
    for (const EncodedBlock& encoded : all) {
        Block out(block.size());
        for (std::size_t length = 0; length < encoded.payload.size();
             length += 1 + encoded.payload.size() / 50) {
            EXPECT_FALSE(decode_block(encoded.encoding, std::span(encoded.payload).first(length),
                                      old_block, out));
        }
        Block small(100);
        EXPECT_FALSE(decode_block(encoded.encoding, encoded.payload, old_block, small));
    }
}

} // namespace
} // namespace stationsync::host
