#include "rates.hpp"

#include <algorithm>
#include <functional>
#include <string_view>

namespace stationsync::discovery_wsd {

namespace {

constexpr std::size_t seen_max = 1024;
constexpr Time seen_age_max{60'000};

} // namespace

bool Bucket::take(Time now) noexcept {
    // One that was idle for long is full; so large a product would not fit.
    const std::int64_t elapsed = std::clamp<std::int64_t>((now - at_).count(), 0, 3'600'000);
    at_ = now;
    level_ = std::min(burst_, level_ + elapsed * rate_);
    if (level_ < unit)
        return false;
    level_ -= unit;
    return true;
}

std::size_t SourceRates::Hash::operator()(const Key& key) const noexcept {
    const std::string_view bytes(reinterpret_cast<const char*>(key.address.bytes.data()),
                                 key.address.bytes.size());
    return std::hash<std::string_view>{}(bytes) + key.zone * std::size_t{0x9E3779B9};
}

SourceRates::Entry& SourceRates::entry(const IpAddress& source, std::uint32_t zone) {
    const Key key{source, zone};
    if (const auto place = places_.find(key); place != places_.end()) {
        entries_.splice(entries_.begin(), entries_, place->second);
        return entries_.front();
    }
    if (entries_.size() >= limits_.sources) {
        places_.erase(entries_.back().key);
        entries_.pop_back();
    }
    entries_.push_front({key, Bucket(limits_.source_datagrams, 2 * limits_.source_datagrams),
                         Bucket(limits_.source_answers, limits_.source_answers)});
    places_[key] = entries_.begin();
    return entries_.front();
}

bool SourceRates::take_datagram(const IpAddress& source, std::uint32_t zone, Time now) {
    return entry(source, zone).datagrams.take(now);
}

bool SourceRates::take_answer(const IpAddress& source, std::uint32_t zone, Time now) {
    return entry(source, zone).answers.take(now);
}

bool SeenMessages::add(const std::string& message_id, const IpAddress& source, Time now) {
    while (!order_.empty() && times_.at(order_.front()) + seen_age_max <= now) {
        times_.erase(order_.front());
        order_.pop_front();
    }
    // With the source, so that nobody can make us deaf for what another one is about to repeat.
    std::string key = message_id;
    key.append(1, '\0').append(reinterpret_cast<const char*>(source.bytes.data()),
                               source.bytes.size());
    if (!times_.emplace(key, now).second)
        return false;
    order_.push_back(std::move(key));
    if (order_.size() > seen_max) {
        times_.erase(order_.front());
        order_.pop_front();
    }
    return true;
}

} // namespace stationsync::discovery_wsd
