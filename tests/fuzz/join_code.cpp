// What a person typed or pasted.
#include "fuzz_target.hpp"

#include "net/address.hpp"
#include "net/join_code.hpp"
#include "net/station_identity.hpp"

using namespace stationsync::host;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = text_of(data, size);
    static_cast<void>(parse_station_id(text));
    static_cast<void>(parse_host_port(text, 8883));
    if (const auto code = parse_join_code(text)) {
        const auto again = parse_join_code(to_text(*code));
        expect(again && again->project == code->project && again->addresses == code->addresses);
    }
    return 0;
}

std::vector<std::string> good_inputs() {
    const JoinCode code{
        "Brewery", ProjectKey::generate(), {}, {}, {"192.168.1.11:8883", "brewhouse:8883"}};
    return {to_text(code), "[::1]:8883", "brewhouse:8883"};
}
