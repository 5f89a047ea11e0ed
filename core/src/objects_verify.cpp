// verify: reads all content again and compares it with what the records and the other stations say.
#include "objects.hpp"

#include <algorithm>

namespace stationsync::core {

namespace {
constexpr std::size_t running_at_once = 4;
constexpr std::size_t keys_told_at_most = 100;
constexpr Duration reports_awaited_for = std::chrono::minutes(30);
} // namespace

void Objects::on(const VerifyRequested& event) {
    if (!event.provider.empty() && !provider_of({event.provider, {}})) {
        answer("verify", event.provider, false,
               "no enabled provider is called '" + event.provider + "'");
        return;
    }
    std::uint64_t const request = ++verify_requests_;
    start_verify(event.provider, request, std::nullopt);
    VerifyRun& run = verifies_.back();
    for (const auto& [station, exchange] : exchanges_) {
        run.awaited.insert(station);
        send(station, VerifyRequest{request, event.provider});
    }
}

void Objects::on_message(const StationId& from, const VerifyRequest& message) {
    // One run per asker: a station that asks again and again costs no more than one.
    for (const VerifyRun& run : verifies_)
        if (run.asker == from)
            return;
    start_verify(message.provider, message.request, from);
}

void Objects::start_verify(const std::string& provider, std::uint64_t request,
                           std::optional<StationId> asker) {
    VerifyRun run;
    run.provider = provider;
    run.request = request;
    run.asker = asker;
    run.give_up = context_.instant() + reports_awaited_for;
    for (const auto& [id, object] : objects_)
        if ((provider.empty() || id.provider == provider) && provider_of(id) &&
            (object->record.held || object->head()))
            run.waiting.push_back(id);
    std::reverse(run.waiting.begin(), run.waiting.end()); // taken from the back
    verifies_.push_back(std::move(run));
}

void Objects::run_verify() {
    for (VerifyRun& run : verifies_) {
        while (!run.waiting.empty() && run.running.size() < running_at_once) {
            const ObjectId id = run.waiting.back();
            run.waiting.pop_back();
            Object* const object = find(id);
            ++run.checked;
            if (!object || !is_in_sync(*object) || object->stage() != Stage::idle) {
                if (run.different.size() < keys_told_at_most)
                    run.different.push_back(to_text(id) + " (not in sync)");
                continue;
            }
            if (!object->record.held)
                continue;
            Export job;
            job.job = context_.new_job();
            job.object = id;
            job.purpose = ExportPurpose::verify;
            job.expected = object->record.mark;
            run.running.emplace(job.job, id);
            context_.out.now(std::move(job));
        }
    }
    conclude_verify();
}

bool Objects::verify_finished(const ExportFinished& event) {
    for (VerifyRun& run : verifies_) {
        const auto place = run.running.find(event.job);
        if (place == run.running.end())
            continue;
        const ObjectId id = place->second;
        run.running.erase(place);
        Object* const object = find(id);
        const bool equal = event.status == JobStatus::ok && object && object->record.held &&
                           (!event.digest || !object->record.held->digest ||
                            event.digest == object->record.held->digest);
        if (!equal && run.different.size() < keys_told_at_most)
            run.different.push_back(to_text(id) +
                                    (event.text.empty() ? std::string() : " (" + event.text + ")"));
        if (event.status == JobStatus::changed && object)
            rescan(*object);
        return true;
    }
    return false;
}

void Objects::on_message(const StationId& from, const VerifyReport& message) {
    for (VerifyRun& run : verifies_) {
        if (run.asker || run.request != message.request || run.awaited.erase(from) == 0)
            continue;
        std::string text = stations_->name_of(from) + ": " + std::to_string(message.checked) +
                           " checked, " + std::to_string(message.different.size()) + " different";
        for (const std::string& key : message.different)
            text += "\n  " + key;
        run.ok = run.ok && message.different.empty();
        run.peer_reports.push_back(std::move(text));
    }
}

void Objects::conclude_verify() {
    std::erase_if(verifies_, [&](VerifyRun& run) {
        if (!run.waiting.empty() || !run.running.empty())
            return false;
        if (run.asker) {
            send(*run.asker, VerifyReport{run.request, run.provider, run.checked, run.different});
            return true;
        }
        if (!run.awaited.empty() && run.give_up > context_.instant())
            return false;
        // Equal on every linked station: each holds the same revision, and its content was read
        // again.
        for (auto const& [id, object] : objects_)
            for (auto const& [station, exchange] : exchanges_)
                if ((run.provider.empty() || id.provider == run.provider) && object->record.held &&
                    stations_->provider_open(station, id.provider)) {
                    auto const present = holders(*object);
                    bool const there =
                        std::find(present.begin(), present.end(), station) != present.end();
                    if (!there && run.different.size() < keys_told_at_most)
                        run.different.push_back(to_text(id) + " (not the same on " +
                                                stations_->name_of(station) + ")");
                }
        std::string text = "this station: " + std::to_string(run.checked) + " checked, " +
                           std::to_string(run.different.size()) + " different";
        for (std::string const& key : run.different)
            text += "\n  " + key;
        for (std::string const& report : run.peer_reports)
            text += "\n" + report;
        for (StationId const& silent : run.awaited)
            text += "\n" + stations_->name_of(silent) + ": no report";
        answer("verify", run.provider, run.ok && run.different.empty() && run.awaited.empty(),
               text);
        return true;
    });
}

} // namespace stationsync::core
