#include "process.hpp"

#include "machine.hpp"

#include <algorithm>

namespace stationsync::simulation {

namespace {

core::EngineConfig config_for(const Machine& machine, std::uint64_t seed, std::uint64_t run_id) {
    core::EngineConfig config;
    config.self = machine.id;
    config.run_id = run_id;
    config.seed = seed;
    config.station_name = machine.name;
    config.project = machine.project;
    config.product_version = machine.product_version;
    config.addresses = {machine.world.network.node(machine.index).address};
    config.limits = machine.world.limits;
    return config;
}

} // namespace

Process::Process(Machine& machine, std::uint64_t seed, std::uint64_t run_id)
    : machine_(machine),
      world_(machine.world),
      epoch_(machine.world.network.node(machine.index).epoch) {
    engine_ = std::make_unique<core::Engine>(config_for(machine, seed, run_id),
                                             machine.store.image.records(), machine.local_now());
}

void Process::begin_work() {
    for (const auto& [name, provider] : machine_.providers) {
        if (ended_) {
            return;
        }
        if (provider.enabled) {
            enable_provider(name);
        }
    }
    // The directories are looked through at start: what the records name and is not there was lost.
    std::vector<core::PackageLost> lost;
    for (const auto& [id, record] : machine_.store.image.objects) {
        for (const auto& package : record.packages) {
            if (!package.live && !machine_.sync.find(id, package.package.digest)) {
                lost.push_back({id, package.package.digest, false});
            }
        }
        for (const auto& kept : record.kept) {
            if (!machine_.history.find(id, kept.package.digest)) {
                lost.push_back({id, kept.package.digest, true});
            }
        }
    }
    for (const auto& loss : lost) {
        if (!ended_) {
            handle(loss);
        }
    }
    if (!ended_) {
        compare_history();
    }
    for (const auto& address : machine_.configured) {
        if (!ended_) {
            core::CandidateFound found;
            found.origin = "static";
            found.handle = address;
            found.addresses = {address};
            handle(found);
        }
    }
}

void Process::compare_history() {
    later(5 * second, [this] { // no chance: transcripts stay as they are
        std::vector<core::KeptFound> found;
        for (const auto& [key, package] : machine_.history.all()) {
            const auto view = engine_->object(key.first);
            const auto* record = engine_->record(key.first);
            const bool is_quiet = view && (view->state == core::ObjectState::in_sync ||
                                           view->state == core::ObjectState::held);
            const auto names_it = [&digest = key.second](const auto& kept) {
                return kept.package.digest == digest;
            };
            if (is_quiet && record && !record->intent &&
                std::none_of(record->kept.begin(), record->kept.end(), names_it)) {
                found.push_back({key.first, package.info, package.revision});
            }
        }
        for (const auto& each : found) {
            if (!ended_) {
                handle(each);
            }
        }
    });
}

void Process::enable_provider(const std::string& name) {
    apply_when_[name] = {}; // begun anew, it asks anew, whatever is answered to before
    const auto& provider = machine_.providers.at(name);
    const auto& spec = provider.spec();
    core::ProviderEnabled enabled;
    enabled.provider = name;
    enabled.plugin = spec.reproducible ? "files" : "database";
    enabled.plugin_version = "1.0";
    enabled.identity = provider.root;
    enabled.settle = core::Duration{spec.settle_us};
    enabled.settle_max = core::Duration{spec.settle_max_us};
    enabled.scan_interval = core::Duration{spec.scan_interval_us};
    enabled.keys_are_paths = spec.reproducible;
    enabled.export_reproducible = spec.reproducible;
    enabled.live_above = spec.live_above;
    enabled.apply_when = provider.apply_when;
    handle(enabled);
    if (!ended_) {
        tell_tokens(name);
    }
}

void Process::tell_tokens(const std::string& name) {
    const auto& provider = machine_.providers.at(name);
    core::ProviderTokens tokens;
    tokens.provider = name;
    tokens.known = provider.backend_known;
    if (tokens.known && !provider.spec().reproducible) {
        tokens.tokens = {{"backend.version", provider.backend_version, 0}};
    }
    handle(tokens);
}

void Process::tell_lost(const core::ObjectId& object, const core::Digest& package,
                        bool from_history) {
    handle(core::PackageLost{object, package, from_history});
}

void Process::later(std::int64_t delay, Scheduler::Task task) {
    world_.scheduler.after(delay, [machine = &machine_, epoch = epoch_, task = std::move(task)] {
        if (machine->process() && machine->process()->epoch() == epoch) {
            task();
        }
    });
}

void Process::handle(const core::Event& event) {
    if (ended_) {
        return;
    }
    ++world_.trace.coverage.events[event.index()];
    world_.trace.mix(static_cast<std::uint64_t>(world_.now()) * 64 + event.index());
    world_.trace.mix(machine_.index);
    if (world_.trace.wants_text()) {
        world_.trace.line(core::to_text(machine_.local_now().wall) + " " + machine_.name + " < " +
                          core::to_text(event));
    }
    engine_->handle(event, machine_.local_now());
    pump();
}

void Process::after_call() {
    ++handled_;
    if (world_.invariants_every != 0 && handled_ % world_.invariants_every == 0) {
        engine_->check_invariants();
    }
    plan_wake();
}

void Process::plan_wake() {
    const auto deadline = engine_->next_deadline();
    if (!deadline) {
        return;
    }
    std::int64_t const at = std::max(deadline->us, world_.now());
    if (wake_at_ >= 0 && wake_at_ <= at) {
        return;
    }
    wake_at_ = at;
    later(at - world_.now(), [this, at] {
        if (wake_at_ != at) {
            return; // an earlier one was planned since
        }
        wake_at_ = -1;
        auto const due = engine_->next_deadline();
        if (due && due->us <= world_.now()) {
            world_.trace.mix(static_cast<std::uint64_t>(world_.now()));
            engine_->handle_deadline(machine_.local_now());
            pump();
        } else {
            plan_wake();
        }
    });
}

bool Process::crash_due(std::size_t action, bool before) {
    if (!machine_.armed || machine_.armed->action != action || machine_.armed->before != before) {
        return false;
    }
    machine_.armed.reset();
    auto& coverage = world_.trace.coverage;
    ++(before ? coverage.crashes_before : coverage.crashes_after)[action];
    return true;
}

void Process::pump() {
    for (auto actions = engine_->take_actions(); !actions.empty();
         actions = engine_->take_actions()) {
        for (auto& action : actions) {
            if (crash_due(action.index(), true)) {
                machine_.crash();
                return;
            }
            begin(action);
            if (crash_due(action.index(), false)) {
                machine_.crash();
                return;
            }
        }
    }
    after_call();
}

void Process::begin(core::Action& action) {
    ++world_.trace.coverage.actions[action.index()];
    world_.trace.mix(static_cast<std::uint64_t>(world_.now()) * 64 + 32 + action.index());
    if (world_.trace.wants_text()) {
        world_.trace.line(core::to_text(machine_.local_now().wall) + " " + machine_.name + " > " +
                          core::to_text(action));
    }
    std::visit([this](auto& a) { perform_action(a); }, action);
}

bool Process::take_job(core::JobId id) {
    return jobs_.erase(id) != 0;
}

void Process::answer(std::int64_t delay, core::JobId job, core::Event event) {
    later(delay, [this, job, event = std::move(event)] {
        if (take_job(job)) {
            handle(event);
        }
    });
}

std::int64_t Process::call_time(const std::string& provider) {
    const auto& p = machine_.providers.at(provider);
    std::int64_t const longest =
        p.slow_until > world_.now() ? 60 * second : world_.call_time_max_us;
    return world_.random.between(millisecond, std::max(longest, 2 * millisecond));
}

std::optional<core::JobStatus> Process::call_trouble(const std::string& provider) {
    const auto& p = machine_.providers.at(provider);
    std::int64_t const now = world_.now();
    if (!p.mounted || p.failing_until > now) {
        return core::JobStatus::failed;
    }
    if (p.busy_until > now) {
        return core::JobStatus::busy;
    }
    if (world_.call_failure_percent != 0 && world_.random.chance(world_.call_failure_percent)) {
        return world_.random.chance(50) ? core::JobStatus::busy : core::JobStatus::failed;
    }
    return std::nullopt;
}

bool Process::full(bool of_history) const {
    return (of_history ? machine_.history_full_until : machine_.sync_full_until) > world_.now();
}

void Process::tell(const std::string& text) {
    if (world_.trace.keeps_story() || world_.trace.wants_text()) {
        world_.trace.tell(machine_.name + ": " + text);
    }
}

} // namespace stationsync::simulation
