// Feeds a fuzz target without libFuzzer: seeded, so the same inputs on every machine.
#include "fuzz_target.hpp"

#include <cstdio>
#include <random>

namespace {

using Random = std::mt19937_64;

std::size_t below(Random& random, std::size_t limit) {
    return static_cast<std::size_t>(random() % limit);
}

void break_something(std::string& input, Random& random) {
    if (input.empty()) {
        input.push_back('\0');
    }
    const auto at = below(random, input.size());
    switch (below(random, 6)) {
    case 0: // one bit
        input[at] = static_cast<char>(input[at] ^ (1 << below(random, 8)));
        break;
    case 1: // an extreme byte, as lengths and counts have them
        input[at] = static_cast<char>(below(random, 2) == 0 ? 0xff : 0);
        break;
    case 2: // cut off
        input.resize(at);
        break;
    case 3: // a piece twice
        input.insert(at, input.substr(at, 1 + below(random, 64)));
        break;
    case 4: // a piece missing
        input.erase(at, 1 + below(random, 16));
        break;
    default: // a random piece
        for (std::size_t i = at; i < input.size() && i < at + 8; ++i) {
            input[i] = static_cast<char>(random());
        }
    }
}

std::string random_input(Random& random) {
    std::string input(below(random, 512), '\0');
    for (auto& byte : input) {
        byte = static_cast<char>(random());
    }
    return input;
}

void run(const std::string& input) {
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

} // namespace

int main(int argc, char** argv) {
    const auto count = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 20'000UL;
    const auto good = good_inputs();
    for (const auto& input : good) {
        run(input);
    }
    Random random(8883);
    for (unsigned long number = 0; number < count; ++number) {
        auto input = good.empty() || below(random, 4) == 0 ? random_input(random)
                                                           : good[below(random, good.size())];
        for (auto changes = below(random, 4); changes-- > 0;) {
            break_something(input, random);
        }
        run(input);
    }
    std::printf("%lu inputs, %zu of them well-formed\n", count + good.size(), good.size());
    return 0;
}
