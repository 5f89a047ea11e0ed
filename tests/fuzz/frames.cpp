// Bytes of a link: whole at once or in pieces, the same frames and the same verdict come out.
#include "fuzz_target.hpp"

#include "net/frames.hpp"

#include <algorithm>

using namespace stationsync::host;

namespace {

struct Collect final : FrameReader::Sink {
    bool on_frame(FrameType type, Bytes payload) override {
        const auto limit = frame_bytes_max(static_cast<std::uint8_t>(type));
        expect(limit && payload.size() <= *limit);
        frames.emplace_back(type, std::move(payload));
        return true;
    }
    std::vector<std::pair<FrameType, Bytes>> frames;
};

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = bytes_of(data, size);
    Collect whole;
    FrameReader reader;
    const auto verdict = reader.feed(bytes, whole);

    Collect pieces;
    FrameReader slow_reader;
    std::optional<std::string> slow_verdict;
    constexpr std::size_t piece = 3;
    for (std::size_t at = 0; at < size && !slow_verdict; at += piece) {
        slow_verdict = slow_reader.feed(bytes.subspan(at, std::min(piece, size - at)), pieces);
    }
    expect(verdict.has_value() == slow_verdict.has_value());
    expect(whole.frames == pieces.frames);
    return 0;
}

std::vector<std::string> good_inputs() {
    std::vector<std::string> inputs;
    for (const auto type :
         {FrameType::hello, FrameType::ping, FrameType::engine, FrameType::block, FrameType::bye}) {
        const std::string payload(40, 'x');
        inputs.push_back(to_string(frame_header(type, payload.size())) + payload);
    }
    inputs.push_back(inputs[0] + inputs[2] + inputs[4]);
    return inputs;
}
