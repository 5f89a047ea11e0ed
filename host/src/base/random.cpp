#include "base/random.hpp"

#include <openssl/rand.h>

#include <limits>
#include <stdexcept>

namespace stationsync::host {

void fill_random(std::span<std::byte> bytes) {
    if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()) ||
        RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()),
                   static_cast<int>(bytes.size())) != 1) {
        throw std::runtime_error("the system's random generator gives no bytes");
    }
}

std::uint64_t random_u64() {
    std::uint64_t value = 0;
    fill_random(std::as_writable_bytes(std::span(&value, 1)));
    return value;
}

} // namespace stationsync::host
