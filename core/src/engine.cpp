#include "stationsync/core/engine.hpp"

#include "apply_gates.hpp"
#include "objects.hpp"
#include "stations.hpp"
#include "token_judge.hpp"

#include <type_traits>

namespace stationsync::core {

namespace {

MetaRecord begun(MetaRecord meta, Random& random) {
    while (meta.incarnation == 0)
        meta.incarnation = random.next();
    return meta;
}

// A run of the same state database gets other ids than the one before it.
std::uint64_t mixed(std::uint64_t seed, const MetaRecord& meta) {
    return seed ^ (meta.incarnation * 0x9e3779b97f4a7c15ull) ^ meta.index;
}

} // namespace

struct Engine::Impl {
    Context context;
    TokenJudge judge;
    Objects objects;
    Stations stations;

    Impl(EngineConfig config, DurableState& state, Now now)
        : context{std::move(config), state.meta, now, Random(0), {}, 0},
          judge(context),
          objects(context, judge, state),
          stations(context, judge, objects, std::move(state.stations)) {
        context.random = Random(mixed(context.config.seed, state.meta));
        const bool fresh = context.meta.incarnation == 0;
        context.meta = begun(context.meta, context.random);
        objects.attach(stations);
        MetaRecord& meta = context.meta;
        // A step that nobody could notice, because the service was off, looks like a long absence.
        const WallTime last = objects.last_complete_scan();
        const bool long_off = last.us != 0 && last + std::chrono::hours(7 * 24) < now.wall;
        const bool stepped = meta.aging_clock_steps != meta.clock_steps || long_off;
        if (stepped) {
            meta.aging_since = now.wall;
            meta.aging_clock_steps = meta.clock_steps;
        }
        const StationId before = meta.station;
        meta.station = context.config.self;
        if (before != StationId{} && before != meta.station)
            objects.station_renamed(before);
        if (fresh || stepped || before != meta.station) {
            context.store_meta();
            context.out.seal_batch();
        }
    }

    // The station half hears everybody, also a restarted station and a clone before it is settled
    // who they are; the object half only who is.
    template <class Message>
    void deliver(LinkId link, const Message& message) {
        if constexpr (requires { stations.on_message(link, message); }) {
            stations.on_message(link, message);
        } else if (const auto from = stations.station_of(link)) {
            if (!stations.is_open(*from)) {
                if constexpr (std::is_same_v<Message, Greeting>)
                    objects.greeted_early(*from, message);
            } else if constexpr (requires { objects.on_message(*from, message); }) {
                objects.on_message(*from, message);
            } else {
                objects.gates().on_message(*from, message);
            }
        }
    }

    template <class E>
    void dispatch(E const& event) {
        if constexpr (std::is_same_v<E, Persisted>) {
            context.out.on_persisted(event.id);
        } else if constexpr (std::is_same_v<E, TokensJudged>) {
            std::string const provider = judge.on(event);
            stations.on_tokens_judged(provider);
            objects.on_tokens_judged(provider);
        } else if constexpr (std::is_same_v<E, MessageReceived>) {
            std::visit([&](const auto& message) { deliver(event.link, message); }, event.message);
        } else if constexpr (requires { objects.on(event); }) {
            objects.on(event);
        } else if constexpr (requires { objects.gates().on(event); }) {
            objects.gates().on(event);
        } else {
            stations.on(event);
        }
    }

    void finish() {
        objects.finish_call();
        context.out.seal_batch();
    }
};

Engine::Engine(EngineConfig config, DurableState state, Now now)
    : impl_(std::make_unique<Impl>(std::move(config), state, now)) {}

Engine::~Engine() = default;

void Engine::handle(const Event& event, Now now) {
    impl_->context.begin_call(now);
    const bool configuring = std::holds_alternative<ProviderEnabled>(event) ||
                             std::holds_alternative<ProviderTokens>(event) ||
                             std::holds_alternative<ProfileChanged>(event) ||
                             std::holds_alternative<Persisted>(event);
    if (!configuring)
        impl_->objects.first_run_ends();
    std::visit([&](const auto& each) { impl_->dispatch(each); }, event);
    impl_->finish();
}

void Engine::handle_deadline(Now now) {
    impl_->context.begin_call(now);
    impl_->objects.first_run_ends();
    impl_->stations.handle_deadline();
    impl_->objects.handle_deadline();
    impl_->finish();
}

std::optional<Instant> Engine::next_deadline() const {
    const std::optional<Instant> a = impl_->stations.next_deadline();
    const std::optional<Instant> b = impl_->objects.next_deadline();
    if (a && b)
        return std::min(*a, *b);
    return a ? a : b;
}

std::vector<Action> Engine::take_actions() {
    std::vector<Action> actions = impl_->context.out.take();
    impl_->objects.screen_drops(actions);
    return actions;
}

std::vector<ProviderView> Engine::providers() const {
    return impl_->objects.provider_views();
}
std::vector<StationView> Engine::stations() const {
    return impl_->stations.views();
}
std::vector<ObjectView> Engine::objects(std::string_view provider) const {
    return impl_->objects.views(provider);
}
std::optional<ObjectView> Engine::object(const ObjectId& id) const {
    return impl_->objects.view(id);
}
const ObjectRecord* Engine::record(const ObjectId& id) const {
    return impl_->objects.record(id);
}
const MetaRecord& Engine::meta() const {
    return impl_->context.meta;
}
bool Engine::may_exchange(const StationId& id) const {
    return impl_->stations.is_open(id);
}
std::string Engine::station_name(const StationId& id) const {
    return impl_->stations.name_of(id);
}
bool Engine::in_step(std::string_view provider) const {
    return impl_->objects.in_step(provider);
}
void Engine::check_invariants() const {
    impl_->objects.check_invariants();
}

} // namespace stationsync::core
