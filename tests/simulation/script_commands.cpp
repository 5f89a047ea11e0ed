// What people do and what befalls the plant, in scenarios.
#include "script.hpp"

#include <algorithm>
#include <utility>

namespace stationsync::simulation {

// stations A B C: A by `init`, the others joined; all know of each other and are in step.
void Script::stations(const Words& words) {
    for (std::size_t i = 1; i < words.size(); ++i) {
        by_name_[words[i]] = i - 1;
        cluster_.add_station(words[i], i == 1);
    }
    for (std::size_t i = 0; i < cluster_.stations(); ++i) {
        for (std::size_t j = 0; j < cluster_.stations(); ++j) {
            if (i != j) {
                cluster_.configure(i, j);
            }
        }
        cluster_.station(i).watch_percent = 100;
    }
    for (std::size_t i = 0; i < cluster_.stations(); ++i) {
        cluster_.station(i).start();
    }
    cluster_.run_for(20 * second);
    cluster_.world.trace.take_story();
}

// station D knows A B: a joined station that is still off; `start` it.
void Script::station(const Words& words) {
    Machine& made = cluster_.add_station(words.at(1), false);
    by_name_[words[1]] = made.index;
    made.watch_percent = 100;
    for (std::size_t i = 3; i < words.size(); ++i) {
        cluster_.configure(made.index, machine(words[i]).index);
    }
}

void Script::power(const Words& words) {
    for (std::size_t i = 1; i < words.size(); ++i) {
        Machine& m = machine(words[i]);
        if (m.running() == (words[0] == "start")) {
            throw std::invalid_argument(words[i] + (m.running() ? " is on" : " is off"));
        }
        if (words[0] == "start") {
            m.start();
        } else if (words[0] == "stop") {
            cluster_.model.stopped_by_person(m.index);
            m.stop_by_person();
        } else if (words[0] == "restart") {
            m.restart();
        } else {
            m.crash();
        }
    }
}

// crash-at A before|after StartApply
void Script::crash_at(const Words& words) {
    Machine& m = machine(words.at(1));
    const auto index = Coverage::action_index(words.at(3));
    if (!index) {
        throw std::invalid_argument("there is no action '" + words[3] + "'");
    }
    m.armed = ArmedCrash{*index, words.at(2) == "before"};
}

// edit A recipes/x "v1" [aged 2h | time 1970]
void Script::edit(const Words& words) {
    Machine& m = machine(words.at(1));
    core::ObjectId const id = object(words.at(2));
    const Content saved = content(words.at(3));
    if (words.size() == 4) {
        cluster_.edit(m.index, id, saved);
    } else if (words.at(4) == "aged") {
        cluster_.restore_backup(m.index, id, saved, duration(words.at(5)));
    } else { // a time that cannot be
        std::int64_t const year = std::stoll(words.at(5));
        cluster_.write_at(m.index, id, saved, (year - 1970) * 365 * day, WriteKind::uncertain);
    }
}

void Script::change_live(const Words& words) {
    Machine& m = machine(words.at(1));
    if (words[0] == "remove") {
        cluster_.remove(m.index, object(words.at(2)));
    } else {
        cluster_.touch(m.index, object(words.at(2)));
    }
}

// edit-before-apply A recipes/x "v": between the check and the write. edit-after-apply: between the
// write and our record of it.
void Script::edit_when(const Words& words) {
    std::size_t const index = machine(words.at(1)).index;
    core::ObjectId const id = object(words.at(2));
    const Content saved = content(words.at(3));
    auto& hook =
        words[0] == "edit-before-apply" ? cluster_.when_apply_starts : cluster_.when_applied;
    hook = [this, index, id, saved, &hook](std::size_t at, const core::ObjectId& applied) {
        if (at == index && applied == id) {
            cluster_.edit(index, id, saved);
            hook = nullptr;
        }
    };
}

// clock A +40s: against true time. A running service notices a step.
void Script::clock(const Words& words) {
    Machine& m = machine(words.at(1));
    std::int64_t const offset = duration(words.at(2));
    cluster_.step_clock(m.index, offset - m.clock.offset_us);
}

void Script::run_for(const Words& words) {
    cluster_.run_for(duration(words.at(1)));
}

// settle [1h]: until all is in step and stays so.
void Script::settle(const Words& words) {
    if (!cluster_.wait_until_quiet(words.size() > 1 ? duration(words[1]) : 2 * hour)) {
        fail("no quiet: " + cluster_.describe_unrest());
    }
}

// cut A B | cut A -> B | cut A (from all) | refuse A -> B (dials only) | mend
void Script::network(const Words& words) {
    Network& net = cluster_.world.network;
    if (words[0] == "mend") {
        net.mend_all();
        return;
    }
    std::size_t const a = machine(words.at(1)).index;
    if (words.size() == 2) {
        for (std::size_t other = 0; other < cluster_.stations(); ++other) {
            if (other != a) {
                net.cut(a, other);
                net.cut(other, a);
            }
        }
        return;
    }
    std::size_t const b = machine(words.back()).index;
    if (words[0] == "refuse") {
        net.refuse_dials(a, b);
        return;
    }
    net.cut(a, b);
    if (words[2] != "->") {
        net.cut(b, a);
    }
}

// publish A recipes/x | restore A recipes/x "v1" | establish A recipes | send-now A recipes/x |
// verify A recipes | block A B | unblock A B
void Script::order(const Words& words) {
    std::size_t const index = machine(words.at(1)).index;
    const std::string& what = words[0];
    const std::string& subject = words.at(2);
    if (what == "publish") {
        cluster_.publish(index, object(subject));
    } else if (what == "establish") {
        cluster_.establish(index, subject);
    } else if (what == "send-now") {
        cluster_.order(index, core::SendNowRequested{object(subject)});
    } else if (what == "verify") {
        cluster_.order(index, core::VerifyRequested{subject});
    } else if (what == "block" || what == "unblock") {
        cluster_.order(index, core::BlockRequested{machine(subject).id, what == "block"});
    } else {
        core::ObjectId const id = object(subject);
        const Content wanted = content(words.at(3));
        for (const auto& keeper : cluster_.world.machines) {
            const auto* record = keeper->store.image.find(id);
            for (const auto& kept : record ? record->kept : std::vector<core::KeptState>{}) {
                if (content_of(kept.package.digest) == wanted) {
                    cluster_.restore_version(index, id,
                                             core::version_id(kept.revision, kept.package));
                    return;
                }
            }
        }
        throw std::invalid_argument("nobody keeps that state");
    }
}

// lose state A | lose disk A | lose sync A | lose history A | bring-back history A
void Script::lose(const Words& words) {
    std::size_t const index = machine(words.at(2)).index;
    if (words[0] == "bring-back") {
        machine(words.at(2)).bring_back_history();
    } else if (words.at(1) == "state") {
        cluster_.lose_state(index);
    } else if (words[1] == "disk") {
        cluster_.lose_disk(index);
    } else {
        cluster_.lose_directory(index, words[1] == "history");
    }
}

// snapshot A, and later roll-back A: the state database only.
void Script::snapshot(const Words& words) {
    Machine& m = machine(words.at(1));
    if (words[0] == "snapshot") {
        m.store.take_snapshot();
    } else {
        cluster_.roll_back(m.index, m.store.snapshots().size() - 1);
    }
}

// clone A as X: its disk copied; X is off. new-identity X.
void Script::clone(const Words& words) {
    if (words[0] == "new-identity") {
        cluster_.give_new_identity(machine(words.at(1)).index);
        return;
    }
    Machine& copy = cluster_.clone_station(machine(words.at(1)).index, words.at(3));
    by_name_[words[3]] = copy.index;
    copy.watch_percent = 100;
}

// busy|failing|slow A recipes 30s | unmount|mount A recipes | history-full A 60s
void Script::trouble(const Words& words) {
    Machine& m = machine(words.at(1));
    std::int64_t const now = cluster_.world.now();
    if (words[0] == "history-full" || words[0] == "sync-full") {
        const bool history = words[0] == "history-full";
        (history ? m.history_full_until : m.sync_full_until) = now + duration(words.at(2));
        return;
    }
    SimProvider& provider = m.provider(words.at(2));
    if (words[0] == "unmount" || words[0] == "mount") {
        provider.mounted = words[0] == "mount";
    } else if (words[0] == "busy") {
        provider.busy_until = now + duration(words.at(3));
    } else if (words[0] == "failing") {
        provider.failing_until = now + duration(words.at(3));
    } else {
        provider.slow_until = now + duration(words.at(3));
    }
}

// product A 1.1 | backend A batchdb 2 | backend A batchdb unknown | project A "other" (before
// start)
void Script::version(const Words& words) {
    Machine& m = machine(words.at(1));
    if (words[0] == "project") {
        m.project = words.at(2);
    } else if (words[0] == "product") {
        m.product_version = words.at(2);
        cluster_.order(
            m.index, core::ProfileChanged{m.name, m.product_version, {cluster_.address(m.index)}});
    } else {
        SimProvider& provider = m.provider(words.at(2));
        provider.backend_known = words.at(3) != "unknown";
        provider.backend_version = words[3];
        if (m.running()) {
            m.process()->tell_tokens(words[2]);
        }
    }
}

// hold A recipes [30m] | release A recipes | apply-when A recipes closed|open
void Script::hold(const Words& words) {
    Machine& m = machine(words.at(1));
    const std::string& name = words.at(2);
    if (words[0] == "hold") {
        cluster_.hold(m.index, name,
                      words.size() > 3 ? std::optional(duration(words[3])) : std::nullopt);
        return;
    }
    if (words[0] == "release") {
        cluster_.release(m.index, name);
        return;
    }
    SimProvider& provider = m.provider(name);
    cluster_.close_applies(m.index, name, words.at(3) == "closed" ? 365 * day : 0);
    if (!std::exchange(provider.apply_when, true) && m.running()) {
        m.process()->enable_provider(name);
    }
}

// enable|disable A batchdb | change-root A recipes: it looks at an empty folder from now on
void Script::provider(const Words& words) {
    Machine& m = machine(words.at(1));
    SimProvider& changed = m.provider(words.at(2));
    if (words[0] == "change-root") {
        changed.replace_all({});
        changed.root += "'";
        cluster_.model.root_changed(m.index, words[2]);
        cluster_.model.copies_lost();
    } else {
        changed.enabled = words[0] == "enable";
    }
    if (!m.running()) {
        return;
    }
    if (changed.enabled) {
        m.process()->enable_provider(words[2]);
    } else {
        m.process()->handle(core::ProviderDisabled{words[2]});
    }
}

} // namespace stationsync::simulation
