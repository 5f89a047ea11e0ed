// Descriptions beside packages, lists of blocks, encoded blocks.
#include "fuzz_target.hpp"

#include "packages/block_codec.hpp"
#include "packages/manifest_store.hpp"
#include "packages/package_description.hpp"
#include "packages/transfer_messages.hpp"

#include <array>

using namespace stationsync::host;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = bytes_of(data, size);
    if (const auto description = decode_description(bytes)) {
        expect(to_string(encode(*description)) == text_of(data, size));
    }
    if (const auto manifest = decode_manifest(bytes)) {
        expect(to_string(encode(*manifest)) == text_of(data, size));
    }
    for (auto frame = bytes; !frame.empty();) {
        const auto before = frame.size();
        if (!next_message(frame)) {
            break;
        }
        expect(frame.size() < before);
    }
    if (size > 1) {
        std::array<std::byte, 4096> block{};
        const std::array<std::byte, 4096> old_block{};
        static_cast<void>(
            decode_block(static_cast<BlockEncoding>(data[0]), bytes.subspan(1), old_block, block));
        static_cast<void>(
            decode_block(static_cast<BlockEncoding>(data[0]), bytes.subspan(1), {}, block));
    }
    return 0;
}

std::vector<std::string> good_inputs() {
    std::vector<std::string> inputs{to_string(encode(PackageDescription{})),
                                    to_string(encode(BlockManifest{}))};
    std::vector<std::byte> block(4096);
    std::vector<std::byte> old_block(4096);
    for (std::size_t i = 0; i < block.size(); ++i) {
        block[i] = static_cast<std::byte>(i / 7);
        old_block[i] = static_cast<std::byte>(i / 9);
    }
    for (const auto& encoded :
         {encode_block(block, true), encode_block_against(block, old_block)}) {
        inputs.push_back(std::string(1, static_cast<char>(encoded.encoding)) +
                         to_string(encoded.payload));
    }
    return inputs;
}
