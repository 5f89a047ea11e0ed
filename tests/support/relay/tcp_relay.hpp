// A TCP relay that behaves as badly as a network can: delay, throttle, swallow, reset, refuse, each
// direction by itself. Runs on a thread of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace stationsync::test {

enum class RelayMode {
    pass,
    swallow, // connections stand and new ones are accepted, but nothing goes through either way
    reset,   // new connections are reset at once, standing ones too
    refuse,  // nobody listens: new connections are refused; standing ones go on
};

struct RelaySettings {
    RelayMode mode = RelayMode::pass;
    std::chrono::milliseconds delay_there{0}; // towards the target
    std::chrono::milliseconds delay_back{0};
    std::uint64_t bytes_per_second = 0; // each connection and direction; 0: no limit
};

class TcpRelay {
public:
    // Addresses as "127.0.0.1:8883"; port 0 of `listen` takes any free one. `source`: the address
    // that connections to the target come from, empty for any. Throws std::exception when it cannot
    // listen.
    TcpRelay(const std::string& listen, const std::string& target, const std::string& source = {});
    ~TcpRelay();
    TcpRelay(const TcpRelay&) = delete;
    TcpRelay& operator=(const TcpRelay&) = delete;

    [[nodiscard]] std::string address() const;
    // In force when the call returns.
    void set(const RelaySettings& settings);
    // Resets all standing connections.
    void cut();
    // Connections accepted so far, and bytes handed to the target and back.
    [[nodiscard]] std::uint64_t accepted() const;
    [[nodiscard]] std::uint64_t bytes_there() const;
    [[nodiscard]] std::uint64_t bytes_back() const;

private:
    struct State;
    std::shared_ptr<State> state_;
};

} // namespace stationsync::test
