#include "stations_mesh.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace stationsync::core::testing {

Node::Node(EngineConfig config, Now now, std::vector<StationRecord> records)
    : context{std::move(config), {}, now, Random(7), {}},
      judge(context),
      stations(context, judge, *this, std::move(records)) {}

StationView Node::view(const StationId& of) const {
    for (StationView& view : stations.views())
        if (view.id == of)
            return std::move(view);
    ADD_FAILURE() << to_text(of) << " is not listed";
    return {};
}

const CheckResult* Node::reason(const StationId& of, std::string_view check) const {
    reasons_ = view(of).reasons;
    const auto place = std::find_if(reasons_.begin(), reasons_.end(),
                                    [&](const CheckResult& entry) { return entry.check == check; });
    return place == reasons_.end() ? nullptr : &*place;
}

std::size_t Node::count(std::string_view action) const {
    return static_cast<std::size_t>(std::count_if(
        log.begin(), log.end(), [&](const Action& entry) { return action_name(entry) == action; }));
}

const StationRecord* Node::stored(const StationId& of) const {
    const auto place = durable.find(of);
    return place == durable.end() ? nullptr : &place->second;
}

Node& Mesh::add(std::uint8_t number, const std::function<void(EngineConfig&)>& change,
                std::vector<StationRecord> records) {
    EngineConfig config;
    config.self = station_id(static_cast<std::uint8_t>(number * 0x11));
    config.run_id = nodes_.size() + 1;
    config.station_name = "S" + std::to_string(number);
    config.project = "Plant";
    config.product_version = "4.2";
    config.addresses = {"h" + std::to_string(number) + ":8883"};
    if (change)
        change(config);
    nodes_.push_back(
        std::make_unique<Node>(std::move(config), Now{instant, wall}, std::move(records)));
    return *nodes_.back();
}

void Mesh::at(Node& node) {
    node.context.now = {instant, wall + node.clock_offset};
}

void Mesh::configure(Node& node, const std::string& address) {
    at(node);
    CandidateFound found;
    found.origin = "static";
    found.handle = address;
    found.addresses = {address};
    node.stations.on(found);
    settle();
}

LinkId Mesh::connect(Node& dialler, Node& listener, std::optional<DialId> dial,
                     const std::string& address) {
    const LinkId link{++last_link_};
    connections_[link] = {&dialler, &listener, false};
    const auto up = [&](Node& node, Node& other, bool dialled) {
        LinkUp event;
        event.link = link;
        event.station = other.id();
        event.run_id = other.context.config.run_id;
        event.name = other.context.config.station_name;
        event.dialled = dialled;
        event.dial = dialled ? dial : std::nullopt;
        event.address = dialled ? address : other.address();
        at(node);
        node.stations.on(event);
    };
    up(listener, dialler, false);
    up(dialler, listener, true);
    return link;
}

void Mesh::dial(Node& node, const Dial& action) {
    const auto fail = [&](DialFailed failed) {
        failed.dial = action.dial;
        at(node);
        node.stations.on(failed);
    };
    if (const auto answer = answers.find(action.address); answer != answers.end())
        return fail(answer->second);
    const auto target = std::find_if(nodes_.begin(), nodes_.end(), [&](const auto& other) {
        return !other->dead && other->address() == action.address;
    });
    if (target == nodes_.end() || unreachable.contains({node.address(), action.address}))
        return fail({{}, "connection timed out (firewall, name or route)", false, false});
    if (target->get() == &node)
        return fail({{}, "it is this station itself", false, true});
    connect(node, **target, action.dial, action.address);
}

void Mesh::drop_link(LinkId id) {
    auto node = connections_.extract(id);
    if (node.empty())
        return;
    for (Node* end : {node.mapped().dialler, node.mapped().listener}) {
        if (end->dead)
            continue;
        at(*end);
        end->stations.on(LinkDown{id, "connection lost"});
    }
}

void Mesh::kill(Node& node, bool peers_notice) {
    node.dead = true;
    std::vector<LinkId> lost;
    for (const auto& [id, connection] : connections_)
        if (connection.dialler == &node || connection.listener == &node)
            lost.push_back(id);
    if (peers_notice)
        for (const LinkId id : lost)
            drop_link(id);
}

void Mesh::probe(Node& node, LinkId link) {
    const auto place = connections_.find(link);
    if (place == connections_.end())
        return;
    if (place->second.dialler->dead || place->second.listener->dead)
        return drop_link(link);
    at(node);
    node.stations.on(LinkAlive{link});
}

void Mesh::deliver(Node& to, LinkId link, const Message& message) {
    if (to.dead || !connections_.contains(link))
        return;
    at(to);
    std::visit(
        [&](const auto& known) {
            if constexpr (requires { to.stations.on_message(link, known); })
                to.stations.on_message(link, known);
        },
        message);
}

void Mesh::carry_out(Node& node, const Action& action) {
    if (const auto* persist = std::get_if<Persist>(&action)) {
        for (const Mutation& mutation : persist->mutations) {
            if (const auto* put = std::get_if<PutStation>(&mutation))
                node.durable[put->record.id] = put->record;
            if (const auto* erase = std::get_if<EraseStation>(&mutation))
                node.durable.erase(erase->id);
        }
        node.context.out.on_persisted(persist->id);
    } else if (const auto* wanted = std::get_if<Dial>(&action)) {
        dial(node, *wanted);
    } else if (const auto* close = std::get_if<CloseLink>(&action)) {
        drop_link(close->link);
    } else if (const auto* alive = std::get_if<ProbeLink>(&action)) {
        probe(node, alive->link);
    } else if (const auto* send = std::get_if<SendMessage>(&action)) {
        const auto place = connections_.find(send->link);
        if (place == connections_.end())
            return;
        Node* to = place->second.dialler == &node ? place->second.listener : place->second.dialler;
        deliver(*to, send->link, send->message);
    } else if (const auto* tokens = std::get_if<JudgeTokens>(&action)) {
        const std::optional<TokenVerdict> verdict = node.plugin(*tokens);
        if (!verdict)
            return;
        at(node);
        std::string const provider =
            node.judge.on(TokensJudged{tokens->job, verdict->compatible, verdict->text});
        node.stations.on_tokens_judged(provider);
    }
}

void Mesh::settle() {
    do {
        for (const auto& node : nodes_) {
            node->context.out.seal_batch();
            for (Action& action : node->context.out.take()) {
                if (node->dead)
                    continue;
                node->log.push_back(action);
                pending_.push_back([this, where = node.get(), what = std::move(action)] {
                    carry_out(*where, what);
                });
            }
        }
        std::deque<std::function<void()>> now = std::move(pending_);
        pending_.clear();
        for (const auto& work : now)
            work();
        if (now.empty())
            return;
    } while (true);
}

void Mesh::measure() {
    std::vector<LinkId> ids;
    for (const auto& [id, connection] : connections_)
        ids.push_back(id);
    for (const LinkId id : ids) {
        const auto place = connections_.find(id);
        if (place == connections_.end())
            continue;
        const Connection connection = place->second;
        for (Node* end : {connection.dialler, connection.listener}) {
            Node* other = end == connection.dialler ? connection.listener : connection.dialler;
            if (end->dead || other->dead || !connections_.contains(id))
                continue;
            at(*end);
            const Duration offset = other->clock_offset - end->clock_offset;
            end->stations.on(ClockMeasured{id, offset, std::chrono::milliseconds(1)});
        }
    }
}

void Mesh::step() {
    for (const auto& node : nodes_) {
        if (node->dead)
            continue;
        at(*node);
        const std::optional<Instant> deadline = node->stations.next_deadline();
        if (deadline && *deadline <= instant)
            node->stations.handle_deadline();
    }
    if (measure_clocks && instant >= next_measure_) {
        next_measure_ = instant + std::chrono::seconds(1);
        measure();
    }
    settle();
}

void Mesh::run(Duration time) {
    const Instant end = instant + time;
    step();
    while (instant < end) {
        Instant next = std::min(end, measure_clocks ? next_measure_ : end);
        for (const auto& node : nodes_)
            if (const std::optional<Instant> deadline = node->stations.next_deadline();
                deadline && !node->dead)
                next = std::min(next, *deadline);
        next = std::max(next, instant + std::chrono::milliseconds(1));
        wall = wall + (next - instant);
        instant = next;
        step();
    }
}

bool Mesh::run_until(const std::function<bool()>& reached, Duration limit) {
    const Instant end = instant + limit;
    step();
    while (!reached()) {
        if (instant >= end)
            return false;
        run(std::chrono::milliseconds(100));
    }
    return true;
}

} // namespace stationsync::core::testing
