#pragma once
// The last events, shared by all listeners: each has only a position in it, so that a slow listener
// costs no memory. One that fell behind what is kept is told to reload ("reset") and goes on from
// the newest.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace stationsync::host {

class EventLog {
public:
    // `run` distinguishes the ids of this process from those of an earlier one.
    EventLog(std::string run, std::size_t events_max)
        : run_(std::move(run)), events_max_(events_max) {}

    // `json` is one line.
    void publish(std::string_view type, std::string json);

    // Where a new listener starts: behind the event it names, or at the end without one.
    // `first_text` receives what it is told first: "ready", or "reset" when events it has not seen
    // are gone.
    std::uint64_t start(std::string_view last_event_id, std::string& first_text) const;

    // Server-Sent Events text of what follows `position`, about `bytes_max` bytes at most but at
    // least one event when there is one; moves `position`.
    std::string read(std::uint64_t& position, std::size_t bytes_max) const;

private:
    struct Event {
        std::uint64_t number;
        std::string text;
    };
    std::string control(std::string_view type, std::uint64_t number) const;

    std::string run_;
    std::size_t events_max_;
    std::uint64_t last_ = 0;
    std::deque<Event> events_;
};

} // namespace stationsync::host
