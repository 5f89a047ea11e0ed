// What the process does for each job of a provider: scan, export, fetch, history, apply.
#include "machine.hpp"

#include <algorithm>

namespace stationsync::simulation {

// ---- recover and scan ------------------------------------------------------------------------

void Process::perform_action(core::Recover& action) {
    later(call_time(action.provider), [this, provider = action.provider] {
        auto const trouble = call_trouble(provider);
        core::RecoverFinished finished;
        finished.provider = provider;
        finished.status = trouble.value_or(core::JobStatus::ok);
        finished.text = trouble ? "the back end does not answer" : "";
        handle(finished);
    });
}

void Process::perform_action(core::Scan& action) {
    jobs_[action.job] = {JobKind::scan, {action.provider, {}}, {}};
    std::int64_t const time = call_time(action.provider);
    later(time / 2, [this, job = action.job, provider = action.provider, keys = action.keys] {
        if (jobs_.contains(job) && !call_trouble(provider)) {
            observe(job, provider, keys);
        }
    });
    later(time,
          [this, job = action.job, provider = action.provider, everything = action.keys.empty()] {
              auto found = jobs_.find(job);
              if (found == jobs_.end()) {
                  return;
              }
              bool const observed = found->second.bytes_done != 0;
              jobs_.erase(found);
              core::ScanFinished finished;
              finished.job = job;
              finished.provider = provider;
              if (!observed) {
                  finished.status = core::JobStatus::failed;
                  finished.text = "the root or the back end is not there";
                  finished.remedy = "provider accept-root " + provider;
              }
              handle(finished);
          });
}

void Process::observe(core::JobId job, const std::string& provider,
                      const std::vector<std::string>& keys) {
    const auto& p = machine_.providers.at(provider);
    core::ObjectsObserved observed;
    observed.job = job;
    observed.provider = provider;
    if (keys.empty()) {
        for (const auto& [key, live] : p.objects()) {
            observed.objects.push_back(p.observe(key, live));
        }
    }
    for (const auto& key : keys) {
        if (const auto* live = p.find(key)) {
            observed.objects.push_back(p.observe(key, *live));
        }
    }
    jobs_.at(job).bytes_done = 1; // this scan saw the data
    if (!observed.objects.empty()) {
        handle(observed);
    }
}

// ---- export ----------------------------------------------------------------------------------

void Process::perform_action(core::Export& action) {
    jobs_[action.job] = {JobKind::export_, action.object, {}};
    std::int64_t const time = call_time(action.object.provider);
    core::Mark const before = machine_.provider(action.object.provider).mark(action.object.key);
    later(time, [this, order = action, before] {
        if (!take_job(order.job)) {
            return;
        }
        bool const moved =
            before != machine_.provider(order.object.provider).mark(order.object.key);
        bool const other = !order.expected.empty() && before != order.expected;
        if (moved || other || before.empty()) {
            core::ExportFinished finished;
            finished.job = order.job;
            finished.status =
                before.empty() ? core::JobStatus::not_found : core::JobStatus::changed;
            finished.text = "the live state moved";
            handle(finished);
        } else {
            finish_export(order);
        }
    });
}

core::PackageInfo Process::make_package(const core::ObjectId& object) {
    const auto& provider = machine_.provider(object.provider);
    const auto* live = provider.find(object.key);
    core::PackageInfo info;
    std::uint64_t const nonce = provider.spec().reproducible ? 0 : ++world_.last_nonce;
    info.digest = digest_of(live->content, nonce);
    info.bytes = bytes_of(live->content);
    info.modified_100ns = live->changed_at_us * 10;
    return info;
}

void Process::finish_export(const core::Export& order) {
    const auto& provider = machine_.provider(order.object.provider);
    core::ExportFinished finished;
    finished.job = order.job;
    const bool to_history = order.purpose == core::ExportPurpose::put_back;
    const bool writes = order.purpose != core::ExportPurpose::verify;
    if (const auto trouble = call_trouble(order.object.provider)) {
        finished.status = *trouble;
        finished.text = "the back end does not answer";
    } else if (writes && full(to_history)) {
        finished.status = core::JobStatus::no_space;
        finished.text = "the disk is full";
    } else {
        const auto* live = provider.find(order.object.key);
        finished.mark = live->mark;
        finished.bytes = bytes_of(live->content);
        if (provider.spec().has_digest) {
            finished.digest = digest_of(live->content);
        }
        finished.package = make_package(order.object);
        finished.live = order.live_allowed && provider.spec().reproducible &&
                        finished.bytes > provider.spec().live_above;
        if (provider.spec().tells_times) {
            finished.changed_at = core::WallTime{live->changed_at_us};
        }
        if (writes && !finished.live) {
            auto& directory = to_history ? machine_.history : machine_.sync;
            directory.put(order.object, {live->content, finished.package, nullptr});
        }
    }
    handle(finished);
}

// ---- fetch -----------------------------------------------------------------------------------

void Process::perform_action(core::StartFetch& action) {
    jobs_[action.job] = {JobKind::fetch, action.object, action.sources};
    later(world_.random.between(millisecond, 20 * millisecond),
          [this, order = action] { fetch_step(order); });
}

bool Process::source_has(const core::StationId& source, const core::StartFetch& order,
                         std::string& why_not) {
    why_not = "not linked";
    for (const auto& other : world_.machines) {
        if (other->id != source || other.get() == &machine_ || !other->running() ||
            !world_.network.linked(machine_.index, other->index)) {
            continue;
        }
        core::Digest const digest = order.package.digest;
        if (other->sync.find(order.object, digest) || other->history.find(order.object, digest)) {
            return true;
        }
        const auto& provider = other->provider(order.object.provider);
        if (provider.spec().reproducible && provider.mounted &&
            provider.content(order.object.key) == content_of(digest)) {
            return true;
        }
        why_not = "it does not have the package any more";
        if (!provider.spec().reproducible) {
            // The source's host finds out by being asked.
            world_.scheduler.after(
                millisecond, [machine = other.get(), object = order.object, digest] {
                    if (machine->running() && !machine->sync.find(object, digest)) {
                        machine->process()->tell_lost(object, digest, false);
                    }
                });
        }
    }
    return false;
}

void Process::fetch_step(const core::StartFetch& order) {
    auto found = jobs_.find(order.job);
    if (found == jobs_.end()) {
        return;
    }
    const std::vector<core::StationId> sources = found->second.sources;
    bool served = false;
    for (const auto& source : sources) {
        std::string why_not;
        if (source_has(source, order, why_not)) {
            served = true;
            break;
        }
        auto& left = jobs_.at(order.job).sources;
        left.erase(std::remove(left.begin(), left.end(), source), left.end());
        handle(core::FetchSourceFailed{order.job, source, why_not});
        if (ended_ || !jobs_.contains(order.job)) {
            return;
        }
    }
    core::FetchFinished finished;
    finished.job = order.job;
    std::uint64_t& done = jobs_.at(order.job).bytes_done;
    if (!served && !jobs_.at(order.job).sources.empty()) {
        later(100 * millisecond, [this, order] { fetch_step(order); }); // new ones were named
        return;
    }
    if (!served) {
        finished.status = core::JobStatus::failed;
        finished.text = "no source is left";
    } else if (full(false)) {
        finished.status = core::JobStatus::no_space;
        finished.text = "the sync directory is full";
    } else if (done < order.package.bytes) {
        // Half a second's worth at a time, so that links break and stations crash in the middle.
        std::uint64_t const step = std::max<std::uint64_t>(
            1, static_cast<std::uint64_t>(world_.fetch_bytes_per_second) / 2);
        std::uint64_t const part = std::min(step, order.package.bytes - done);
        done += part;
        std::uint64_t const total = done;
        if (total < order.package.bytes) {
            handle(core::FetchProgressed{order.job, total, total});
        }
        const auto time = static_cast<std::int64_t>(part) * second / world_.fetch_bytes_per_second;
        later(time + world_.random.between(1, 10 * millisecond),
              [this, order] { fetch_step(order); });
        return;
    } else {
        const Content content = content_of(order.package.digest);
        machine_.sync.put(order.object, {content, order.package, order.revision});
        if (machine_.provider(order.object.provider).spec().has_digest) {
            finished.digest = digest_of(content);
        }
        finished.bytes_received = order.package.bytes;
    }
    jobs_.erase(order.job);
    handle(finished);
}

// ---- history ---------------------------------------------------------------------------------

void Process::perform_action(core::SaveToHistory& action) {
    jobs_[action.job] = {JobKind::save, action.object, {}};
    later(call_time(action.object.provider), [this, order = action] {
        if (take_job(order.job)) {
            finish_save(order);
        }
    });
}

core::SavedItem Process::save_item(const core::ObjectId& object, const core::SaveItem& item) {
    const auto& provider = machine_.provider(object.provider);
    StoredPackage copy;
    if (item.package && machine_.sync.find(object, item.package->digest)) {
        copy = *machine_.sync.find(object, item.package->digest);
    } else if (item.package && machine_.history.find(object, item.package->digest)) {
        copy = *machine_.history.find(object, item.package->digest);
    } else if (item.from_live && provider.find(object.key)) {
        copy.content = provider.content(object.key);
        copy.info = make_package(object);
    } else {
        return {};
    }
    copy.revision = item.revision;
    machine_.history.put(object, copy);
    return {true, copy.info};
}

void Process::finish_save(const core::SaveToHistory& order) {
    const auto& provider = machine_.provider(order.object.provider);
    core::HistorySaved saved;
    saved.job = order.job;
    bool needs_live = false;
    bool moved = false;
    for (const auto& item : order.items) {
        const bool has_file =
            item.package && machine_.sync.find(order.object, item.package->digest);
        needs_live = needs_live || (item.from_live && !has_file);
        moved = moved || (item.from_live && provider.mark(order.object.key) != item.mark);
    }
    const auto trouble = needs_live ? call_trouble(order.object.provider) : std::nullopt;
    if (full(true)) {
        saved.status = core::JobStatus::no_space;
        saved.text = "the history directory is full";
    } else if (trouble) {
        saved.status = *trouble;
        saved.text = "the live state cannot be read";
    } else if (moved) {
        saved.status = core::JobStatus::changed;
        saved.text = "the live state is another one";
    } else {
        for (const auto& item : order.items) {
            saved.items.push_back(save_item(order.object, item));
        }
    }
    handle(saved);
}

// ---- apply -----------------------------------------------------------------------------------

Content Process::package_content(const core::StartApply& order) const {
    const auto* stored = machine_.sync.find(order.object, order.package.digest);
    if (!stored) {
        stored = machine_.history.find(order.object, order.package.digest);
    }
    return stored ? stored->content : absent;
}

void Process::perform_action(core::StartApply& action) {
    if (world_.watcher) {
        world_.watcher->on_apply_started(machine_, action);
    }
    applies_.push_back(action);
    const auto trouble = call_trouble(action.object.provider);
    std::int64_t const time = call_time(action.object.provider);
    later(time, [this, order = action, trouble] {
        if (!trouble) {
            perform(order);
        }
    });
    // Between the effect and our hearing of it a user may edit, and the process may die.
    later(time + world_.random.between(millisecond, std::max<std::int64_t>(time, 2 * millisecond)),
          [this, order = action, trouble] {
              finish_apply(order, trouble.value_or(core::JobStatus::ok));
          });
}

void Process::perform(const core::StartApply& order) {
    auto& provider = machine_.provider(order.object.provider);
    const Content content = package_content(order);
    if (content == absent || provider.was_applied(order.apply)) {
        return;
    }
    const Content before = provider.content(order.object.key);
    if (provider.apply(order, content).status == core::JobStatus::ok && world_.watcher) {
        world_.watcher->on_applied(machine_, order, before, content);
    }
    machine_.hint(order.object.provider, order.object.key); // the watch sees our own write, too
}

void Process::finish_apply(const core::StartApply& order, core::JobStatus trouble) {
    applies_.erase(std::remove_if(applies_.begin(), applies_.end(),
                                  [&](const auto& open) { return open.apply == order.apply; }),
                   applies_.end());
    auto& provider = machine_.provider(order.object.provider);
    core::ApplyFinished finished;
    finished.apply = order.apply;
    if (trouble != core::JobStatus::ok) {
        finished.status = trouble;
        finished.text = "the back end does not answer";
    } else if (provider.was_applied(order.apply)) {
        finished = provider.apply(order, absent); // the answer that belongs to the id
    } else if (package_content(order) == absent) {
        finished.status = core::JobStatus::not_found;
        finished.text = "the package is gone";
    } else {
        finished.status = provider.mounted ? core::JobStatus::changed : core::JobStatus::failed;
        finished.text = "the live state is another one";
    }
    handle(finished);
}

} // namespace stationsync::simulation
