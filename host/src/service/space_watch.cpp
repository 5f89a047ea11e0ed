#include "service/space_watch.hpp"

namespace stationsync::host {

namespace {

struct Place {
    const char* id;
    const char* text;
};

// A job that ends well proves room only in its own place.
Place place_of(const core::FetchFinished&) {
    return {"no-space-sync", "The disk of the sync directory is full: changes wait."};
}
Place place_of(const core::ExportFinished&) {
    return {"no-space-export",
            "The disk of the sync directory is full: changes of this station wait."};
}
Place place_of(const core::HistorySaved&) {
    return {"no-space-history", "The disk of the history is full: nothing is replaced meanwhile."};
}
Place place_of(const core::ApplyFinished&) {
    return {"no-space-target", "The disk of the synchronized data is full: changes wait."};
}

} // namespace

void watch_space(const core::Event& event, OperatorMessages& messages, core::WallTime now) {
    const auto look = [&](const auto& ended) {
        if constexpr (requires { place_of(ended); }) {
            const Place place = place_of(ended);
            if (ended.status == core::JobStatus::no_space)
                messages.raise({place.id,
                                core::Severity::error,
                                {},
                                place.text,
                                "Make room there; it goes on by itself."},
                               now);
            else if (ended.status == core::JobStatus::ok)
                messages.clear(place.id, {});
        }
    };
    std::visit(look, event);
}

} // namespace stationsync::host
