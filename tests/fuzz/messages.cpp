// Payloads of a peer: what is accepted can be encoded again and means the same.
#include "fuzz_target.hpp"

#include "../unit/net/random_messages.hpp"
#include "net/codec.hpp"
#include "net/hello.hpp"
#include "net/time_exchange.hpp"

using namespace stationsync::host;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = bytes_of(data, size);
    static_cast<void>(decode_hello(bytes));
    static_cast<void>(decode_ping(bytes));
    static_cast<void>(decode_pong(bytes));
    static_cast<void>(decode_host_message(bytes));
    if (const auto message = decode_message(bytes); message && message->has_value()) {
        const auto again = encode_message(**message);
        expect(again && again->size() == 1);
        const auto back = decode_message(again->front());
        expect(back && back->has_value() && **back == **message);
    }
    if (const auto revision = decode_revision(text_of(data, size))) {
        const auto again = decode_revision(encode_revision(*revision));
        expect(again && *again == *revision);
    }
    return 0;
}

std::vector<std::string> good_inputs() {
    RandomMessages random(1);
    std::vector<std::string> inputs{encode_revision(random.revision(random.object())),
                                    to_string(encode_host_message(KeyUpdate{}))};
    for (std::size_t i = 0; i < 4 * RandomMessages::kinds; ++i)
        inputs.push_back(
            to_string(encode_message(random.message(i % RandomMessages::kinds))->front()));
    return inputs;
}
