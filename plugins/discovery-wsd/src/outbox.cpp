#include "outbox.hpp"

#include <algorithm>
#include <array>

namespace stationsync::discovery_wsd {

namespace {

constexpr std::size_t waiting_max = 2048;

} // namespace

Time random_time(const Random& random, Time most) {
    const auto range = static_cast<std::uint64_t>(std::max<Time::rep>(most.count(), 0)) + 1;
    return Time(static_cast<Time::rep>((std::uint64_t{random()} * range) >> 32));
}

std::string new_message_id(const Random& random) {
    std::array<std::uint8_t, 16> bytes{};
    for (std::size_t i = 0; i < bytes.size(); i += 4) {
        const std::uint32_t value = random();
        for (std::size_t j = 0; j < 4; ++j)
            bytes[i + j] = static_cast<std::uint8_t>(value >> (8 * j));
    }
    bytes[6] = static_cast<std::uint8_t>(0x40 | (bytes[6] & 0x0f)); // version 4
    bytes[8] = static_cast<std::uint8_t>(0x80 | (bytes[8] & 0x3f));
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text = "urn:uuid:";
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            text += '-';
        text += digits[bytes[i] >> 4];
        text += digits[bytes[i] & 15];
    }
    return text;
}

std::vector<Time> multicast_times(Time first, const Random& random) {
    const Time gap = Time(50) + random_time(random, Time(200));
    return {first, first + gap, first + gap + std::min(2 * gap, Time(500))};
}

std::vector<Time> bye_times(Time first, const Random& random) {
    const Time gap = Time(50) + random_time(random, Time(50));
    return {first, first + gap, first + 3 * gap};
}

void Outbox::add(const Outgoing& message, const std::vector<Time>& times) {
    for (const Time time : times)
        if (waiting_.size() < waiting_max)
            waiting_.emplace(time, message);
}

std::vector<Outgoing> Outbox::take_due(Time now) {
    std::vector<Outgoing> due;
    while (!waiting_.empty() && waiting_.begin()->first <= now) {
        due.push_back(std::move(waiting_.begin()->second));
        waiting_.erase(waiting_.begin());
    }
    return due;
}

std::optional<Time> Outbox::next_due() const {
    if (waiting_.empty())
        return std::nullopt;
    return waiting_.begin()->first;
}

bool Outbox::has(Kind kind) const {
    return std::any_of(waiting_.begin(), waiting_.end(),
                       [&](const auto& each) { return each.second.kind == kind; });
}

void Outbox::remove_if(const std::function<bool(const Outgoing&)>& condition) {
    for (auto place = waiting_.begin(); place != waiting_.end();)
        place = condition(place->second) ? waiting_.erase(place) : std::next(place);
}

} // namespace stationsync::discovery_wsd
