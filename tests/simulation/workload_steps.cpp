// What can happen to a plant.
#include "workload.hpp"

namespace stationsync::simulation {

void Workload::edit_while_off() {
    std::size_t const station = any_station();
    Machine& machine = cluster_.station(station);
    machine.stop_by_person();
    if (random_.chance(60)) {
        cluster_.model.stopped_by_person(station);
    }
    cluster_.run_for(random_.between(second, 5 * minute));
    cluster_.edit(station, any_object(), cluster_.new_content());
    if (random_.chance(50)) {
        cluster_.edit(other_than(station), any_object(), cluster_.new_content());
    }
    cluster_.run_for(random_.between(second, 10 * minute));
    machine.start();
}

// Edits while an apply of the object is open, if one opens soon.
void Workload::hit_an_apply(std::size_t station, const core::ObjectId& object) {
    for (int i = 0; i < 12; ++i) {
        cluster_.run_for(random_.between(second / 2, 3 * second));
        auto* process = cluster_.station(station).process();
        if (process && !process->open_applies().empty()) {
            cluster_.edit(station, object, cluster_.new_content());
            return;
        }
    }
}

bool Workload::perform_user_step(Step step) {
    std::size_t const station = any_station();
    core::ObjectId const object = any_object();
    if (step == Step::wait) {
        return true;
    }
    switch (step) {
    case Step::edit:
        cluster_.edit(station, object, cluster_.new_content());
        return true;
    case Step::edit_burst:
        for (std::int64_t left = random_.between(3, 9); left > 0; --left) {
            cluster_.edit(station, object, cluster_.new_content());
            cluster_.run_for(random_.between(100 * millisecond, 35 * second));
        }
        return true;
    case Step::conflict: {
        std::size_t const other = other_than(station);
        cluster_.edit(station, object, cluster_.new_content());
        cluster_.run_for(random_.between(0, 6 * second));
        cluster_.edit(other, object, cluster_.new_content());
        if (random_.chance(30)) { // and many ordinary edits on top of it
            cluster_.run_for(random_.between(30 * second, 3 * minute));
            for (int i = 0; i < 7; ++i) {
                cluster_.edit(station, object, cluster_.new_content());
                cluster_.run_for(random_.between(20 * second, 2 * minute));
            }
        }
        return true;
    }
    case Step::backup: {
        const auto& old = cluster_.contents_of(object);
        const bool known = !old.empty() && random_.chance(60);
        const Content content = known ? random_.pick(old) : cluster_.new_content();
        cluster_.restore_backup(station, object, content, random_.between(2 * hour, 90 * day));
        return true;
    }
    case Step::undo:
        if (const auto& old = cluster_.contents_of(object); !old.empty()) {
            cluster_.edit(station, object, random_.pick(old));
        }
        return true;
    case Step::copy_other:
        if (const Content content = cluster_.station(other_than(station)).live(object)) {
            cluster_.edit(station, object, content);
        }
        return true;
    case Step::touch:
        cluster_.touch(station, object);
        return true;
    case Step::remove:
        cluster_.remove(station, object);
        return true;
    case Step::edit_while_off:
        edit_while_off();
        return true;
    case Step::edit_during_apply:
        // Short after a change elsewhere, over and over, so that some hit the apply.
        cluster_.edit(other_than(station), object, cluster_.new_content());
        cluster_.order(station, core::SendNowRequested{object});
        hit_an_apply(station, object);
        return true;
    default:
        return false;
    }
}

bool Workload::perform_order(Step step) {
    std::size_t const station = any_station();
    core::ObjectId const object = any_object();
    switch (step) {
    case Step::publish:
        cluster_.publish(station, object);
        return true;
    case Step::restore:
        cluster_.restore_kept(station, random_.chance(60) ? station : any_station(), object);
        return true;
    case Step::stop_start:
        cluster_.station(station).stop_by_person();
        cluster_.model.stopped_by_person(station);
        cluster_.run_for(random_.between(second, 2 * minute));
        cluster_.station(station).start();
        return true;
    case Step::restart:
        cluster_.station(station).restart();
        return true;
    case Step::send_now:
        cluster_.order(station, random_.chance(50) ? core::SendNowRequested{object}
                                                   : core::SendNowRequested{});
        return true;
    case Step::scan_now:
        cluster_.order(station, core::ScanRequested{object.provider});
        return true;
    case Step::verify:
        cluster_.order(station, core::VerifyRequested{object.provider});
        return true;
    case Step::hold:
        cluster_.hold(station, object.provider,
                      random_.chance(40) ? std::nullopt
                                         : std::optional(random_.between(second, 10 * minute)));
        return true;
    case Step::release:
        cluster_.release(station, object.provider);
        return true;
    case Step::block:
        cluster_.order(station, core::BlockRequested{cluster_.station(other_than(station)).id,
                                                     random_.chance(60)});
        return true;
    case Step::forget:
        cluster_.order(station,
                       core::CandidateLost{"static", cluster_.address(other_than(station))});
        cluster_.order(station, core::ForgetRequested{cluster_.station(other_than(station)).id});
        return true;
    case Step::rename: {
        core::ProfileChanged changed;
        changed.station_name = cluster_.station(station).name + "x";
        changed.product_version = "1.0";
        changed.addresses = {cluster_.address(station)};
        cluster_.order(station, changed);
        return true;
    }
    default:
        return false;
    }
}

bool Workload::perform_network_step(Step step) {
    Network& network = cluster_.world.network;
    std::size_t const a = any_station();
    std::size_t const b = other_than(a);
    switch (step) {
    case Step::cut: { // one station, or the plant in two halves
        const bool halves = random_.chance(50);
        for (std::size_t i = 0; i < cluster_.stations(); ++i) {
            for (std::size_t j = 0; j < cluster_.stations(); ++j) {
                const bool apart = halves ? (i % 2 != j % 2) : ((i == a) != (j == a));
                if (apart) {
                    network.cut(i, j);
                }
            }
        }
        return true;
    }
    case Step::cut_one_way:
        network.cut(a, b);
        return true;
    case Step::refuse_dials:
        network.refuse_dials(a, b);
        cluster_.order(a, core::IncomingRefused{"10.9.9.9", "it does not hold the key", true});
        return true;
    case Step::break_link:
        network.break_any_link();
        return true;
    case Step::lossy:
        network.lose_messages(static_cast<unsigned>(random_.between(5, 60)));
        return true;
    case Step::unruly:
        network.be_unruly(random_.chance(70));
        return true;
    case Step::slow_network:
        network.set_latency(50 * millisecond, random_.between(100 * millisecond, 3 * second));
        cluster_.world.fetch_bytes_per_second = random_.between(500, 20'000);
        return true;
    case Step::mend:
        network.mend_all();
        network.set_latency(millisecond, 20 * millisecond);
        cluster_.world.fetch_bytes_per_second = 2'000'000;
        return true;
    default:
        return false;
    }
}

void Workload::arm_crash() {
    ArmedCrash crash;
    crash.action = random_.below(std::variant_size_v<core::Action>);
    crash.before = random_.chance(50);
    cluster_.station(any_station()).armed = crash;
    if (random_.chance(60)) { // give it something to do
        cluster_.edit(any_station(), any_object(), cluster_.new_content());
    }
}

void Workload::join_newcomer(bool isolated) {
    constexpr std::size_t stations_max = 14;
    if (cluster_.stations() >= stations_max) {
        return;
    }
    std::size_t const index = cluster_.stations();
    Machine& machine = cluster_.add_station("N" + std::to_string(index), false);
    std::size_t const known = random_.below(index);
    cluster_.configure(index, known);
    for (const auto& object : objects_) {
        if (random_.chance(70)) {
            cluster_.write_at(index, object, cluster_.new_content(),
                              machine.wall() - random_.between(0, 40) * hour, WriteKind::edit);
        }
    }
    if (isolated) { // sees one station at first
        for (std::size_t i = 0; i < index; ++i) {
            if (i != known) {
                cluster_.world.network.cut(i, index);
                cluster_.world.network.cut(index, i);
            }
        }
    }
    machine.start();
    cluster_.run_for(random_.between(0, 20 * second));
    if (random_.chance(50)) { // somebody works on the stale data that is still being replaced
        cluster_.edit(index, any_object(), cluster_.new_content());
    }
}

void Workload::month_off() {
    for (const auto& machine : cluster_.world.machines) {
        machine->stop_by_person();
        cluster_.model.stopped_by_person(machine->index);
    }
    cluster_.run_for(35 * day);
    cluster_.model.history_aged();
    for (const auto& machine : cluster_.world.machines) {
        if (random_.chance(50)) {
            cluster_.edit(machine->index, any_object(), cluster_.new_content());
        }
    }
    cluster_.run_for(random_.between(second, minute));
    for (const auto& machine : cluster_.world.machines) {
        machine->start();
    }
}

bool Workload::perform_loss(Step step) {
    std::size_t const station = any_station();
    Machine& machine = cluster_.station(station);
    auto start_later = [&] {
        Machine* const again = &machine;
        cluster_.world.scheduler.after(random_.between(second, minute),
                                       [again] { again->start(); });
    };
    switch (step) {
    case Step::arm_crash:
        arm_crash();
        return true;
    case Step::crash:
        machine.crash();
        return true;
    case Step::snapshot:
        machine.store.take_snapshot();
        return true;
    case Step::roll_back:
        if (!machine.store.snapshots().empty()) {
            cluster_.roll_back(station, random_.below(machine.store.snapshots().size()));
            start_later();
        }
        return true;
    case Step::lose_state:
        cluster_.lose_state(station);
        start_later();
        return true;
    case Step::lose_disk:
        cluster_.lose_disk(station);
        start_later();
        return true;
    case Step::lose_sync_directory:
        cluster_.lose_directory(station, false);
        return true;
    case Step::lose_history_directory:
        cluster_.lose_directory(station, true);
        if (random_.chance(50)) {
            cluster_.world.scheduler.after(random_.between(minute, 10 * minute),
                                           [&machine] { machine.bring_back_history(); });
        }
        return true;
    case Step::newcomer:
        join_newcomer(false);
        return true;
    case Step::isolate_newcomer:
        join_newcomer(true);
        return true;
    case Step::clone:
        if (cluster_.stations() < 8 && machine.store.image.meta.incarnation != 0) {
            Machine& copy = cluster_.clone_station(station, machine.name + "'");
            cluster_.run_for(random_.between(0, 30 * second));
            copy.start();
        }
        return true;
    case Step::month_off:
        month_off();
        return true;
    default:
        return false;
    }
}

bool Workload::perform_clock_step(Step step) {
    std::size_t const station = any_station();
    Machine& machine = cluster_.station(station);
    std::int64_t const sign = random_.chance(50) ? 1 : -1;
    switch (step) {
    case Step::step_clock_little:
        cluster_.step_clock(station, random_.between(-1900, 1900) * millisecond);
        return true;
    case Step::step_clock:
        cluster_.step_clock(station, random_.chance(60) ? random_.between(-40, 40) * second
                                                        : sign * random_.between(minute, 3 * hour));
        return true;
    case Step::poison_clock: // a year, or minutes, ahead; often on two stations, that agree
        for (std::int64_t left = random_.between(1, 2); left > 0; --left) {
            std::size_t const poisoned = left == 1 ? station : other_than(station);
            cluster_.step_clock(poisoned, random_.chance(70) ? 365 * day : 2 * minute);
        }
        cluster_.run_for(random_.between(second, minute));
        cluster_.edit(station, any_object(), cluster_.new_content());
        return true;
    case Step::correct_clock:
        for (const auto& m : cluster_.world.machines) {
            std::int64_t const offset = m->wall() - wall_at_start_us - cluster_.world.now();
            if (offset > 30 * second || offset < -30 * second) {
                cluster_.step_clock(m->index, random_.between(-20, 20) * second - offset);
            }
        }
        return true;
    default:
        (void)machine;
        return false;
    }
}

bool Workload::perform_provider_step(Step step) {
    std::size_t const station = any_station();
    Machine& machine = cluster_.station(station);
    SimProvider& provider = machine.provider(any_object().provider);
    std::string const name = provider.spec().name;
    std::int64_t const until = cluster_.world.now() + random_.between(5 * second, 5 * minute);
    switch (step) {
    case Step::busy:
        provider.busy_until = until;
        return true;
    case Step::failing:
        provider.failing_until = until;
        return true;
    case Step::slow_provider:
        provider.slow_until = until;
        return true;
    case Step::disk_full:
        (random_.chance(50) ? machine.sync_full_until : machine.history_full_until) = until;
        return true;
    case Step::unmount: {
        provider.mounted = false;
        SimProvider* const unmounted = &provider;
        cluster_.world.scheduler.at(until, [unmounted] { unmounted->mounted = true; });
        return true;
    }
    case Step::disable_provider:
        provider.enabled = !provider.enabled;
        if (machine.running()) {
            if (provider.enabled) {
                machine.process()->enable_provider(name);
            } else {
                machine.process()->handle(core::ProviderDisabled{name});
            }
        }
        return true;
    case Step::enable_late:
        provider.enabled = true;
        if (machine.running()) {
            machine.process()->enable_provider(name);
        }
        return true;
    case Step::backend_version:
        provider.backend_version = provider.backend_version == "1" ? "2" : "1";
        if (machine.running() && provider.enabled) {
            machine.process()->tell_tokens(name);
        }
        return true;
    case Step::backend_unknown:
        provider.backend_known = !provider.backend_known;
        if (machine.running() && provider.enabled) {
            machine.process()->tell_tokens(name);
        }
        return true;
    case Step::product_version: {
        machine.product_version = machine.product_version == "1.0" ? "1.1" : "1.0";
        core::ProfileChanged changed{
            machine.name, machine.product_version, {cluster_.address(station)}};
        cluster_.order(station, changed);
        return true;
    }
    case Step::close_applies:
        cluster_.close_applies(station, name, random_.between(10 * second, 10 * minute));
        return true;
    case Step::change_root:
        cluster_.change_root(station, name);
        return true;
    default:
        return false;
    }
}

} // namespace stationsync::simulation
