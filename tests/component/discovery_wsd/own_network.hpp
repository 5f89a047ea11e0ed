// A network of this test's own, in which nothing of the machine or of other tests is heard.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace stationsync::test {

// Moves the calling thread, and those that it makes from now on, into a new network namespace whose
// loopback interface is up. Gives why that is not possible, or nothing.
std::string enter_own_network();

// A plain UDP socket of the test.
class RawSocket {
public:
    // Bound to address and port (0 = any); is_shared: lets others bind to the port as well.
    RawSocket(const std::string& address, std::uint16_t port, bool is_shared);
    ~RawSocket();
    RawSocket(const RawSocket&) = delete;
    RawSocket& operator=(const RawSocket&) = delete;

    // To the group of discovery over the loopback interface.
    void send_to_group(const std::string& bytes) const;
    void send_to(const std::string& address, std::uint16_t port, const std::string& bytes) const;
    struct Arrived {
        std::string bytes;
        std::uint16_t port = 0;
    };
    // The next datagram; nothing when none comes in time.
    std::optional<Arrived> receive(int milliseconds) const;

private:
    int file_;
};

std::size_t count_open_files();

} // namespace stationsync::test
