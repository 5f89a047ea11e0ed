// Stations, users, orders and faults of a simulated plant.
#include "cluster.hpp"

#include <algorithm>

namespace stationsync::simulation {

Cluster::Cluster(std::uint64_t seed, std::vector<ProviderSpec> specs)
    : world(seed), model(*this), specs_(std::move(specs)) {
    world.watcher = this;
    world.network.set_callbacks(
        {[this](std::size_t node, core::Event event) {
             if (auto* process = world.machines[node]->process()) {
                 fold_keys(event);
                 process->handle(std::move(event));
             }
         },
         [this](std::size_t node) { return world.machines[node]->wall(); }});
    watch_clones_regularly();
}

// The receiving host folds the keys of providers whose keys are paths.
void Cluster::fold_keys(core::Event& event) const {
    auto* received = std::get_if<core::MessageReceived>(&event);
    auto* batch = received ? std::get_if<core::IndexBatch>(&received->message) : nullptr;
    if (!batch) {
        return;
    }
    for (auto& entry : batch->entries) {
        if (reproducible(entry.object)) {
            entry.folded_key = entry.object.key;
        }
    }
}

core::StationId Cluster::new_station_id() {
    core::StationId id;
    for (auto& byte : id.bytes) {
        byte = static_cast<std::uint8_t>(world.random.next());
    }
    return id;
}

Machine& Cluster::add_station(std::string name, bool by_init) {
    std::size_t const index = world.machines.size();
    core::StationId const id = new_station_id();
    world.network.add_node({name, "10.0.0." + std::to_string(index + 1) + ":8883", id});
    world.machines.push_back(std::make_unique<Machine>(world, index, std::move(name), id));
    Machine& machine = *world.machines.back();
    for (const auto& spec : specs_) {
        machine.providers.emplace(spec.name, SimProvider(spec));
    }
    machine.store.image.meta.made_by_init = by_init;
    if (by_init) {
        model.made_by_init(index);
    }
    return machine;
}

Machine& Cluster::clone_station(std::size_t original, std::string name) {
    std::size_t const index = world.machines.size();
    Machine& from = station(original);
    world.network.add_node({name, "10.0.0." + std::to_string(index + 1) + ":8883", from.id});
    world.machines.push_back(std::make_unique<Machine>(world, index, std::move(name), from.id));
    trace_deed(index, "is a copy of " + station(original).name);
    Machine& copy = *world.machines.back();
    Machine& source = station(original);
    copy.store.image = source.store.image;
    copy.sync = source.sync;
    copy.history = source.history;
    copy.providers = source.providers;
    copy.clock = source.clock;
    copy.configured = source.configured;
    clones_.emplace_back(original, index);
    model.clones_exist();
    for (const auto& [provider_name, provider] : copy.providers) {
        for (const auto& [key, object] : provider.objects()) {
            core::ObjectId const id{provider_name, key};
            model.user_wrote({index, id, object.content, WriteKind::uncertain, object.changed_at_us,
                              copy.wall(), false, provider.spec().tells_times});
        }
    }
    state_replaced(index);
    return copy;
}

void Cluster::give_new_identity(std::size_t index) {
    Machine& machine = station(index);
    machine.stop_by_person();
    machine.id = new_station_id();
    trace_deed(index, "takes a new identity");
    state_replaced(index);
    model.identity_taken(index);
    clones_.erase(std::remove_if(clones_.begin(), clones_.end(),
                                 [&](const auto& pair) { return pair.second == index; }),
                  clones_.end());
    machine.start();
}

void Cluster::configure(std::size_t from, std::size_t to) {
    station(from).configured.push_back(address(to));
}

// ---- users -----------------------------------------------------------------------------------

void Cluster::trace_deed(std::size_t index, const std::string& deed) {
    if (world.trace.wants_text()) {
        Machine& machine = station(index);
        world.trace.line("  # " + core::to_text(core::WallTime{machine.wall()}) + " " +
                         machine.name + ": " + deed);
    }
}

void Cluster::write_at(std::size_t index, const core::ObjectId& object, Content content,
                       std::int64_t changed_at_us, WriteKind kind) {
    Machine& machine = station(index);
    auto& provider = machine.provider(object.provider);
    if (!provider.mounted) {
        return;
    }
    world.trace.mix(content);
    trace_deed(index, "user writes " + core::to_text(object) + " " + content_name(content) +
                          " of " + core::to_text(core::WallTime{changed_at_us}));
    const Content before = provider.content(object.key);
    provider.write(object.key, content, changed_at_us);
    excuse_if_last(index, object, before);
    contents_[object].push_back(content);
    last_content_ = std::max(last_content_, content);
    if (world.now() == 0 || machine.store.image.meta.incarnation == 0) {
        initial_[{index, object}] = content;
    }
    model.user_wrote({index, object, content, kind, changed_at_us, machine.wall(),
                      !machine.clock.ever_stepped, provider.spec().tells_times});
    machine.hint(object.provider, object.key);
}

// What is too big for a package of its own exists in the live data only, and so does what was kept
// in a sync directory that has just been lost: a user may destroy it.
void Cluster::excuse_if_last(std::size_t index, const core::ObjectId& object, Content content) {
    // Of files only the author keeps a package: its directory is everybody's.
    const bool just_lost =
        std::any_of(sync_lost_at_.begin(), sync_lost_at_.end(), [&](const auto& lost) {
            const bool concerned = lost.first == index || reproducible(object);
            return concerned &&
                   (world.now() - lost.second < 3 * minute || !station(lost.first).running());
        });
    // When its disk is gone, live data are the only copies.
    const bool author_lost = disks_lost_ && reproducible(object);
    if (content != absent && (just_lost || author_lost || served_live(object, content)) &&
        !model.is_owned_somewhere(object, content)) {
        model.excuse(object, content);
    }
}

void Cluster::edit(std::size_t machine, const core::ObjectId& object, Content content) {
    write_at(machine, object, content, station(machine).wall(), WriteKind::edit);
}

void Cluster::restore_backup(std::size_t index, const core::ObjectId& object, Content content,
                             std::int64_t age_us) {
    Machine& machine = station(index);
    write_at(index, object, content, machine.wall() - age_us, WriteKind::old_backup);
    auto& provider = machine.provider(object.provider);
    if (provider.spec().evidence_of_restore && provider.find(object.key)) {
        provider.set_restored(object.key);
    }
}

void Cluster::touch(std::size_t index, const core::ObjectId& object) {
    Machine& machine = station(index);
    auto& provider = machine.provider(object.provider);
    if (!provider.mounted || !provider.find(object.key)) {
        return;
    }
    if (!provider.spec().has_digest) {
        // Nothing but the mark tells its content: this is a save of the same.
        write_at(index, object, provider.content(object.key), machine.wall(), WriteKind::edit);
        return;
    }
    trace_deed(index, "user touches " + core::to_text(object));
    provider.touch(object.key, machine.wall());
    model.user_touched(index, object);
    machine.hint(object.provider, object.key);
}

void Cluster::remove(std::size_t index, const core::ObjectId& object) {
    Machine& machine = station(index);
    auto& provider = machine.provider(object.provider);
    if (provider.mounted && provider.find(object.key)) {
        trace_deed(index, "user removes " + core::to_text(object));
        const Content before = provider.content(object.key);
        provider.remove(object.key);
        excuse_if_last(index, object, before);
        model.user_removed(index, object);
        machine.hint(object.provider, object.key);
    }
}

// ---- orders ----------------------------------------------------------------------------------

void Cluster::order(std::size_t machine, core::Event event) {
    if (auto* process = station(machine).process()) {
        process->handle(std::move(event));
    }
}

void Cluster::publish(std::size_t machine, const core::ObjectId& object) {
    if (station(machine).running()) {
        model.publish_ordered(machine, object);
        order(machine, core::PublishRequested{object});
    }
}

void Cluster::restore_version(std::size_t machine, const core::ObjectId& object,
                              const std::string& version) {
    if (station(machine).running()) {
        model.restore_ordered(machine, object);
        order(machine, core::RestoreRequested{object, version});
    }
}

bool Cluster::restore_kept(std::size_t index, std::size_t keeper, const core::ObjectId& object) {
    const auto* record = station(keeper).store.image.find(object);
    if (!station(index).running() || !record || record->kept.empty()) {
        return false;
    }
    const auto& kept = world.random.pick(record->kept);
    // What is fetched from elsewhere the model knows by its digest only.
    if (keeper != index && (!kept.revision || !tells_equality(object))) {
        return false;
    }
    restore_version(index, object, core::version_id(kept.revision, kept.package));
    return true;
}

void Cluster::establish(std::size_t machine, const std::string& provider) {
    if (station(machine).running()) {
        model.establish_ordered(machine, provider);
        order(machine, core::EstablishRequested{provider});
    }
}

// ---- faults ----------------------------------------------------------------------------------

void Cluster::state_replaced(std::size_t index) {
    std::vector<ClaimedRecord> records;
    std::set<std::string> established;
    const auto& image = station(index).store.image;
    for (const auto& [id, record] : image.objects) {
        records.push_back(translate(record));
    }
    for (const auto& [name, record] : image.providers) {
        if (record.established) {
            established.insert(name);
        }
    }
    forget_hold_orders(index);
    model.state_replaced(index, records, established);
    if (image.meta.made_by_init && !image.meta.first_run_done) {
        model.made_by_init(index);
    }
}

void Cluster::lose_state(std::size_t index) {
    trace_deed(index, "state lost");
    station(index).crash();
    station(index).lose_state();
    state_replaced(index);
}

void Cluster::lose_disk(std::size_t index) {
    trace_deed(index, "disk lost");
    disks_lost_ = true;
    station(index).crash();
    station(index).lose_disk();
    state_replaced(index);
    model.copies_lost();
}

void Cluster::roll_back(std::size_t index, std::size_t snapshot) {
    trace_deed(index, "state rolled back to snapshot " + std::to_string(snapshot));
    Machine& machine = station(index);
    machine.crash();
    machine.roll_back_state(machine.store.snapshots()[snapshot]);
    state_replaced(index);
}

void Cluster::lose_directory(std::size_t index, bool of_history) {
    trace_deed(index, of_history ? "history directory lost" : "sync directory lost");
    station(index).lose_directory(of_history);
    if (!of_history) {
        model.packages_lost(index);
        sync_lost_at_[index] = world.now();
    } else {
        model.history_lost(index);
    }
    model.copies_lost();
}

void Cluster::change_root(std::size_t index, const std::string& provider_name) {
    Machine& machine = station(index);
    auto& provider = machine.provider(provider_name);
    trace_deed(index, "root of " + provider_name + " changed");
    // The new root has some of the old objects, with other content and older times.
    const std::map<std::string, LiveObject> before = provider.objects();
    provider.replace_all({});
    provider.root += "'";
    model.root_changed(index, provider_name);
    for (const auto& [key, object] : before) {
        if (world.random.chance(50)) {
            core::ObjectId const id{provider_name, key};
            const Content content = new_content();
            write_at(index, id, content, machine.wall() - hour, WriteKind::uncertain);
        }
    }
    model.copies_lost(); // the old root's live data is out of reach
    if (machine.running() && provider.enabled) {
        machine.process()->enable_provider(provider_name);
    }
}

void Cluster::step_clock(std::size_t index, std::int64_t delta_us) {
    trace_deed(index, "clock steps by " + std::to_string(delta_us / millisecond) + " ms");
    std::int64_t const before_us = local_us(index);
    station(index).step_clock(delta_us);
    model.clock_stepped(index, before_us);
}

std::string Cluster::content_name(Content content) const {
    auto found = content_names.find(content);
    return found != content_names.end() ? '"' + found->second + '"' : std::to_string(content);
}

} // namespace stationsync::simulation
