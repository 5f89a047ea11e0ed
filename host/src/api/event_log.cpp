#include "api/event_log.hpp"

#include <charconv>

namespace stationsync::host {

void EventLog::publish(std::string_view type, std::string json) {
    ++last_;
    std::string text = "id: " + run_ + "-" + std::to_string(last_) + "\nevent: ";
    text += type;
    text += "\ndata: " + std::move(json) + "\n\n";
    events_.push_back({last_, std::move(text)});
    if (events_.size() > events_max_) {
        events_.pop_front();
    }
}

std::string EventLog::control(std::string_view type, std::uint64_t number) const {
    return "id: " + run_ + "-" + std::to_string(number) + "\nevent: " + std::string(type) +
           "\ndata: {}\n\n";
}

std::uint64_t EventLog::start(std::string_view last_event_id, std::string& first_text) const {
    if (last_event_id.empty()) {
        first_text = control("ready", last_);
        return last_;
    }
    std::uint64_t number = 0;
    const auto dash = last_event_id.rfind('-');
    auto known = dash != std::string_view::npos && last_event_id.substr(0, dash) == run_;
    if (known) {
        const auto* const end = last_event_id.data() + last_event_id.size();
        const auto parsed = std::from_chars(last_event_id.data() + dash + 1, end, number);
        known = parsed.ec == std::errc{} && parsed.ptr == end && number <= last_ &&
                number + events_.size() >= last_;
    }
    if (!known) {
        first_text = control("reset", last_);
        return last_;
    }
    first_text = control("ready", number);
    return number;
}

std::string EventLog::read(std::uint64_t& position, std::size_t bytes_max) const {
    if (position >= last_) {
        return {};
    }
    if (position + events_.size() < last_) {
        position = last_;
        return control("reset", last_);
    }
    std::string text;
    for (auto at = events_.size() - static_cast<std::size_t>(last_ - position); at < events_.size();
         ++at) {
        if (!text.empty() && text.size() + events_[at].text.size() > bytes_max) {
            break;
        }
        text += events_[at].text;
        position = events_[at].number;
    }
    return text;
}

} // namespace stationsync::host
