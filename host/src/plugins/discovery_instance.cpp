#include "plugins/discovery_instance.hpp"

#include "base/clock.hpp"
#include "base/log.hpp"
#include "plugins/operation.hpp"

#include <algorithm>
#include <mutex>

namespace stationsync::host {

struct DiscoveryInstance::State : std::enable_shared_from_this<State> {
    const PluginKind& kind;
    HostServices services;
    FoundPeer self; // guarded by `running`
    std::shared_ptr<WorkerPool> workers;
    WorkerPool::Poster post;
    DiscoveryEvents events;                         // engine thread
    bool alive = true;                              // engine thread
    std::map<std::string, std::int64_t> expires_us; // engine thread
    std::set<std::string> handles;                  // engine thread
    std::string plugin_note;                        // engine thread
    std::string call_trouble;                       // engine thread
    const stsync_instance* instance = nullptr;
    const stsync_discovery_v1* table = nullptr;
    stsync_discovery_sink sink{};
    bool started = false;
    bool ended = false; // stop came before start
    std::mutex running; // start and stop run on workers and never side by side

    State(const PluginKind& plugin, InstanceSettings settings, FoundPeer own,
          std::shared_ptr<WorkerPool> threads, WorkerPool::Poster poster,
          DiscoveryEvents sink_events)
        : kind(plugin),
          services(std::move(settings)),
          self(std::move(own)),
          workers(std::move(threads)),
          post(std::move(poster)),
          events(std::move(sink_events)) {}

    // What the plugin says of its search, and what is wrong with a call of ours.
    void note(std::string text) { tell(&State::plugin_note, std::move(text)); }
    void tell_trouble(std::string text) { tell(&State::call_trouble, std::move(text)); }
    void tell(std::string State::*which, std::string text) {
        post([state = shared_from_this(), which, text = std::move(text)] {
            *state.*which = text;
            const bool both = !state->call_trouble.empty() && !state->plugin_note.empty();
            if (state->alive)
                state->events.note(state->call_trouble + (both ? " " : "") + state->plugin_note);
        });
    }
    void start();
    void stop();
    void announce(const Operation& op);
};

namespace {

FoundPeer copy_peer(const stsync_peer* peer) {
    FoundPeer found;
    found.handle = copy_text(peer->id);
    found.station_id = copy_text(peer->station_id);
    found.name = copy_text(peer->name);
    found.project = copy_text(peer->project);
    found.ttl_s = peer->ttl_s;
    constexpr std::uint32_t endpoints_max = 32;
    for (std::uint32_t i = 0; i < std::min(peer->endpoint_count, endpoints_max); ++i)
        found.endpoints.push_back(copy_text(peer->endpoints[i]));
    constexpr std::uint32_t texts_max = 64;
    for (std::uint32_t i = 0; i < std::min(peer->text_count, texts_max); ++i)
        found.texts[copy_text(peer->texts[i].name)] = copy_text(peer->texts[i].value);
    return found;
}

stsync_status STSYNC_CALL collect_text(void* ctx, stsync_str text) noexcept {
    try {
        *static_cast<std::string*>(ctx) += copy_text(text);
        return STSYNC_OK;
    } catch (...) {
        return STSYNC_INTERNAL;
    }
}

} // namespace

namespace {

template <class StateType>
stsync_status peer_found(void* ctx, const stsync_peer* peer) noexcept {
    try {
        auto* const raw = static_cast<StateType*>(ctx);
        raw->post([state = raw->shared_from_this(), found = copy_peer(peer)] {
            if (!state->alive)
                return;
            if (found.ttl_s != 0)
                state->expires_us[found.handle] =
                    monotonic_now_us() + std::int64_t{found.ttl_s} * 1'000'000;
            else
                state->expires_us.erase(found.handle);
            state->handles.insert(found.handle);
            state->events.found(found);
        });
        return STSYNC_OK;
    } catch (...) {
        return STSYNC_INTERNAL;
    }
}

template <class StateType>
stsync_status peer_lost(void* ctx, stsync_str id) noexcept {
    try {
        auto* const raw = static_cast<StateType*>(ctx);
        raw->post([state = raw->shared_from_this(), handle = copy_text(id)] {
            state->expires_us.erase(handle);
            state->handles.erase(handle);
            if (state->alive)
                state->events.lost(handle);
        });
        return STSYNC_OK;
    } catch (...) {
        return STSYNC_INTERNAL;
    }
}

template <class StateType>
stsync_status search_note(void* ctx, stsync_str text) noexcept {
    try {
        static_cast<StateType*>(ctx)->note(copy_text(text));
        return STSYNC_OK;
    } catch (...) {
        return STSYNC_INTERNAL;
    }
}

} // namespace

void DiscoveryInstance::State::start() {
    const std::lock_guard lock(running);
    if (ended)
        return;
    std::string reason;
    const stsync_text_sink fail{sizeof(stsync_text_sink), 0, &reason, collect_text};
    const stsync_status made =
        kind.module->create(services.host(), view_of(kind.id), &fail, &instance);
    if (made != STSYNC_OK || !instance) {
        instance = nullptr;
        note(reason.empty() ? "the discovery plugin '" + kind.id + "' refused to start" : reason);
        return;
    }
    table = static_cast<const stsync_discovery_v1*>(instance->query(instance, STSYNC_DISCOVERY_V1));
    if (!table || !table->start || !table->stop || !table->announce || !table->withdraw ||
        !table->probe) {
        note("the plugin '" + kind.id + "' lacks a function of " STSYNC_DISCOVERY_V1);
        return;
    }
    sink = {sizeof(stsync_discovery_sink),
            0,
            this,
            peer_found<State>,
            peer_found<State>,
            peer_lost<State>,
            search_note<State>};
    Operation op;
    const stsync_status status = table->start(instance, op.op(), &sink);
    started = status == STSYNC_OK;
    if (!started) {
        tell_trouble(op.failure(status));
        return;
    }
    announce(op);
}

void DiscoveryInstance::State::announce(const Operation& op) {
    std::vector<stsync_str> endpoints;
    for (const std::string& endpoint : self.endpoints)
        endpoints.push_back(view_of(endpoint));
    std::vector<stsync_pair> texts;
    for (const auto& [name, value] : self.texts)
        texts.push_back({view_of(name), view_of(value)});
    stsync_peer own{};
    own.size = sizeof(own);
    own.id = view_of(self.station_id);
    own.station_id = view_of(self.station_id);
    own.name = view_of(self.name);
    own.project = view_of(self.project);
    own.endpoints = endpoints.data();
    own.endpoint_count = static_cast<std::uint32_t>(endpoints.size());
    own.texts = texts.data();
    own.text_count = static_cast<std::uint32_t>(texts.size());
    const stsync_status status = table->announce(instance, op.op(), &own);
    tell_trouble(status == STSYNC_OK ? std::string() : op.failure(status));
}

void DiscoveryInstance::State::stop() {
    const std::lock_guard lock(running);
    ended = true;
    Operation op;
    if (started)
        table->stop(instance, op.op());
    if (instance)
        instance->destroy(instance);
    started = false;
    instance = nullptr;
}

DiscoveryInstance::DiscoveryInstance(const PluginKind& kind, InstanceSettings settings,
                                     FoundPeer self, std::shared_ptr<WorkerPool> workers,
                                     WorkerPool::Poster post, DiscoveryEvents events)
    : state_(std::make_shared<State>(kind, std::move(settings), std::move(self), std::move(workers),
                                     std::move(post), std::move(events))) {
    // `done` keeps the state too, so that its threads are never joined from one of them.
    auto state = state_;
    state->workers->submit([state] { state->start(); }, [state] {});
}

DiscoveryInstance::~DiscoveryInstance() {
    state_->alive = false;
    auto state = state_;
    state->workers->submit([state] { state->stop(); }, [state] {});
}

void DiscoveryInstance::announce(FoundPeer self) {
    const auto change = [state = state_, self = std::move(self)]() mutable {
        const std::lock_guard lock(state->running);
        if (self == state->self)
            return;
        state->self = std::move(self);
        if (!state->started)
            return; // start will
        const Operation op;
        state->announce(op);
    };
    state_->workers->submit(change, [state = state_] {});
}

void DiscoveryInstance::probe(std::string hint) {
    const auto ask = [state = state_, hint = std::move(hint)] {
        const std::lock_guard lock(state->running);
        if (!state->started)
            return;
        Operation op;
        const stsync_status status = state->table->probe(state->instance, op.op(), view_of(hint));
        if (status != STSYNC_OK)
            log::warning("discovery", op.failure(status));
    };
    state_->workers->submit(ask, [state = state_] {});
}

const std::set<std::string>& DiscoveryInstance::handles() const {
    return state_->handles;
}

void DiscoveryInstance::tick(std::int64_t monotonic_us) {
    for (auto place = state_->expires_us.begin(); place != state_->expires_us.end();) {
        if (place->second > monotonic_us) {
            ++place;
            continue;
        }
        const std::string handle = place->first;
        place = state_->expires_us.erase(place);
        state_->handles.erase(handle);
        state_->events.lost(handle);
    }
}

} // namespace stationsync::host
