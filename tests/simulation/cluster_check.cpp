// Healing, waiting for quiet, and judgement at the end.
#include "cluster.hpp"

#include <algorithm>
#include <utility>

namespace stationsync::simulation {

// Both answer, and this machine is linked with both.
bool Cluster::sees_both(const Machine& machine, std::size_t original, std::size_t copy) {
    return station(original).running() && station(copy).running() && machine.running() &&
           world.network.linked(machine.index, original) &&
           world.network.linked(machine.index, copy);
}

std::pair<std::optional<core::LinkId>, std::optional<core::LinkId>>
Cluster::links_to(const Machine& machine, std::size_t original, std::size_t copy) const {
    return {world.network.newest_link(machine.index, original),
            world.network.newest_link(machine.index, copy)};
}

void Cluster::watch_clones() {
    for (const auto& [original, copy] : clones_) {
        for (const auto& machine : world.machines) {
            const bool both = sees_both(*machine, original, copy);
            ClonesSeen& seen = clones_seen_[{machine->index, original, copy}];
            const auto links = links_to(*machine, original, copy);
            seen.times = both && links == seen.links ? seen.times + 1 : 0;
            seen.links = links;
        }
    }
}

void Cluster::watch_clones_regularly() {
    if (!clones_.empty()) {
        watch_clones();
    }
    world.scheduler.after(10 * second, [this] { watch_clones_regularly(); });
}

// As people mend a running service: whatever they changed is told to it.
void Cluster::mend_settings(Machine& machine) {
    machine.armed.reset();
    machine.sync_full_until = machine.history_full_until = 0;
    machine.disk_time_max_us = 5 * millisecond;
    if (std::exchange(machine.product_version, "1.0") != "1.0") {
        order(machine.index, core::ProfileChanged{
                                 machine.name, machine.product_version, {address(machine.index)}});
    }
    for (auto& [name, provider] : machine.providers) {
        provider.mounted = true;
        provider.busy_until = provider.failing_until = 0;
        provider.no_space_until = provider.slow_until = 0;
        const bool was_known = std::exchange(provider.backend_known, true);
        // Back ends are not downgraded.
        const bool had_version = std::exchange(provider.backend_version, "2") == "2";
        const bool was_enabled = std::exchange(provider.enabled, true);
        if (!machine.running()) {
            continue;
        }
        if (!was_enabled) {
            machine.process()->enable_provider(name);
        } else if (!was_known || !had_version) {
            machine.process()->tell_tokens(name);
        }
    }
}

// A station whose list was emptied before it had met anybody finds nobody by itself.
void Cluster::list_everybody_again() {
    for (const auto& machine : world.machines) {
        if (machine->configured.empty() && world.machines.size() > 1) {
            configure(machine->index, machine->index == 0 ? 1 : 0);
        }
        for (const auto& address : machine->configured) {
            core::CandidateFound found;
            found.origin = "static";
            found.handle = address;
            found.addresses = {address};
            order(machine->index, found);
        }
    }
}

void Cluster::heal() {
    note("heal");
    world.network.mend_all();
    world.network.set_latency(millisecond, 20 * millisecond);
    world.call_failure_percent = 0;
    world.call_time_max_us = 200 * millisecond;
    world.fetch_bytes_per_second = 5'000'000;
    for (const auto& pair : std::vector(clones_)) {
        // A copy of a station that knew nobody yet knows nobody: it is told whom to dial.
        configure(pair.second, pair.first);
        give_new_identity(pair.second);
    }
    for (const auto& machine : world.machines) {
        mend_settings(*machine);
        std::int64_t const offset =
            machine->clock.wall(world.now()) - wall_at_start_us - world.now();
        if (offset > 20 * second || offset < -20 * second) {
            step_clock(machine->index, world.random.between(-20, 20) * second - offset);
        }
    }
    release_everything();
    list_everybody_again();
    run_for(5 * second);
    // What only a restart mends would go unnoticed if everybody were restarted.
    const bool restarted = world.random.chance(30);
    for (const auto& machine : world.machines) {
        if (!machine->running()) {
            machine->start();
        } else if (restarted) {
            machine->restart();
        }
    }
    run_for(5 * second);
    for (const auto& blocker : world.machines) {
        for (const auto& blocked : world.machines) {
            const auto found = blocker->store.image.stations.find(blocked->id);
            if (found != blocker->store.image.stations.end() && found->second.blocked) {
                order(blocker->index, core::BlockRequested{blocked->id, false});
            }
        }
    }
}

// What a person does when the service says that only a person can.
void Cluster::operators_help() {
    for (const auto& spec : specs_) {
        const bool established_somewhere =
            std::any_of(world.machines.begin(), world.machines.end(), [&](const auto& machine) {
                auto const& providers = machine->store.image.providers;
                auto const found = providers.find(spec.name);
                return found != providers.end() && found->second.established;
            });
        if (!established_somewhere) {
            note("establish by a person");
            establish(0, spec.name);
        }
    }
    release_everything();
    for (const auto& object : model.objects()) {
        const auto best = model.winner(object);
        const auto* revision = best ? model.find(*best, object) : nullptr;
        if (!revision || model.exists_somewhere(object, revision->content) ||
            !model.loss_excused(object, revision->content)) {
            continue;
        }
        // The head exists nowhere: somebody publishes what he has, or makes it anew.
        bool published = false;
        for (const auto& machine : world.machines) {
            if (!published && machine->live(object) != absent) {
                note("publish of what is left");
                publish(machine->index, object);
                published = true;
            }
        }
        if (!published) {
            edit(0, object, new_content());
        }
    }
}

bool Cluster::is_quiet() const {
    for (const auto& machine : world.machines) {
        if (machine->running() && (machine->store.has_pending() || !machine->engine().in_step())) {
            return false;
        }
    }
    for (const auto& [object, contents] : contents_) {
        std::optional<Content> common;
        for (const auto& machine : world.machines) {
            const Content is = machine->live(object);
            // What nobody saw before it was removed again is missed by nobody.
            const bool missing = is == absent && model.winner(object).has_value();
            if (machine->running() && (missing || is != common.value_or(is))) {
                return false;
            }
            if (machine->running()) {
                common = is;
            }
        }
    }
    return true;
}

bool Cluster::wait_until_quiet(std::int64_t deadline_us) {
    constexpr int quiet_needed = 20; // of 5 s each: longer than a watch or a retry stays silent
    std::int64_t const end = world.now() + deadline_us;
    int quiet_for = 0;
    while (quiet_for < quiet_needed && world.now() < end) {
        run_for(5 * second);
        quiet_for = is_quiet() ? quiet_for + 1 : 0;
    }
    return quiet_for >= quiet_needed;
}

bool Cluster::settle_down(std::int64_t deadline_us) {
    std::int64_t const end = world.now() + deadline_us;
    std::int64_t next_help = world.now() + 5 * minute;
    int quiet_for = 0;
    while (world.now() < end) {
        run_for(30 * second);
        bool all_on = true;
        for (const auto& machine : world.machines) {
            all_on = all_on && machine->running();
            machine->start();
        }
        quiet_for = all_on && is_quiet() ? quiet_for + 1 : 0;
        if (quiet_for >= 4) {
            return true;
        }
        if (world.now() >= next_help) {
            next_help = world.now() + 10 * minute;
            operators_help();
        }
    }
    return false;
}

std::string Cluster::describe_unrest() const {
    std::string text;
    for (const auto& machine : world.machines) {
        if (!machine->running()) {
            text += machine->name + " is off; ";
            continue;
        }
        if (machine->store.has_pending()) {
            text += machine->name + " writes its state; ";
        }
        if (!machine->engine().in_step()) {
            text += machine->name + " does not call itself in step; ";
        }
        for (const auto& view : machine->engine().objects()) {
            if (view.state != core::ObjectState::in_sync) {
                text += machine->name + " " + core::to_text(view.id) + " " +
                        std::string(core::to_text(view.state)) + ": " + view.reason + "; ";
            }
        }
        for (const auto& other : machine->engine().stations()) {
            if (other.state != core::StationState::connected) {
                text += machine->name + " sees " + other.name + " " +
                        std::string(core::to_text(other.state)) + "; ";
            }
        }
        for (const auto& provider : machine->engine().providers()) {
            if (provider.state != core::ProviderState::ok || provider.unsynced != 0) {
                text += machine->name + " provider " + provider.name + " " +
                        std::string(core::to_text(provider.state)) + " " + provider.reason + ", " +
                        std::to_string(provider.unsynced) + " not in sync; ";
            }
        }
        for (const auto& [object, contents] : contents_) {
            if (machine->live(object) != world.machines.front()->live(object)) {
                text += machine->name + " has " + core::to_text(object) + " = " +
                        content_name(machine->live(object)) + ", the first has " +
                        content_name(world.machines.front()->live(object)) + "; ";
            }
        }
    }
    return text.empty() ? "all in step" : text;
}

void Cluster::check_reasons(std::size_t index) {
    Machine& machine = station(index);
    if (!machine.running()) {
        return;
    }
    machine.engine().check_invariants();
    check_holds_end(machine);
    for (const auto& view : machine.engine().objects()) {
        if (view.state != core::ObjectState::in_sync && view.reason.empty()) {
            model.violation(machine.name + " gives no reason why " + core::to_text(view.id) +
                            " is " + std::string(core::to_text(view.state)));
        }
        const auto* record = machine.engine().record(view.id);
        if (view.state == core::ObjectState::in_sync && record && !record->set.empty() &&
            (!record->held || record->held->id() != record->set.front().revision->id())) {
            model.violation(machine.name + " calls " + core::to_text(view.id) +
                            " in sync though it does not hold the head");
        }
    }
}

void Cluster::check_object_at_end(const core::ObjectId& object) {
    const auto winner = model.winner(object);
    if (!winner) {
        return;
    }
    const auto* revision = model.find(*winner, object);
    const bool conflict = model.has_open_conflict(object);
    for (const auto& machine : world.machines) {
        const auto* record = machine->engine().record(object);
        if (!record || record->set.empty()) {
            model.violation(machine->name + " knows nothing of " + core::to_text(object));
            continue;
        }
        core::RevisionId const head = record->set.front().revision->id();
        if (head != *winner) {
            model.violation(machine->name + " has the head " + core::to_text(head) + " of " +
                            core::to_text(object) + ", the right one is " + core::to_text(*winner));
        }
        const Content is_live = machine->live(object);
        if (revision->content != is_live) {
            model.violation(machine->name + " has content " + content_name(is_live) + " as " +
                            core::to_text(object) + ", the winner is " +
                            content_name(revision->content));
        }
        const auto view = machine->engine().object(object);
        // While two had one name, the later of them claimed to have seen what the other made: which
        // old states are still compared depends on the order of arrival then.
        const bool tolerated = model.had_clones() && view && !conflict;
        if (!tolerated && (!view || view->conflict.has_value() != conflict)) {
            model.violation(
                machine->name +
                (conflict ? " hides a conflict of " : " shows a conflict that is none of ") +
                core::to_text(object));
        }
    }
}

void Cluster::check_end() {
    for (const auto& object : model.objects()) {
        check_object_at_end(object);
    }
    for (const auto& machine : world.machines) {
        check_reasons(machine->index);
    }
    model.check_end();
}

} // namespace stationsync::simulation
