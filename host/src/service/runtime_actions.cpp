// The engine's actions, one function each.
#include "service/runtime.hpp"

#include "base/fault_points.hpp"
#include "base/log.hpp"
#include "base/path_text.hpp"

namespace stationsync::host {

namespace {

std::uint64_t number(core::JobId job) {
    return static_cast<std::uint64_t>(job);
}

constexpr std::string_view stopped_text = "the provider is not running";

} // namespace

void Runtime::perform(core::Action& action) {
    if (log::enabled("engine", log::Level::trace))
        log::write(log::Level::trace, "engine", "action " + core::to_text(action));
    std::visit([this](auto& each) { act(each); }, action);
}

void Runtime::act(core::Persist& action) {
    for (const core::Mutation& mutation : action.mutations)
        if (const auto* const put = std::get_if<core::PutObject>(&mutation))
            digests_.erase(put->record.id.provider);
    writer_->persist(action.id, std::move(action.mutations));
}

void Runtime::act(core::SendMessage& action) {
    if (ending_)
        return;
    auto encoded = encode_message(action.message);
    if (!encoded) {
        log::error("net", "a message cannot be sent: " + encoded.error().text);
        return;
    }
    for (Bytes& bytes : *encoded)
        links_->send_engine(action.link, std::move(bytes));
}

void Runtime::act(core::Dial& action) {
    if (!ending_)
        links_->dial(action.dial, action.address);
}

void Runtime::act(core::CloseLink& action) {
    if (!ending_)
        links_->close(action.link, action.reason);
}

void Runtime::act(core::ProbeLink& action) {
    if (!ending_)
        links_->probe(action.link);
}

void Runtime::act(core::Scan& action) {
    const auto instance = instance_of(action.provider);
    if (!instance) {
        feed(core::ScanFinished{
            action.job, action.provider, core::JobStatus::failed, std::string(stopped_text), {}});
        return;
    }
    job_provider_[action.job] = action.provider;
    const std::string provider = action.provider;
    const core::JobId job = action.job;
    auto outcome = std::make_shared<CallOutcome>();
    auto weak = weak_from_this();
    auto post = post_to_io_context(&context_);
    auto work = [weak, post, provider, job, outcome,
                 keys = std::move(action.keys)](ProviderCalls& calls, Operation& operation) {
        const auto batch = [&](std::vector<core::ObservedObject> objects,
                               std::vector<core::ObservedFault> faults) {
            auto seen = std::make_shared<core::ObjectsObserved>(
                core::ObjectsObserved{job, provider, std::move(objects), std::move(faults)});
            post([weak, seen] {
                if (const auto self = weak.lock())
                    self->feed(std::move(*seen));
            });
        };
        *outcome = calls.scan(operation, keys, false, batch);
    };
    auto done = alive([this, provider, job, outcome] {
        job_provider_.erase(job);
        std::string remedy;
        if (outcome->status == core::JobStatus::denied)
            remedy = "If the folder or database was changed on purpose: stationsync provider "
                     "accept-root " +
                     provider;
        feed(core::ScanFinished{job, provider, outcome->status, outcome->text, remedy});
    });
    instance->call(number(job), std::move(work), std::move(done));
}

void Runtime::act(core::Export& action) {
    const core::JobId job = action.job;
    const auto instance = instance_of(action.object.provider);
    if (!instance) {
        core::ExportFinished failed;
        failed.job = job;
        failed.status = core::JobStatus::failed;
        failed.text = stopped_text;
        feed(std::move(failed));
        return;
    }
    job_provider_[job] = action.object.provider;
    auto result = std::make_shared<core::ExportFinished>();
    auto work = [store = store_, action, result](ProviderCalls& calls, Operation& operation) {
        *result = store->export_object(calls, operation, action);
    };
    auto done = alive([this, job, result] {
        job_provider_.erase(job);
        feed(std::move(*result));
    });
    instance->call(number(job), std::move(work), std::move(done));
}

void Runtime::act(core::DescribePackage& action) {
    if (action.in_history)
        return; // described when it was put there
    const ProviderSlot* const slot = slot_of(action.object.provider);
    const std::string extension =
        slot && slot->kind ? extension_of(*slot->kind, action.object.key) : std::string();
    writer_->before_next({std::move(action), extension});
}

void Runtime::act(core::StartFetch& action) {
    if (ending_)
        return;
    const ProviderSlot* const slot = slot_of(action.object.provider);
    FetchRequest request;
    request.id = action.job;
    request.name = store_->name_of(action.object, action.revision.get(),
                                   slot && slot->kind ? extension_of(*slot->kind, action.object.key)
                                                      : std::string());
    request.package = action.package;
    request.revision = encode_revision(*action.revision);
    request.sources = action.sources;
    request.spread = true;
    fetches_[action.job] = action;
    // Where the older packages lie is a question for the disk.
    auto bases = std::make_shared<std::vector<BaseCandidate>>();
    auto look = [store = store_, action, bases] {
        for (const core::PackageInfo& package : action.bases)
            if (auto file = store->find(action.object, package.digest))
                bases->push_back({package, std::move(*file)});
    };
    auto shared = std::make_shared<FetchRequest>(std::move(request));
    auto begin = alive([this, shared, bases] {
        const auto place = fetches_.find(shared->id);
        if (ending_ || place == fetches_.end())
            return;
        shared->bases = std::move(*bases);
        shared->sources = place->second.sources; // they may have changed meanwhile
        transfer_->start_fetch(std::move(*shared));
    });
    if (action.bases.empty())
        post_to_io_context (&context_)(std::move(begin));
    else
        pool_.submit(std::move(look), std::move(begin));
}

void Runtime::act(core::SetFetchSources& action) {
    const auto place = fetches_.find(action.job);
    if (ending_ || place == fetches_.end())
        return;
    place->second.sources = action.sources;
    transfer_->set_sources(action.job, action.sources);
}

void Runtime::act(core::CancelJob& action) {
    if (ending_)
        return;
    if (fetches_.erase(action.job) > 0) {
        transfer_->cancel(action.job);
        core::FetchFinished cancelled;
        cancelled.job = action.job;
        cancelled.status = core::JobStatus::cancelled;
        feed(std::move(cancelled));
        return;
    }
    const auto place = job_provider_.find(action.job);
    if (place == job_provider_.end())
        return;
    if (const auto instance = instance_of(place->second))
        instance->cancel(number(action.job));
}

void Runtime::act(core::SaveToHistory& action) {
    const core::JobId job = action.job;
    const auto instance = instance_of(action.object.provider);
    if (!instance) {
        feed(core::HistorySaved{job, core::JobStatus::failed, std::string(stopped_text), {}});
        return;
    }
    auto result = std::make_shared<core::HistorySaved>();
    auto work = [store = store_, action, result](ProviderCalls& calls, Operation& operation) {
        *result = store->save_to_history(calls, operation, action);
    };
    auto done = alive([this, result] { feed(std::move(*result)); });
    instance->call(number(job), std::move(work), std::move(done));
}

void Runtime::act(core::StartApply& action) {
    const auto instance = instance_of(action.object.provider);
    if (!instance)
        return; // the intent is issued again when the provider starts
    auto outcome = std::make_shared<ApplyOutcome>();
    auto work = [store = store_, action, outcome](ProviderCalls& calls, Operation& operation) {
        const auto file = store->find(action.object, action.package.digest);
        if (!file) {
            outcome->status = core::JobStatus::not_found;
            outcome->text = "its package is not here any more: " + file.error().text;
            return;
        }
        STSYNC_FAULT_POINT("apply.before_plugin");
        *outcome = calls.apply(operation, action.object.key, *file, action.apply, action.expected,
                               action.revision->changed_at);
        STSYNC_FAULT_POINT("apply.after_plugin");
    };
    auto done = alive([this, id = action.apply, object = action.object, outcome] {
        if (outcome->status == core::JobStatus::ok)
            log::info("apply", "applied", {{}, core::to_text(object), {}});
        core::ApplyFinished finished;
        finished.apply = id;
        finished.status = outcome->status;
        finished.text = outcome->text;
        finished.retry_after = outcome->retry_after;
        finished.mark = outcome->mark;
        finished.changed_at = outcome->changed_at;
        feed(std::move(finished));
    });
    instance->call(0, std::move(work), std::move(done));
}

void Runtime::act(core::DropPackage& action) {
    auto work = [store = store_, action] {
        if (const auto dropped = store->drop(action); !dropped)
            log::write_limited("drop", log::Level::warning, "packages", dropped.error().text,
                               {{}, core::to_text(action.object), {}});
    };
    pool_.submit(std::move(work), alive([] {}));
}

void Runtime::act(core::AdoptKept& action) {
    const ProviderSlot* const slot = slot_of(action.object.provider);
    const std::string extension =
        slot && slot->kind ? extension_of(*slot->kind, action.object.key) : std::string();
    auto answer = std::make_shared<core::KeptAdopted>();
    answer->object = action.object;
    answer->package = action.package.digest;
    auto work = [store = store_, action, extension, answer] {
        if (const auto adopted = store->adopt_kept(action, extension); !adopted) {
            answer->status = job_status(adopted.error());
            answer->text = adopted.error().text;
        }
    };
    auto done = alive([this, answer] { feed(std::move(*answer)); });
    pool_.submit(std::move(work), std::move(done));
}

void Runtime::act(core::JudgeTokens& action) {
    const core::JobId job = action.job;
    const auto instance = instance_of(action.provider);
    if (!instance)
        return; // not known yet; the engine asks again once the provider has told its own tokens
    auto outcome = std::make_shared<CallOutcome>();
    auto work = [outcome, tokens = action.tokens](ProviderCalls& calls, Operation& operation) {
        *outcome = calls.check_compat(operation, tokens);
    };
    auto done = alive([this, job, outcome, provider = action.provider] {
        const bool compatible = outcome->status == core::JobStatus::ok;
        if (compatible || outcome->status == core::JobStatus::incompatible)
            feed(core::TokensJudged{job, compatible, outcome->text});
        else if (ProviderSlot* const slot = slot_of(provider)) {
            // No verdict. Its tokens told once more make the engine ask again.
            slot->compat_known = false;
            ask_compat_later();
        }
    });
    instance->call(0, std::move(work), std::move(done));
}

void Runtime::act(core::RaiseMessage& action) {
    messages_->raise(action, now().wall);
}

void Runtime::act(core::ClearMessage& action) {
    messages_->clear(action.id, action.subject);
}

void Runtime::act(core::ObjectChanged& action) {
    listener_.object_changed(action.object);
}

void Runtime::act(core::StationChanged& action) {
    listener_.station_changed(action.id);
}

void Runtime::act(core::ProviderChanged& action) {
    listener_.provider_changed(action.provider);
}

void Runtime::act(core::CommandAnswered& action) {
    listener_.command_answered(action);
}

} // namespace stationsync::host
