#include "stations_impl.hpp"

#include <algorithm>

namespace stationsync::core {

Stations::Impl::Impl(Context& shared, TokenJudge& tokens, StationsListener& told,
                     std::vector<StationRecord> records)
    : context(shared), token_judge(tokens), listener(told), dialling(shared) {
    const EngineConfig& config = context.config;
    own.station = config.self;
    own.run_id = config.run_id;
    own.station_name = config.station_name;
    own.project = config.project;
    own.product_version = config.product_version;
    own.protocol_major = config.protocol.major;
    own.protocol_minor = config.protocol.minor;
    own.on_provider_mismatch = config.on_provider_mismatch;
    set_own_addresses();
    dialling.set_served(config.self, true);
    for (StationRecord& record : records) {
        if (record.id == config.self)
            continue;
        Peer& peer = get(record.id);
        peer.record = std::move(record);
        update_served(peer);
        claim_record(peer);
    }
    timers.set({TimerKind::sweep, {}, {}}, context.instant() + sweep_interval);
}

// As many as a message may hold; a computer with more interfaces is reached at the first ones.
void Stations::Impl::set_own_addresses() {
    own.addresses = context.config.addresses;
    if (own.addresses.size() > own_addresses_max)
        own.addresses.resize(own_addresses_max);
}

Peer* Stations::Impl::find(const StationId& id) {
    const auto place = peers.find(id);
    return place == peers.end() ? nullptr : &place->second;
}

const Peer* Stations::Impl::find(const StationId& id) const {
    const auto place = peers.find(id);
    return place == peers.end() ? nullptr : &place->second;
}

Link* Stations::Impl::find_link(LinkId id) {
    const auto place = links.find(id);
    return place == links.end() ? nullptr : &place->second;
}

Peer& Stations::Impl::get(const StationId& id) {
    Peer& peer = peers[id];
    peer.id = id;
    return peer;
}

void Stations::Impl::send(const Peer& peer, const Message& message) {
    for (const Link* link : active_links(peer))
        context.out.now(SendMessage{link->id, message});
}

std::string Stations::Impl::name_of(const StationId& id) const {
    if (id == context.config.self)
        return context.config.station_name;
    const Peer* peer = find(id);
    if (peer != nullptr && peer->record && !peer->record->name.empty())
        return peer->record->name;
    return to_text(id);
}

void Stations::Impl::finish() {
    if (own_changed) {
        own_changed = false;
        refresh_profile();
    }
    dialling.pump();
    if (telling)
        return; // the outer call goes on with what this one added
    telling = true;
    while (!dirty.empty()) {
        const StationId id = *dirty.begin();
        dirty.erase(dirty.begin());
        tell(id);
    }
    telling = false;
    dialling.pump();
}

void Stations::Impl::tell(const StationId& id) {
    context.out.now(StationChanged{id});
    Peer* peer = find(id);
    if (peer == nullptr)
        return;
    if (peer->told_open && (!peer->open || peer->session != peer->told_session)) {
        peer->told_open = false;
        peer->told_providers.clear();
        context.out.forget_exchange(peer->told_link);
        listener.peer_closed(id);
        peer = find(id);
    }
    if (peer != nullptr && peer->open && !peer->told_open) {
        peer->told_open = true;
        peer->told_session = peer->session;
        peer->told_link = peer->session_link;
        peer->told_providers = peer->open_providers;
        send_block_list(*peer);
        introduce_all(*peer);
        listener.peer_opened(id);
        peer = find(id);
    }
    if (peer != nullptr && peer->told_open && peer->open &&
        peer->told_providers != peer->open_providers) {
        peer->told_providers = peer->open_providers;
        listener.peer_providers_changed(id);
        peer = find(id);
    }
    if (peer != nullptr && !peer->record && peer->links.empty() && !peer->told_open)
        peers.erase(id);
}

void Stations::Impl::handle_deadline() {
    while (const std::optional<TimerKey> key = timers.take_due(context.instant()))
        on_timer(*key);
}

void Stations::Impl::on_timer(const TimerKey& key) {
    Peer* peer = find(key.station);
    switch (key.kind) {
    case TimerKind::profile:
        if (find_link(key.link) != nullptr)
            close(key.link, "it sent no profile within 30 s");
        break;
    case TimerKind::verdict:
        if (peer != nullptr) {
            peer->verdict_overdue = true;
            judge(*peer);
        }
        break;
    case TimerKind::rejudge:
        if (peer != nullptr) {
            update_clone(*peer);
            judge(*peer);
        }
        break;
    case TimerKind::direction:
        if (peer != nullptr)
            changed(*peer);
        break;
    case TimerKind::introduce:
        introduce_changes();
        break;
    case TimerKind::refusals:
        forget_refusals();
        break;
    case TimerKind::sweep:
        sweep();
        break;
    }
}

std::optional<Instant> Stations::Impl::next_deadline() const {
    const std::optional<Instant> dial = dialling.next_deadline();
    const std::optional<Instant> timer = timers.next();
    if (dial && timer)
        return std::min(*dial, *timer);
    return dial ? dial : timer;
}

Stations::Stations(Context& context, TokenJudge& judge, StationsListener& listener,
                   std::vector<StationRecord> records)
    : impl_(std::make_unique<Impl>(context, judge, listener, std::move(records))) {}

Stations::~Stations() = default;

void Stations::on(const CandidateFound& event) {
    impl_->candidate_found(event);
    impl_->finish();
}

void Stations::on(const CandidateLost& event) {
    impl_->candidate_lost(event);
    impl_->finish();
}

void Stations::on(const LinkUp& event) {
    impl_->link_up(event);
    impl_->finish();
}

void Stations::on(const LinkDown& event) {
    impl_->link_down(event.link);
    impl_->finish();
}

void Stations::on(const DialFailed& event) {
    impl_->dial_failed(event);
    impl_->finish();
}

void Stations::on(const IncomingRefused& event) {
    impl_->incoming_refused(event);
    impl_->finish();
}

void Stations::on(const LinkAlive& event) {
    impl_->link_alive(event.link);
    impl_->finish();
}

void Stations::on(const ClockMeasured& event) {
    impl_->clock_measured(event);
    impl_->finish();
}

void Stations::on(const ProfileChanged& event) {
    EngineConfig& config = impl_->context.config;
    config.station_name = event.station_name;
    config.product_version = event.product_version;
    config.on_provider_mismatch = event.on_provider_mismatch;
    if (config.addresses != event.addresses) {
        config.addresses = event.addresses;
        impl_->dialling.own_addresses_changed();
    }
    impl_->own.station_name = event.station_name;
    impl_->own.product_version = event.product_version;
    impl_->own.on_provider_mismatch = event.on_provider_mismatch;
    impl_->set_own_addresses();
    impl_->own_changed = true;
    impl_->finish();
}

void Stations::on(const BlockRequested& event) {
    impl_->block_requested(event);
    impl_->finish();
}

void Stations::on(const ForgetRequested& event) {
    impl_->forget_requested(event);
    impl_->finish();
}

void Stations::on_tokens_judged(const std::string& provider) {
    for (auto& [id, peer] : impl_->peers) {
        if (!peer.active)
            continue;
        const std::optional<Profile>& profile = peer.runs.at(*peer.active).profile;
        if (profile && find_provider(*profile, provider) != nullptr)
            impl_->judge(peer);
    }
    impl_->finish();
}

void Stations::on_message(LinkId link, const Profile& message) {
    impl_->on_profile(link, message);
    impl_->finish();
}

void Stations::on_message(LinkId id, const Verdicts& message) {
    Link* link = nullptr;
    Told* const told = impl_->told_on(id, link);
    if (told != nullptr && (!told->verdicts || told->verdicts->number <= message.number)) {
        told->verdicts = message;
        for (TokenVerdict& verdict : told->verdicts->verdicts)
            verdict.text = shown_text(verdict.text);
        impl_->judge(*impl_->find(link->station));
    }
    impl_->finish();
}

void Stations::on_message(LinkId id, const TimeReport& message) {
    Link* link = nullptr;
    if (Told* told = impl_->told_on(id, link); told != nullptr) {
        told->time_offset = message.offset;
        impl_->judge(*impl_->find(link->station));
    }
    impl_->finish();
}

void Stations::on_message(LinkId link, const Introductions& message) {
    impl_->on_introductions(link, message);
    impl_->finish();
}

void Stations::on_message(LinkId link, const BlockList& message) {
    impl_->on_block_list(link, message);
    impl_->finish();
}

void Stations::set_provider(ProviderProfile profile) {
    std::sort(profile.tokens.begin(), profile.tokens.end());
    std::vector<ProviderProfile>& providers = impl_->own.providers;
    const auto place = std::lower_bound(
        providers.begin(), providers.end(), profile.name,
        [](const ProviderProfile& entry, const std::string& name) { return entry.name < name; });
    if (place == providers.end() || place->name != profile.name) {
        providers.insert(place, std::move(profile));
    } else if (*place != profile) {
        *place = std::move(profile);
    } else {
        return;
    }
    impl_->own_changed = true;
    impl_->finish();
}

void Stations::remove_provider(const std::string& name) {
    const auto removed = std::erase_if(
        impl_->own.providers, [&](const ProviderProfile& entry) { return entry.name == name; });
    if (removed == 0)
        return;
    impl_->own_changed = true;
    impl_->finish();
}

void Stations::handle_deadline() {
    impl_->handle_deadline();
    impl_->finish();
}

std::optional<Instant> Stations::next_deadline() const {
    return impl_->next_deadline();
}

std::vector<StationView> Stations::views() const {
    return impl_->views();
}

} // namespace stationsync::core
