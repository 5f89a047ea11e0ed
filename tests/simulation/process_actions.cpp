// What the process does for each action that is not a job of a provider: state, network, messages.
#include "machine.hpp"

#include <algorithm>

namespace stationsync::simulation {

void Process::perform_action(core::Persist& action) {
    machine_.store.begin(action.id, std::move(action.mutations));
    std::int64_t const written =
        std::max(world_.now(), disk_free_at_) +
        world_.random.between(200, std::max<std::int64_t>(machine_.disk_time_max_us, 201));
    disk_free_at_ = written;
    std::int64_t const reported = world_.random.between(1, 2 * millisecond);
    later(written - world_.now(), [this, reported] {
        auto const transaction = machine_.store.commit_oldest();
        if (world_.watcher) {
            world_.watcher->on_durable(machine_, transaction);
        }
        later(reported, [this, id = transaction.id] { handle(core::Persisted{id}); });
    });
    disk_free_at_ += reported; // reports keep the order of the transactions
}

void Process::perform_action(core::SendMessage& action) {
    ++world_.trace.coverage.messages[action.message.index()];
    if (world_.watcher) {
        world_.watcher->on_message_sent(machine_, action.link, action.message);
    }
    world_.network.send(machine_.index, action.link, std::move(action.message));
}

void Process::perform_action(core::Dial& action) {
    world_.network.dial(machine_.index, action.dial, action.address);
}

void Process::perform_action(core::CloseLink& action) {
    world_.network.close(machine_.index, action.link, action.reason);
}

void Process::perform_action(core::ProbeLink& action) {
    world_.network.probe(machine_.index, action.link);
}

void Process::perform_action(core::DropPackage& action) {
    auto& directory = action.from_history ? machine_.history : machine_.sync;
    directory.erase(action.object, action.package);
}

void Process::perform_action(core::DescribePackage& action) {
    auto& directory = action.in_history ? machine_.history : machine_.sync;
    directory.describe(action.object, action.package, action.revision);
}

void Process::perform_action(core::AdoptKept& action) {
    core::KeptAdopted answer{action.object, action.package.digest, core::JobStatus::ok, {}};
    if (const auto* kept = machine_.history.find(action.object, action.package.digest)) {
        StoredPackage copy = *kept;
        copy.revision = action.revision;
        machine_.sync.put(action.object, std::move(copy));
    } else {
        answer.status = core::JobStatus::not_found;
        answer.text = "the package is not in the history";
    }
    later(millisecond, [this, answer] { handle(answer); });
}

void Process::perform_action(core::JudgeTokens& action) {
    jobs_[action.job] = {JobKind::judge, {action.provider, {}}, {}};
    core::TokensJudged judged;
    judged.job = action.job;
    for (const auto& token : action.tokens) {
        const auto& own = machine_.providers.at(action.provider).backend_version;
        if (token.name == "backend.version" && token.value > own) {
            judged.compatible = false;
            judged.text = "back end " + token.value + " there, " + own + " here";
        }
    }
    answer(world_.random.between(1, 50) * millisecond, action.job, judged);
}

void Process::perform_action(core::AskApplyWhen& action) {
    const auto& provider = machine_.providers.at(action.provider);
    ApplyWhen& asked = apply_when_[action.provider];
    if (world_.watcher) {
        world_.watcher->on_apply_when_asked(machine_, action.provider,
                                            asked.stands_until > world_.now());
    }
    asked.question = action.job;
    jobs_[action.job] = {JobKind::ask, {action.provider, {}}, {}};
    std::int64_t const takes = world_.random.between(1, 500) * millisecond;
    std::int64_t const stands = world_.random.between(1, 20) * second;
    later(takes, [this, job = action.job, provider = &provider, stands, &asked] {
        if (take_job(job)) {
            if (asked.question == job) {
                asked.stands_until = world_.now() + stands;
            }
            const bool closed = provider->closed_at(world_.now());
            handle(core::ApplyWhenAnswered{job, !closed, closed ? "the plant runs" : "",
                                           core::Duration{stands}});
        }
    });
}

void Process::perform_action(core::RaiseMessage& action) {
    const auto [place, is_new] =
        machine_.messages.insert_or_assign({action.id, action.subject}, action);
    if (is_new) {
        tell("message " + action.id + (action.subject.empty() ? "" : " " + action.subject));
    }
}

void Process::perform_action(core::ClearMessage& action) {
    if (machine_.messages.erase({action.id, action.subject}) != 0) {
        tell("message cleared " + action.id + (action.subject.empty() ? "" : " " + action.subject));
    }
}

void Process::perform_action(core::ObjectChanged&) {}
void Process::perform_action(core::StationChanged&) {}
void Process::perform_action(core::ProviderChanged&) {}

void Process::perform_action(core::CommandAnswered& action) {
    tell(action.command + " " + action.subject +
         (action.ok ? " done" : " refused: " + action.text));
    if (world_.watcher) {
        world_.watcher->on_command_answered(machine_, action);
    }
}

void Process::perform_action(core::SetFetchSources& action) {
    if (auto job = jobs_.find(action.job); job != jobs_.end()) {
        job->second.sources = action.sources;
    }
}

void Process::perform_action(core::CancelJob& action) {
    auto found = jobs_.find(action.job);
    if (found == jobs_.end()) {
        return;
    }
    const Job job = found->second;
    jobs_.erase(found);
    core::Event event;
    switch (job.kind) {
    case JobKind::scan:
        event = core::ScanFinished{
            action.job, job.object.provider, core::JobStatus::cancelled, "cancelled", {}};
        break;
    case JobKind::export_: {
        core::ExportFinished finished;
        finished.job = action.job;
        finished.status = core::JobStatus::cancelled;
        event = finished;
        break;
    }
    case JobKind::fetch: {
        core::FetchFinished finished;
        finished.job = action.job;
        finished.status = core::JobStatus::cancelled;
        event = finished;
        break;
    }
    case JobKind::save:
        event = core::HistorySaved{action.job, core::JobStatus::cancelled, "cancelled", {}};
        break;
    case JobKind::ask:
        event = core::ApplyWhenAnswered{action.job, false, "cancelled", {}};
        break;
    case JobKind::judge:
        event = core::TokensJudged{action.job, false, "cancelled"};
        break;
    }
    later(world_.random.between(1, 20 * millisecond), [this, event] { handle(event); });
}

} // namespace stationsync::simulation
