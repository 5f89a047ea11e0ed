#include "packages/transfer_messages.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace stationsync::host {
namespace {

std::vector<TransferMessage> samples() {
    PackageRef package;
    package.digest.bytes[0] = 1;
    package.bytes = 77;
    BlockHash hash;
    hash.bytes[5] = std::byte{5};
    return {OpenMessage{1, {"recipes", "Ä/x"}, package, {package, package}},
            OpenedMessage{2, false, 3, {{0, 5}, {9, 1}}},
            HaveMessage{3, {{7, 2}}},
            ManifestRequestMessage{4, {0, 8192}, no_base},
            ManifestMessage{5, {3, 2}, {}, {hash, hash}},
            ManifestMessage{6, {0, 10}, {1, 0, 1, 1, 1, 1, 1, 1, 1, 0}, {hash, hash}},
            BlockRequestMessage{7, 1, {{1, 1}, {5, 3}}},
            PagesRequestMessage{8, 12, {PageHash{}, PageHash{}}},
            BlockMessage{9, 4, BlockEncoding::zstd, {std::byte{1}, std::byte{2}}},
            CannotMessage{10, CannotReason::changed, "the content has changed"},
            CloseMessage{11}};
}

TEST(TransferMessages, RoundTripSeveralInOneFrame) {
    std::vector<std::byte> frame;
    for (const TransferMessage& message : samples()) {
        append(frame, message);
    }
    std::span<const std::byte> rest = frame;
    for (const TransferMessage& expected : samples()) {
        const auto message = next_message(rest);
        ASSERT_TRUE(message);
        ASSERT_EQ(message->index(), expected.index());
        // What is written again is the same: nothing was lost.
        std::vector<std::byte> first;
        std::vector<std::byte> second;
        append(first, expected);
        append(second, *message);
        EXPECT_EQ(first, second);
    }
    EXPECT_TRUE(rest.empty());
}

TEST(TransferMessages, CutOffMessagesAreRefused) {
    for (const TransferMessage& message : samples()) {
        std::vector<std::byte> frame;
        append(frame, message);
        for (std::size_t length = 1; length < frame.size(); ++length) {
            std::span<const std::byte> rest = std::span<const std::byte>(frame).first(length);
            EXPECT_FALSE(next_message(rest)) << message.index() << " " << length;
        }
    }
}

TEST(TransferMessages, RunsMustRiseAndStayWithinWhatIsPossible) {
    for (const std::vector<BlockRun>& runs :
         {std::vector<BlockRun>{{5, 2}, {6, 1}}, std::vector<BlockRun>{{0, 0}},
          std::vector<BlockRun>{{1, 0xFFFFFFFF}}, std::vector<BlockRun>{{0xFFFFFFFF, 1}}}) {
        std::vector<std::byte> frame;
        append(frame, HaveMessage{1, runs});
        std::span<const std::byte> rest = frame;
        EXPECT_FALSE(next_message(rest));
    }
}

TEST(TransferMessages, GoldenBytesOfARequest) {
    std::vector<std::byte> frame;
    append(frame, BlockRequestMessage{0x01020304, no_base, {{5, 6}}});
    const std::vector<std::uint8_t> expected = {6, 0, 0, 0, 17, 1, 2, 3, 4, 255, 0,
                                                0, 0, 1, 0, 0,  0, 5, 0, 0, 0,   6};
    ASSERT_EQ(frame.size(), expected.size());
    for (std::size_t index = 0; index < expected.size(); ++index) {
        EXPECT_EQ(std::to_integer<std::uint8_t>(frame[index]), expected[index]) << index;
    }
}

} // namespace
} // namespace stationsync::host
