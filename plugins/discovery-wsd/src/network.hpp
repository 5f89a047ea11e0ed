// The sockets and interfaces of this computer. One thread uses it, apart from wake().
#pragma once

#include "channel.hpp"
#include "limits.hpp"

#include <functional>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace stationsync::discovery_wsd {

// One sentence.
class NetworkError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

struct Received {
    ChannelId channel = 0;
    bool is_at_question_socket = false;
    bool is_to_group = false;
    Endpoint from;
    std::string_view bytes; // valid during the visit
};

class Network {
public:
    // question_port: where answers to our questions come to, 0 = any free one. bytes_max: of a
    // datagram; of a larger one that many and one more are given.
    Network(std::uint16_t question_port, std::size_t bytes_max); // throws NetworkError
    ~Network();
    Network(const Network&) = delete;
    Network& operator=(const Network&) = delete;

    // Those that there are now. Throws NetworkError.
    std::vector<Interface> interfaces();
    // Makes the sockets fit: closes those of channels that are gone or were made anew under the
    // same number, and tries those again that could not be opened. Gives the channels whose socket
    // at the group is new.
    std::set<ChannelId> open(const std::vector<Channel>& channels);
    // What could not be opened and why; empty = all is well.
    [[nodiscard]] const std::vector<std::string>& complaints() const;

    // Until something comes, wake() is called or the time is over. without datagrams: they wait.
    // True when interfaces have changed.
    bool wait(Time at_most, bool for_datagrams);
    void wake() noexcept; // any thread
    // Gives what has come, some dozens at most; returns how many.
    std::size_t receive(const std::function<void(const Received&)>& visit);

    // to.port 0: to the group. Gives what went wrong, or nothing; also nothing when the socket is
    // one of the complaints.
    std::string send(const Channel& channel, bool is_question, const Endpoint& to,
                     const IpAddress& source, std::string_view bytes);

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace stationsync::discovery_wsd
