// Links come and go; one station id alive in two processes is a cloned disk.
#include "stations_impl.hpp"

#include <algorithm>

namespace stationsync::core {

namespace {

constexpr char clone_message[] = "station-clone";

// Which process of a station a link belongs to.
std::uint64_t run_key(std::uint64_t run_id) {
    return mutant(Mutant::clones_accepted) ? 0 : run_id;
}

} // namespace

std::vector<const Link*> Stations::Impl::active_links(const Peer& peer) const {
    std::vector<const Link*> active;
    for (const LinkId id : peer.links)
        if (const Link& link = links.at(id); peer.active == link.run_id)
            active.push_back(&link);
    return active;
}

std::optional<LinkId> Stations::Impl::preferred_link(const Peer& peer) const {
    const bool we_dial = context.config.self < peer.id;
    const Link* best = nullptr;
    const auto worth = [we_dial](const Link& link) {
        return (link.probing ? 0 : 2) + (link.dialled == we_dial ? 1 : 0);
    };
    for (const Link* link : active_links(peer))
        if (best == nullptr || worth(*link) > worth(*best))
            best = link;
    return best == nullptr ? std::nullopt : std::optional(best->id);
}

bool Stations::Impl::has_link(const Peer& peer, bool dialled) const {
    return std::any_of(peer.links.begin(), peer.links.end(),
                       [&](LinkId id) { return links.at(id).dialled == dialled; });
}

void Stations::Impl::update_served(const Peer& peer) {
    const bool blocked = peer.record && peer.record->blocked;
    dialling.set_served(peer.id, blocked || has_link(peer, true));
}

void Stations::Impl::refuse(const LinkUp& event, std::string reason) {
    context.out.now(CloseLink{event.link, std::move(reason)});
    if (event.dial)
        dialling.link_lost(dialling.linked(*event.dial, event.station), false);
}

void Stations::Impl::link_up(const LinkUp& event) {
    if (event.station == context.config.self) {
        own_clone_up(event);
        return;
    }
    Peer& peer = get(event.station);
    if (peer.record && peer.record->blocked) {
        refuse(event, "this station is blocked by \"" + name_of(peer.record->blocked_by) + '"');
        return;
    }
    Link& link = links[event.link];
    link.id = event.link;
    link.station = event.station;
    link.run_id = run_key(event.run_id);
    link.dialled = event.dialled;
    link.peer_address = event.address;
    link.up_at = context.instant();
    if (event.dial)
        link.dialled_address = dialling.linked(*event.dial, event.station);
    peer.links.push_back(event.link);
    if (!peer.linked_since) {
        peer.linked_since = context.instant();
        timers.set({TimerKind::direction, peer.id, {}}, context.instant() + direction_grace);
    }
    begin_run(peer, link);
    remember_run(peer, event.name);
    clear_wrong_key(link.dialled_address);
    std::string const host(bare_host_of(event.address));
    clear_wrong_key(host);
    if (!event.dialled)
        refused.erase(host);
    update_served(peer);
    if (!has_link(peer, true))
        dialling.hurry(peer.id);
    timers.set({TimerKind::profile, peer.id, link.id}, context.instant() + profile_wait_max);
    handle_duplicates(peer, link);
    greet(peer, link);
    changed(peer);
    judge(peer);
}

// Everything that the peer needs to judge us, before anything else on this link.
void Stations::Impl::greet(Peer& peer, const Link& link) {
    context.out.now(SendMessage{link.id, own});
    if (peer.active != link.run_id && !peer.cloned)
        return;
    if (peer.offset_sent)
        context.out.now(SendMessage{link.id, TimeReport{*peer.offset_sent, link.uncertainty}});
    if (peer.verdicts_sent)
        context.out.now(SendMessage{link.id, *peer.verdicts_sent});
}

void Stations::Impl::own_clone_up(const LinkUp& event) {
    if (event.run_id == context.config.run_id) {
        refuse(event, "this is our own address");
        return;
    }
    Link& link = links[event.link];
    link.id = event.link;
    link.station = event.station;
    link.run_id = event.run_id;
    link.dialled = event.dialled;
    link.peer_address = event.address;
    link.up_at = context.instant();
    if (event.dial)
        link.dialled_address = dialling.linked(*event.dial, event.station);
    context.out.now(SendMessage{link.id, own});
    if (mutant(Mutant::clones_accepted))
        return;
    own_clones.insert(event.link);
    context.out.now(make_message(clone_message, to_text(event.station),
                                 {{"station", context.config.station_name}}));
    judge_all();
}

bool Stations::Impl::is_newest_run(const Peer& peer, std::uint64_t run_id) const {
    std::uint64_t const order = peer.runs.at(run_id).order;
    return std::all_of(peer.runs.begin(), peer.runs.end(),
                       [order](const auto& run) { return run.second.order <= order; });
}

void Stations::Impl::begin_run(Peer& peer, Link& link) {
    const auto [run, added] = peer.runs.try_emplace(link.run_id);
    if (added)
        run->second.order = ++peer.runs_seen;
    if (!peer.active) {
        peer.active = link.run_id;
        return;
    }
    // Restarted, then the links of the older run are dead and will be found so; or alive twice.
    if (!added && !is_newest_run(peer, link.run_id))
        probe(link);
    if (!added)
        return;
    for (const LinkId id : peer.links)
        if (Link& other = links.at(id); other.run_id != link.run_id)
            probe(other);
}

// While a station runs twice, name and addresses may be those of a copy of its disk: what counts is
// what its only run says. `name` is what a new link gave, empty when there is none.
void Stations::Impl::remember_run(Peer& peer, const std::string& name) {
    if (peer.runs.size() != 1)
        return;
    const std::optional<Profile>& profile = peer.runs.begin()->second.profile;
    std::vector<std::string> reached;
    std::vector<std::string> hints;
    for (const LinkId id : peer.links) {
        const Link& link = links.at(id);
        if (!link.dialled_address.empty())
            reached.push_back(link.dialled_address);
        if (!profile)
            continue;
        for (std::string& hint : reachable_addresses(profile->addresses, link.peer_address))
            hints.push_back(std::move(hint));
    }
    remember(peer, profile ? profile->station_name : name, reached, true);
    remember(peer, {}, hints, false);
}

void Stations::Impl::probe(Link& link) {
    if (link.probing)
        return;
    link.probing = true;
    context.out.now(ProbeLink{link.id});
}

void Stations::Impl::handle_duplicates(Peer& peer, const Link& added) {
    std::size_t accepted = 0;
    LinkId oldest_accepted{};
    for (const LinkId id : peer.links) {
        Link& link = links.at(id);
        if (!link.dialled && accepted++ == 0)
            oldest_accepted = id;
        if (link.id != added.id && link.dialled == added.dialled && link.run_id == added.run_id)
            probe(link);
    }
    if (accepted > accepted_links_max)
        close(oldest_accepted, "too many links of this station");
}

void Stations::Impl::link_alive(LinkId id) {
    Link* link = find_link(id);
    if (link == nullptr || !link->probing)
        return;
    link->probing = false;
    Peer* peer = find(link->station);
    if (peer == nullptr)
        return;
    if (peer->runs.size() > 1 && !is_newest_run(*peer, link->run_id)) {
        raise_clone(*peer);
        return;
    }
    if (!link->dialled)
        return;
    close_superfluous(*peer, link->run_id);
}

// Of several good links that we dialled one stays. Only the side that dialled decides, so that the
// two sides never close different ones.
void Stations::Impl::close_superfluous(Peer& peer, std::uint64_t run_id) {
    std::vector<LinkId> good;
    for (const LinkId id : peer.links)
        if (const Link& link = links.at(id); link.dialled && !link.probing && link.run_id == run_id)
            good.push_back(id);
    if (good.empty())
        return;
    const bool session =
        peer.open && std::find(good.begin(), good.end(), peer.session_link) != good.end();
    const LinkId kept = session ? peer.session_link : good.front();
    for (const LinkId id : good)
        if (id != kept)
            close(id, "another link to this station stands");
}

void Stations::Impl::raise_clone(Peer& peer) {
    if (peer.cloned)
        return;
    peer.cloned = true;
    end_session(peer);
    context.out.now(make_message(clone_message, to_text(peer.id), {{"station", name_of(peer.id)}}));
    timers.set({TimerKind::rejudge, peer.id, {}}, context.instant() + rejudge_interval);
    judge(peer);
}

// While cloned: is it still so?
void Stations::Impl::update_clone(Peer& peer) {
    if (!peer.cloned)
        return;
    for (const LinkId id : peer.links)
        probe(links.at(id));
    timers.set({TimerKind::rejudge, peer.id, {}}, context.instant() + rejudge_interval);
}

void Stations::Impl::close(LinkId id, std::string reason) {
    context.out.now(CloseLink{id, std::move(reason)});
    link_down(id);
}

void Stations::Impl::close_all(Peer& peer, const std::string& reason) {
    while (!peer.links.empty())
        close(peer.links.back(), reason);
}

void Stations::Impl::end_session(Peer& peer) {
    peer.open = false;
    peer.open_providers.clear();
    changed(peer);
}

// Takes the link out of all books but those of its run.
std::optional<Link> Stations::Impl::remove_link(LinkId id) {
    auto node = links.extract(id);
    if (node.empty())
        return std::nullopt; // closed by us
    Link& link = node.mapped();
    timers.cancel({TimerKind::profile, link.station, id});
    const bool lasted = context.instant() - link.up_at >= lasting_link;
    if (!link.dialled_address.empty())
        dialling.link_lost(link.dialled_address, lasted);
    if (Peer* peer = find(link.station); peer != nullptr) {
        std::erase(peer->links, id);
        update_served(*peer);
        changed(*peer);
    }
    return std::move(link);
}

void Stations::Impl::link_down(LinkId id) {
    const std::optional<Link> link = remove_link(id);
    if (!link)
        return;
    Peer* peer = find(link->station);
    if (peer == nullptr) {
        if (own_clones.erase(id) != 0 && own_clones.empty()) {
            context.out.now(ClearMessage{clone_message, to_text(link->station)});
            judge_all();
        }
        return;
    }
    if (peer->open && peer->session_link == id) {
        // What was under way on this link is lost: both sides begin anew.
        end_session(*peer);
        std::vector<LinkId> rest;
        for (const Link* other : active_links(*peer))
            rest.push_back(other->id);
        for (const LinkId other : rest) {
            context.out.now(CloseLink{other, "the other link of the pair was lost"});
            remove_link(other);
        }
    }
    settle_runs(*peer);
    if (peer->links.empty()) {
        peer->linked_since.reset();
        timers.cancel({TimerKind::direction, peer->id, {}});
        note_last_seen(*peer);
    }
    judge(*peer);
}

// Forgets the runs that have no link left; the one that remains is who we talk to.
void Stations::Impl::settle_runs(Peer& peer) {
    const std::size_t gone = std::erase_if(peer.runs, [&](const auto& run) {
        return std::none_of(peer.links.begin(), peer.links.end(),
                            [&](LinkId id) { return links.at(id).run_id == run.first; });
    });
    if (gone != 0)
        remember_run(peer, {});
    if (peer.active && !peer.runs.contains(*peer.active))
        end_run(peer);
    if (peer.cloned && peer.runs.size() <= 1) {
        peer.cloned = false;
        context.out.now(ClearMessage{clone_message, to_text(peer.id)});
        // Nothing that was exchanged before the copy appeared is taken for granted.
        if (peer.active)
            end_run(peer);
    }
    if (!peer.active && peer.runs.size() == 1)
        peer.active = peer.runs.begin()->first;
}

void Stations::Impl::end_run(Peer& peer) {
    end_session(peer);
    peer.active.reset();
    peer.clock.forget_measurements();
    peer.verdicts_sent.reset();
    peer.offset_sent.reset();
    peer.verdict_overdue = false;
    timers.cancel({TimerKind::verdict, peer.id, {}});
}

} // namespace stationsync::core
