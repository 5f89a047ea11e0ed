// What is to be sent, and when: repeats and delays as data.
#pragma once

#include "channel.hpp"
#include "limits.hpp"
#include "message.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace stationsync::discovery_wsd {

// Unpredictable numbers, for ids as well as for delays.
using Random = std::function<std::uint32_t()>;
// Evenly from 0 to most.
Time random_time(const Random& random, Time most);
// "urn:uuid:" and a random UUID.
std::string new_message_id(const Random& random);

// When one multicast message is sent: thrice, first after `first`; the first gap is 50 to 250 ms,
// the next one twice as long, none above 500 ms.
std::vector<Time> multicast_times(Time first, const Random& random);
// The same for a Bye, for whose end the service waits: at once, all within 0.3 s.
std::vector<Time> bye_times(Time first, const Random& random);

struct Outgoing {
    ChannelId channel = 0;
    Kind kind = Kind::hello;
    Endpoint to; // port 0: to the group
    std::shared_ptr<const std::string> bytes;

    // Questions have a socket of their own, to which the answers come.
    [[nodiscard]] bool is_question() const noexcept {
        return kind == Kind::probe || kind == Kind::resolve;
    }
};

class Outbox {
public:
    // What does not fit any more is not sent: there is a next time for all of it.
    void add(const Outgoing& message, const std::vector<Time>& times);
    std::vector<Outgoing> take_due(Time now);
    [[nodiscard]] std::optional<Time> next_due() const;
    void remove_if(const std::function<bool(const Outgoing&)>& condition);
    [[nodiscard]] bool has(Kind kind) const;

private:
    std::multimap<Time, Outgoing> waiting_;
};

} // namespace stationsync::discovery_wsd
