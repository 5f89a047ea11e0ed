// What the object half asks of the station half.
#include "stations_impl.hpp"

namespace stationsync::core {

std::optional<StationId> Stations::station_of(LinkId link) const {
    const Link* found = impl_->find_link(link);
    if (found == nullptr || impl_->own_clones.contains(link))
        return std::nullopt;
    const Peer* peer = impl_->find(found->station);
    if (peer == nullptr || peer->cloned || peer->active != found->run_id)
        return std::nullopt;
    return found->station;
}

bool Stations::is_open(const StationId& id) const {
    const Peer* peer = impl_->find(id);
    return peer != nullptr && peer->open;
}

bool Stations::provider_open(const StationId& id, std::string_view provider) const {
    const Peer* peer = impl_->find(id);
    return peer != nullptr && peer->open && peer->open_providers.contains(std::string(provider));
}

bool Stations::peer_established(const StationId& id, std::string_view provider) const {
    const Peer* peer = impl_->find(id);
    if (peer == nullptr || !peer->active)
        return false;
    const std::optional<Profile>& profile = peer->runs.at(*peer->active).profile;
    const ProviderProfile* found = profile ? find_provider(*profile, provider) : nullptr;
    return found != nullptr && found->established;
}

std::optional<LinkId> Stations::control_link(const StationId& id) const {
    const Peer* peer = impl_->find(id);
    if (peer == nullptr)
        return std::nullopt;
    return peer->open ? std::optional(peer->session_link) : impl_->preferred_link(*peer);
}

std::vector<StationId> Stations::open_peers() const {
    std::vector<StationId> open;
    for (const auto& [id, peer] : impl_->peers)
        if (peer.open)
            open.push_back(id);
    return open;
}

std::string Stations::name_of(const StationId& id) const {
    return impl_->name_of(id);
}

bool Stations::is_blocked(const StationId& id) const {
    const Peer* peer = impl_->find(id);
    return peer != nullptr && peer->record && peer->record->blocked;
}

Duration Stations::clock_error_bound() const {
    std::optional<Duration> largest;
    for (const auto& [id, peer] : impl_->peers) {
        const std::optional<Duration> difference = peer.clock.difference();
        if (peer.open && difference)
            largest = std::max(largest.value_or(Duration{}), std::chrono::abs(*difference));
    }
    return largest.value_or(impl_->context.config.limits.clock_difference_max);
}

bool Stations::clock_agrees() const {
    for (const auto& [id, peer] : impl_->peers)
        if (peer.active && !peer.cloned && peer.clock.passed())
            return true;
    return false;
}

StationRecord* Stations::record(const StationId& id) {
    Peer* peer = impl_->find(id);
    return peer == nullptr || !peer->record ? nullptr : &*peer->record;
}

void Stations::store(const StationId& id) {
    if (const Peer* peer = impl_->find(id); peer != nullptr && peer->record)
        impl_->store(*peer);
}

} // namespace stationsync::core
