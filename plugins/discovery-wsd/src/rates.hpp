// How much one source, and all together, may ask of us; and which messages came already.
#pragma once

#include "ip_address.hpp"
#include "limits.hpp"

#include <deque>
#include <list>
#include <string>
#include <unordered_map>

namespace stationsync::discovery_wsd {

// Holds up to `burst` tokens and gains `rate` of them a second; starts full.
class Bucket {
public:
    Bucket() = default;
    Bucket(unsigned rate, unsigned burst) noexcept
        : rate_(rate), burst_(burst * unit), level_(burst * unit) {}

    bool take(Time now) noexcept;

private:
    static constexpr std::int64_t unit =
        1000; // parts of a token: one comes per rate and millisecond

    std::int64_t rate_ = 0;
    std::int64_t burst_ = 0;
    std::int64_t level_ = 0;
    Time at_{0};
};

// Buckets of each source, in bounded memory: who was quiet for longest is forgotten first.
class SourceRates {
public:
    explicit SourceRates(const Limits& limits) : limits_(limits) {}

    // zone: index of the interface, which tells link-local sources apart.
    bool take_datagram(const IpAddress& source, std::uint32_t zone, Time now);
    bool take_answer(const IpAddress& source, std::uint32_t zone, Time now);
    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

private:
    struct Key {
        IpAddress address;
        std::uint32_t zone = 0;
        friend bool operator==(const Key&, const Key&) = default;
    };
    struct Hash {
        std::size_t operator()(const Key& key) const noexcept;
    };
    struct Entry {
        Key key;
        Bucket datagrams;
        Bucket answers;
    };
    Entry& entry(const IpAddress& source, std::uint32_t zone);

    Limits limits_;
    std::list<Entry> entries_; // heard last stands first
    std::unordered_map<Key, std::list<Entry>::iterator, Hash> places_;
};

// The ids of messages that came within the last minute, at most 1024.
class SeenMessages {
public:
    // False when it came already, from the same source.
    bool add(const std::string& message_id, const IpAddress& source, Time now);
    [[nodiscard]] std::size_t size() const noexcept { return order_.size(); }

private:
    std::unordered_map<std::string, Time> times_;
    std::deque<std::string> order_; // oldest first
};

} // namespace stationsync::discovery_wsd
