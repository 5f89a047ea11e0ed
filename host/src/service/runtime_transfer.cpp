// Packages between stations: what the transfer engine needs, and what it tells.
#include "service/runtime.hpp"

#include "base/durable.hpp"
#include "base/log.hpp"

namespace stationsync::host {

SendResult Runtime::send_transfer(const core::StationId& station, TransferLane lane,
                                  std::vector<std::byte> frame) {
    const auto link = transfer_link(station);
    if (!link || ending_ || !engine_->may_exchange(station))
        return SendResult::gone;
    live_links_[*link].carried = true;
    if (lane == TransferLane::blocks) {
        live_links_[*link].blocks_held.push_back(std::move(frame));
        return send_held_blocks(*link);
    }
    // A link that has ended swallows it: on_link_down follows, and tells the engine what that
    // means.
    links_->send_transfer(*link, std::move(frame));
    return SendResult::taken;
}

// Hands over what waits for the block lane, as far as it has room.
SendResult Runtime::send_held_blocks(LinkId link) {
    LinkEntry& entry = live_links_[link];
    while (!entry.blocks_full && !entry.blocks_held.empty()) {
        const LinkSend sent = links_->send_block(link, std::move(entry.blocks_held.front()));
        entry.blocks_held.pop_front();
        if (sent == LinkSend::no_link)
            entry.blocks_held.clear(); // on_link_down follows
        entry.blocks_full = sent == LinkSend::queued_full;
    }
    return entry.blocks_full ? SendResult::full : SendResult::taken;
}

void Runtime::locate(const core::ObjectId& object, const PackageRef& package, LocateReply reply) {
    auto found = std::make_shared<IoResult<std::filesystem::path>>(std::filesystem::path());
    auto work = [store = store_, object, package, found] {
        *found = store->find(object, package.digest);
    };
    auto done = alive([this, object, package, found, reply = std::move(reply)] {
        if (*found)
            reply(LocatedPackage{**found});
        else
            locate_live(object, package, reply);
    });
    pool_.submit(std::move(work), std::move(done));
}

// Rule 16: where the live data serve as the package, it is made for the asking.
void Runtime::locate_live(const core::ObjectId& object, const PackageRef& package,
                          LocateReply reply) {
    const core::ObjectRecord* const record = engine_->record(object);
    bool live = false;
    if (record)
        for (const core::LocalPackage& local : record->packages)
            live = live || (local.live && local.package.digest == package.digest);
    if (live && live_exports_)
        live_exports_->locate(object, package, std::move(reply));
    else
        reply(IoError{IoErrorKind::not_found, "this station does not have the package any more"});
}

void Runtime::export_live(const core::ObjectId& object, const PackageRef& package,
                          LiveExports::Made made) {
    // A stop of the service does not wait for what only peers want.
    constexpr std::uint64_t cancelled_at_stop = ~std::uint64_t{0};
    const auto instance = instance_of(object.provider);
    if (!instance) {
        made(IoError{IoErrorKind::not_found, "the provider of the package is not running"});
        return;
    }
    auto result = std::make_shared<IoResult<TemporaryFilePtr>>(TemporaryFilePtr());
    auto work = [store = store_, object, package, result](ProviderCalls& calls,
                                                          Operation& operation) {
        const auto exported = store->export_live(calls, operation, object, package.digest);
        if (exported)
            *result = std::make_shared<const TemporaryFile>(*exported);
        else
            *result = exported.error();
    };
    auto done = alive([result, made = std::move(made)] { made(std::move(*result)); });
    instance->call(cancelled_at_stop, std::move(work), std::move(done));
}

// Every byte is verified; what the bytes mean is verified by the plugin before the engine may use
// them.
void Runtime::fetch_finished(core::JobId id, const FinishedFetch& result) {
    const auto place = fetches_.find(id);
    if (place == fetches_.end())
        return;
    const core::StartFetch fetch = std::move(place->second);
    fetches_.erase(place);
    core::FetchFinished finished;
    finished.job = id;
    finished.bytes_received = result.bytes_received;
    const auto instance = instance_of(fetch.object.provider);
    if (!instance) {
        finished.status = core::JobStatus::failed;
        finished.text = "the provider is not running";
        feed(std::move(finished));
        return;
    }
    auto outcome = std::make_shared<VerifyOutcome>();
    auto work = [outcome, key = fetch.object.key, file = result.file](ProviderCalls& calls,
                                                                      Operation& operation) {
        *outcome = calls.verify(operation, key, file);
    };
    auto done = alive([this, finished, outcome, fetch]() mutable {
        finished.status = outcome->status;
        finished.text = outcome->text;
        finished.digest = outcome->digest;
        if (outcome->status == core::JobStatus::corrupt) {
            core::DropPackage drop{fetch.object, fetch.package.digest, false};
            act(drop);
        }
        feed(std::move(finished));
    });
    instance->call(0, std::move(work), std::move(done));
}

void Runtime::fetch_failed(core::JobId id, FetchFailure failure, const std::string& text) {
    if (fetches_.erase(id) == 0)
        return;
    core::FetchFinished finished;
    finished.job = id;
    finished.text = text;
    switch (failure) {
    case FetchFailure::no_source:
        finished.status = core::JobStatus::not_found;
        break;
    case FetchFailure::no_space:
        finished.status = core::JobStatus::no_space;
        break;
    case FetchFailure::corrupt:
        finished.status = core::JobStatus::corrupt;
        break;
    case FetchFailure::io:
    case FetchFailure::too_large:
        finished.status = core::JobStatus::failed;
        break;
    }
    if (failure == FetchFailure::no_space)
        raise("no-space-sync", {});
    feed(std::move(finished));
}

void Runtime::fetch_progressed(core::JobId id, std::uint64_t bytes_done,
                               std::uint64_t bytes_received) {
    feed(core::FetchProgressed{id, bytes_done, bytes_received});
}

void Runtime::fetch_source_failed(core::JobId id, const core::StationId& source,
                                  const std::string& text) {
    log::write_limited("source " + core::to_text(source) + text, log::Level::warning, "transfer",
                       text, {core::to_text(source), {}, "source"});
    feed(core::FetchSourceFailed{id, source, text});
}

} // namespace stationsync::host
