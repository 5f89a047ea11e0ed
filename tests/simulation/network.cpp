#include "network.hpp"

#include <algorithm>

namespace stationsync::simulation {

std::size_t Network::add_node(Node node) {
    nodes_.push_back(std::move(node));
    return nodes_.size() - 1;
}

void Network::process_started(std::size_t index, std::uint64_t run_id) {
    Node& node = nodes_[index];
    ++node.epoch;
    node.run_id = run_id;
    node.listening = true;
}

void Network::process_ended(std::size_t index) {
    nodes_[index].listening = false;
    ++nodes_[index].epoch;
    for (auto& [id, link] : links_) {
        if (link.ends[0] != index && link.ends[1] != index) {
            continue;
        }
        link.up[end_of(link, index)] = false;
        link.closing = link.closing || !link.broken;
        link.broken = true;
        std::size_t const other = 1 - end_of(link, index);
        // A dead machine says nothing, a dead process has its connections reset.
        std::int64_t const delay =
            random_.chance(50) ? latency() : random_.between(5 * second, 15 * second);
        scheduler_.after(delay,
                         [this, id = id, other] { take_down(id, other, "connection reset"); });
    }
}

void Network::fail_dial(std::size_t from, core::DialId dial, std::int64_t delay,
                        std::string reason) {
    scheduler_.after(delay,
                     [this, from, dial, reason = std::move(reason), epoch = nodes_[from].epoch] {
                         if (nodes_[from].epoch == epoch) {
                             callbacks_.deliver(from, core::DialFailed{dial, reason, false, false});
                         }
                     });
}

void Network::dial(std::size_t from, core::DialId dial, const std::string& address) {
    auto found = std::find_if(nodes_.begin(), nodes_.end(),
                              [&](const Node& node) { return node.address == address; });
    if (found == nodes_.end()) {
        fail_dial(from, dial, 20 * millisecond, "no route to " + address);
        return;
    }
    const auto to = static_cast<std::size_t>(found - nodes_.begin());
    if (to == from) {
        scheduler_.after(latency(), [this, from, dial, epoch = nodes_[from].epoch] {
            if (nodes_[from].epoch == epoch) {
                callbacks_.deliver(from,
                                   core::DialFailed{dial, "this is our own address", false, true});
            }
        });
    } else if (is_cut(from, to) || is_cut(to, from) || refused_.contains({from, to})) {
        fail_dial(from, dial, random_.between(second, 5 * second),
                  "no answer: firewall, or station off");
    } else if (!found->listening) {
        fail_dial(from, dial, 2 * latency(), "connection refused: no service there");
    } else {
        establish(from, to, dial);
    }
}

void Network::establish(std::size_t from, std::size_t to, core::DialId dial) {
    core::LinkId const id{++last_link_};
    Link link{{from, to}, {nodes_[from].epoch, nodes_[to].epoch}};
    std::int64_t const at_listener = scheduler_.now() + 2 * latency();
    std::int64_t const at_dialler = at_listener + latency();
    link.last_delivery[0] = at_dialler;
    link.last_delivery[1] = at_listener;
    links_.emplace(id, link);
    scheduler_.at(at_listener, [this, id, dial] { bring_up(id, 1, dial); });
    scheduler_.at(at_dialler, [this, id, dial, from, epoch = nodes_[from].epoch] {
        if (links_.contains(id)) {
            bring_up(id, 0, dial);
            measure(id);
        } else if (nodes_[from].epoch == epoch) {
            callbacks_.deliver(from, core::DialFailed{dial, "closed by the peer", false, false});
        }
    });
}

void Network::bring_up(core::LinkId id, std::size_t end, core::DialId dial) {
    auto found = links_.find(id);
    if (found == links_.end()) {
        return;
    }
    Link& link = found->second;
    std::size_t const node = link.ends[end];
    std::size_t const peer = link.ends[1 - end];
    if (nodes_[node].epoch != link.epochs[end]) {
        return;
    }
    if (nodes_[peer].epoch != link.epochs[1 - end] || link.broken || is_cut(peer, node)) {
        if (end == 0) {
            fail_dial(node, dial, millisecond, "the connection broke while it was made");
        }
        return;
    }
    link.up[end] = true;
    core::LinkUp event;
    event.link = id;
    event.station = nodes_[peer].id;
    event.run_id = nodes_[peer].run_id;
    event.name = nodes_[peer].name;
    event.dialled = end == 0;
    if (end == 0) {
        event.dial = dial;
    }
    event.address = nodes_[peer].address;
    callbacks_.deliver(node, std::move(event));
}

void Network::take_down(core::LinkId id, std::size_t end, const std::string& reason) {
    auto found = links_.find(id);
    if (found == links_.end()) {
        return;
    }
    Link& link = found->second;
    link.broken = true;
    const bool was_up = std::exchange(link.up[end], false);
    std::size_t const node = link.ends[end];
    const bool alive = nodes_[node].epoch == link.epochs[end];
    if (!link.up[0] && !link.up[1]) {
        links_.erase(found);
    }
    if (was_up && alive) {
        callbacks_.deliver(node, core::LinkDown{id, reason});
    }
}

void Network::send(std::size_t from, core::LinkId id, core::Message message) {
    auto found = links_.find(id);
    if (found == links_.end() || !found->second.up[end_of(found->second, from)]) {
        return; // the engine has not heard yet that the link is down
    }
    Link& link = found->second;
    std::size_t const to = 1 - end_of(link, from);
    if (link.broken || is_cut(from, link.ends[to])) {
        return;
    }
    if (loss_percent_ != 0 && random_.below(1000) < loss_percent_) {
        ++trace_.coverage.faults["message lost, link broken"];
        doom(id); // a stream does not lose from its middle: what is lost ends it
        return;
    }
    if (unruly_ && random_.below(100) < 2) {
        ++trace_.coverage.faults["message duplicated"];
        deliver_later(id, to, message);
    }
    deliver_later(id, to, std::move(message));
}

void Network::deliver_later(core::LinkId id, std::size_t end, core::Message message) {
    Link& link = links_.at(id);
    std::int64_t at = scheduler_.now() + latency();
    if (unruly_ && random_.below(100) < 2) {
        ++trace_.coverage.faults["message reordered"];
        at += random_.between(0, 200 * millisecond);
    } else {
        at = std::max(at, link.last_delivery[end]);
        link.last_delivery[end] = at;
    }
    scheduler_.at(at, [this, id, end, message = std::move(message)]() mutable {
        deliver(id, end, std::move(message));
    });
}

void Network::deliver(core::LinkId id, std::size_t end, core::Message message) {
    auto found = links_.find(id);
    if (found == links_.end()) {
        return;
    }
    const Link& link = found->second;
    std::size_t const node = link.ends[end];
    if (!link.up[end] || nodes_[node].epoch != link.epochs[end] || (link.broken && !link.closing) ||
        is_cut(link.ends[1 - end], node)) {
        return;
    }
    callbacks_.deliver(node, core::MessageReceived{id, std::move(message)});
}

void Network::close(std::size_t from, core::LinkId id, const std::string& reason) {
    auto found = links_.find(id);
    if (found == links_.end()) {
        return;
    }
    Link& link = found->second;
    std::size_t const end = end_of(link, from);
    link.closing = link.closing || !link.broken; // what was sent before the close still arrives
    link.broken = true;
    scheduler_.after(1, [this, id, end, reason] { take_down(id, end, reason); });
    std::int64_t const at = std::max(scheduler_.now() + latency(), link.last_delivery[1 - end]) + 1;
    scheduler_.at(at, [this, id, end] { take_down(id, 1 - end, "closed by the peer"); });
}

void Network::probe(std::size_t from, core::LinkId id) {
    auto found = links_.find(id);
    if (found == links_.end()) {
        return;
    }
    std::size_t const end = end_of(found->second, from);
    if (found->second.broken) {
        scheduler_.after(3 * second,
                         [this, id, end] { take_down(id, end, "no answer to a probe"); });
        return;
    }
    scheduler_.after(2 * latency(), [this, id, end] {
        auto still = links_.find(id);
        if (still != links_.end() && still->second.up[end] && !still->second.broken) {
            callbacks_.deliver(still->second.ends[end], core::LinkAlive{id});
        } else {
            scheduler_.after(3 * second,
                             [this, id, end] { take_down(id, end, "no answer to a probe"); });
        }
    });
}

void Network::doom(core::LinkId id) {
    Link& link = links_.at(id);
    if (link.broken) {
        return;
    }
    link.broken = true;
    for (std::size_t end = 0; end < 2; ++end) {
        scheduler_.after(random_.between(5 * second, 15 * second),
                         [this, id, end] { take_down(id, end, "no answer for 15 s"); });
    }
}

void Network::cut(std::size_t from, std::size_t to) {
    cut_.insert({from, to});
    for (auto& [id, link] : links_) {
        if ((link.ends[0] == from && link.ends[1] == to) ||
            (link.ends[0] == to && link.ends[1] == from)) {
            doom(id);
        }
    }
}

void Network::mend(std::size_t from, std::size_t to) {
    cut_.erase({from, to});
}

void Network::mend_all() {
    cut_.clear();
    refused_.clear();
    loss_percent_ = 0;
    unruly_ = false;
}

bool Network::break_any_link() {
    if (links_.empty()) {
        return false;
    }
    auto chosen = links_.begin();
    std::advance(chosen, static_cast<std::ptrdiff_t>(random_.below(links_.size())));
    doom(chosen->first);
    return true;
}

bool Network::linked(std::size_t a, std::size_t b) const {
    return std::any_of(links_.begin(), links_.end(), [&](const auto& entry) {
        Link const& link = entry.second;
        return !link.broken && link.up[0] && link.up[1] &&
               ((link.ends[0] == a && link.ends[1] == b) ||
                (link.ends[0] == b && link.ends[1] == a));
    });
}

std::optional<core::LinkId> Network::newest_link(std::size_t a, std::size_t b) const {
    std::optional<core::LinkId> newest;
    for (const auto& [id, link] : links_) {
        const bool between =
            (link.ends[0] == a && link.ends[1] == b) || (link.ends[0] == b && link.ends[1] == a);
        if (between && !link.broken && link.up[0] && link.up[1]) {
            newest = id;
        }
    }
    return newest;
}

std::size_t Network::peer_of(core::LinkId id, std::size_t node) const {
    auto found = links_.find(id);
    if (found == links_.end()) {
        return nodes_.size();
    }
    return found->second.ends[1 - end_of(found->second, node)];
}

void Network::measure(core::LinkId id) {
    auto found = links_.find(id);
    if (found == links_.end() || found->second.broken) {
        return;
    }
    const Link link = found->second;
    for (std::size_t end = 0; end < 2; ++end) {
        if (!link.up[end] || nodes_[link.ends[end]].epoch != link.epochs[end]) {
            continue;
        }
        std::int64_t const half_trip = latency();
        std::int64_t const offset = callbacks_.wall_us(link.ends[1 - end]) -
                                    callbacks_.wall_us(link.ends[end]) +
                                    random_.between(-half_trip / 4, half_trip / 4);
        callbacks_.deliver(link.ends[end], core::ClockMeasured{id, core::Duration{offset},
                                                               core::Duration{half_trip}});
    }
    scheduler_.after(measure_interval_ + random_.between(0, second), [this, id] { measure(id); });
}

} // namespace stationsync::simulation
