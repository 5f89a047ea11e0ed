// What is held, and what `apply_when` closes: orders, and what must not happen meanwhile. The
// orders are followed here; of the engine's records only that they exist is used.
#include "cluster.hpp"

#include <algorithm>

namespace stationsync::simulation {

namespace {
constexpr std::int64_t clock_error = 5 * second;  // of a machine's clock within a hold
constexpr std::int64_t verdict_age = 30 * second; // an answer stands for 20 s at most
} // namespace

void Cluster::hold(std::size_t index, const std::string& provider,
                   std::optional<std::int64_t> length_us) {
    if (!station(index).running()) {
        return;
    }
    HoldOrder& order_given = hold_orders_[{index, provider}];
    order_given.given_at = world.now();
    order_given.length = length_us;
    order_given.confirmed = order_given.may_end = false;
    const auto length = length_us ? std::optional(core::Duration{*length_us}) : std::nullopt;
    order(index, core::HoldRequested{provider, length});
}

void Cluster::release(std::size_t index, const std::string& provider) {
    if (station(index).running()) {
        hold_orders_[{index, provider}].may_end = true;
        order(index, core::ReleaseRequested{provider});
    }
}

void Cluster::close_applies(std::size_t index, const std::string& name, std::int64_t for_us) {
    SimProvider& provider = station(index).provider(name);
    if (!provider.closed_at(world.now())) {
        provider.closed_since = world.now();
    }
    provider.closed_until = world.now() + for_us;
}

void Cluster::release_everything() {
    for (const auto& machine : world.machines) {
        for (auto& [name, provider] : machine->providers) {
            provider.closed_until = 0;
            const auto record = machine->store.image.providers.find(name);
            if (record != machine->store.image.providers.end() && record->second.hold) {
                release(machine->index, name);
            }
        }
    }
}

// The record of a provider is durable. A hold that a person was told of ends by his order or by its
// time only.
void Cluster::check_hold(Machine& machine, const core::ProviderRecord& record) {
    const auto place = hold_orders_.find({machine.index, record.provider});
    if (place == hold_orders_.end() || !place->second.confirmed || record.hold) {
        return;
    }
    const HoldOrder& given = place->second;
    const bool over = given.length && (machine.clock.ever_stepped ||
                                       world.now() + clock_error >= given.given_at + *given.length);
    if (!given.may_end && !over) {
        model.violation(machine.name + " let go of " + record.provider + ", which was held");
    }
    hold_orders_.erase(place);
}

void Cluster::check_hold_answer(Machine& machine, const core::CommandAnswered& answer) {
    if (answer.command != "hold" || !answer.ok) {
        return;
    }
    const auto place = hold_orders_.find({machine.index, answer.subject});
    if (place == hold_orders_.end()) {
        return; // over already
    }
    place->second.confirmed = true;
    const auto record = machine.store.image.providers.find(answer.subject);
    if (record == machine.store.image.providers.end() || !record->second.hold) {
        model.violation(machine.name + " told that " + answer.subject +
                        " is held before that was durable");
    }
}

// An apply was decided on: nothing may have been against it.
void Cluster::check_allowed(Machine& machine, const core::ObjectId& object) {
    const auto record = machine.store.image.providers.find(object.provider);
    if (record != machine.store.image.providers.end() && record->second.hold) {
        model.violation(machine.name + " means to apply " + core::to_text(object) +
                        ", whose provider is held");
    }
    const SimProvider& provider = machine.provider(object.provider);
    if (provider.closed_at(world.now()) && provider.closed_since + verdict_age < world.now()) {
        model.violation(machine.name + " means to apply " + core::to_text(object) +
                        ", which apply_when does not allow");
    }
}

void Cluster::on_apply_when_asked(Machine& machine, const std::string& provider, bool too_early) {
    if (too_early) {
        model.violation(machine.name + " asks again whether " + provider +
                        " may be applied, though the last answer stands");
    }
}

// A hold for some time is over when the time is, and no new state is called applied while one
// lasts.
void Cluster::check_holds_end(Machine& machine) {
    for (const auto& view : machine.engine().providers()) {
        const auto place = hold_orders_.find({machine.index, view.name});
        if (view.state != core::ProviderState::held || place == hold_orders_.end()) {
            continue;
        }
        const HoldOrder& given = place->second;
        if (given.length && !machine.clock.ever_stepped &&
            given.given_at + *given.length + minute < world.now()) {
            model.violation(machine.name + " still holds " + view.name + " after its time");
        }
    }
}

// Another state is on its disk: whatever is held by it was ordered at some time.
void Cluster::forget_hold_orders(std::size_t index) {
    std::erase_if(hold_orders_, [&](const auto& entry) { return entry.first.first == index; });
}

} // namespace stationsync::simulation
