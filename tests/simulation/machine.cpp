#include "machine.hpp"

namespace stationsync::simulation {

Machine::Machine(World& the_world, std::size_t the_index, std::string the_name,
                 core::StationId the_id)
    : world(the_world), index(the_index), name(std::move(the_name)), id(the_id) {}

void Machine::start() {
    if (process_) {
        return;
    }
    ended_.reset();
    messages.clear();
    std::uint64_t const run_id = world.random.next();
    world.network.node(index).id = id;
    world.network.process_started(index, run_id);
    process_ = std::make_unique<Process>(*this, world.random.next(), run_id);
    Process* const process = process_.get();
    process->begin_work();
}

void Machine::finish_applies(bool all) {
    auto orders = process_->open_applies();
    for (const auto& order : orders) {
        if (all || world.random.chance(50)) {
            process_->perform(order);
        }
    }
}

void Machine::crash() {
    if (!process_) {
        return;
    }
    ++world.trace.coverage.faults["crash"];
    world.trace.mix(0xdead);
    if (world.trace.wants_text()) {
        world.trace.line(core::to_text(local_now().wall) + " " + name + " CRASH");
    }
    finish_applies(false);
    process_->end();
    ended_ = std::move(process_);
    store.lose_pending();
    armed.reset();
    world.network.process_ended(index);
    if (world.watcher) {
        world.watcher->on_crashed(*this);
    }
}

void Machine::restart() {
    if (!process_) {
        return;
    }
    finish_applies(true);
    process_->end();
    ended_ = std::move(process_);
    while (store.has_pending()) {
        const auto transaction = store.commit_oldest();
        if (world.watcher) {
            world.watcher->on_durable(*this, transaction);
        }
    }
    armed.reset();
    world.network.process_ended(index);
    world.scheduler.after(world.random.between(10 * millisecond, second), [this] { start(); });
}

void Machine::stop_by_person() {
    if (!process_) {
        return;
    }
    process_->handle(core::StoppedByPerson{});
    if (!process_) {
        return; // it crashed while stopping
    }
    finish_applies(true);
    process_->end();
    ended_ = std::move(process_);
    while (store.has_pending()) {
        const auto transaction = store.commit_oldest();
        if (world.watcher) {
            world.watcher->on_durable(*this, transaction);
        }
    }
    armed.reset();
    world.network.process_ended(index);
}

void Machine::hint(const std::string& provider_name, const std::string& key) {
    if (!process_ || !world.random.chance(watch_percent)) {
        return;
    }
    std::uint64_t const epoch = process_->epoch();
    world.scheduler.after(world.random.between(millisecond, 500 * millisecond),
                          [this, epoch, provider_name, key] {
                              if (process_ && process_->epoch() == epoch) {
                                  process_->handle(core::ChangeHinted{provider_name, key});
                              }
                          });
}

void Machine::step_clock(std::int64_t delta_us) {
    clock.offset_us += delta_us;
    clock.ever_stepped = true;
    if (!process_ || (delta_us <= 2 * second && delta_us >= -2 * second)) {
        return;
    }
    std::uint64_t const epoch = process_->epoch();
    world.scheduler.after(world.random.between(millisecond, second), [this, epoch, delta_us] {
        if (process_ && process_->epoch() == epoch) {
            restart();
            ++store.image.meta.clock_steps;
            store.image.meta.clock_moved += core::Duration{delta_us};
        }
    });
}

void Machine::lose_directory(bool of_history) {
    const PackageDirectory lost = of_history ? history : sync;
    (of_history ? history : sync).clear();
    if (of_history) {
        history_away_ = lost;
    }
    if (!process_) {
        return;
    }
    std::uint64_t const epoch = process_->epoch();
    for (const auto& [key, package] : lost.all()) {
        world.scheduler.after(
            world.random.between(millisecond, 10 * second), [this, epoch, key = key, of_history] {
                auto const& now = of_history ? history : sync;
                if (process_ && process_->epoch() == epoch && !now.find(key.first, key.second)) {
                    process_->tell_lost(key.first, key.second, of_history);
                }
            });
    }
}

void Machine::bring_back_history() {
    for (const auto& [key, package] : history_away_.all()) {
        if (!history.find(key.first, key.second)) {
            history.put(key.first, package);
        }
    }
    history_away_.clear();
    if (process_) {
        process_->compare_history();
    }
}

void Machine::lose_state() {
    store.image = StateImage{};
    // Packages describe themselves: what is found goes to the history of the newcomer.
    const auto found_sync = sync.all();
    sync.clear();
    for (const auto& [key, package] : found_sync) {
        history.put(key.first, package);
    }
    for (const auto& [key, package] : history.all()) {
        auto& record = store.image.objects[key.first];
        record.id = key.first;
        core::KeptState kept;
        kept.package = package.info;
        if (providers.at(key.first.provider).spec().has_digest) {
            kept.digest = digest_of(package.content);
        }
        kept.bytes = bytes_of(package.content);
        kept.reason = core::KeptReason::found;
        kept.kept_at = core::WallTime{wall()};
        kept.revision = package.revision;
        record.kept.push_back(std::move(kept));
    }
}

void Machine::lose_disk() {
    store.image = StateImage{};
    sync.clear();
    history.clear();
}

} // namespace stationsync::simulation
