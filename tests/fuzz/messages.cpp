// Payloads of a peer: what is accepted can be encoded again and means the same.
#include "fuzz_target.hpp"

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
    static_cast<void>(decode_message(bytes));
    if (const auto revision = decode_revision(text_of(data, size))) {
        const auto again = decode_revision(encode_revision(*revision));
        expect(again && *again == *revision);
    }
    return 0;
}

std::vector<std::string> good_inputs() {
    return {encode_revision({}), to_string(encode_host_message(KeyUpdate{}))};
}
