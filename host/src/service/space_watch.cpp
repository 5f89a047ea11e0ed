#include "service/space_watch.hpp"

namespace stationsync::host {

namespace {

// A job that ends well proves room only in its own place.
const char* place_of(const core::FetchFinished&) {
    return "no-space-sync";
}
const char* place_of(const core::ExportFinished&) {
    return "no-space-export";
}
const char* place_of(const core::HistorySaved&) {
    return "no-space-history";
}
const char* place_of(const core::ApplyFinished&) {
    return "no-space-target";
}

} // namespace

void watch_space(const core::Event& event, OperatorMessages& messages, core::WallTime now) {
    const auto look = [&](const auto& ended) {
        if constexpr (requires { place_of(ended); }) {
            const char* const place = place_of(ended);
            if (ended.status == core::JobStatus::no_space)
                messages.raise(core::make_message(place, {}), now);
            else if (ended.status == core::JobStatus::ok)
                messages.clear(place, {});
        }
    };
    std::visit(look, event);
}

} // namespace stationsync::host
