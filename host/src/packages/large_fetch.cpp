#include "packages/large_fetch.hpp"

#include "base/fault_points.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace stationsync::host {

FetchFailure failure_of(const IoError& error) {
    return error.kind == IoErrorKind::no_space ? FetchFailure::no_space : FetchFailure::io;
}

struct LargeFetch::Prepared {
    IoResult<PackageSlot> slot{PackageSlot{}};
    std::shared_ptr<PartFile> part;
    std::shared_ptr<const BaseBlocks> bases;
    std::optional<IoError> error;
};

LargeFetch::LargeFetch(TransferContext& context, FetchRequest request, const BlockLayout& layout)
    : Fetch(context, std::move(request)), layout_(layout), plan_(layout.count) {
    partial_.blocks = BlockSet(layout.count);
}

void LargeFetch::start() {
    auto prepared = std::make_shared<Prepared>();
    context_.pool.submit(
        [prepared, packages = context_.packages, manifests = context_.manifests,
         name = request_.name, package = request_.package, candidates = request_.bases,
         layout = layout_] {
            prepared->slot = packages.reserve(name, package.digest);
            if (!prepared->slot || prepared->slot->taken) {
                return;
            }
            auto part = PartFile::open(*prepared->slot, package, layout);
            if (!part) {
                prepared->error = part.error();
                return;
            }
            prepared->part = std::move(*part);
            prepared->bases =
                std::make_shared<const BaseBlocks>(candidates, layout.block_bytes, manifests);
        },
        [prepared, weak = weak_from_this(), cancelled = cancelled_, &pool = context_.pool] {
            const auto self = std::static_pointer_cast<LargeFetch>(weak.lock());
            if (self && self->step_ != Step::ended) {
                self->on_prepared(*prepared);
            } else if (*cancelled && prepared->part) {
                pool.submit([prepared] { remove_part(*prepared->slot); }, {});
            }
        });
}

void LargeFetch::on_prepared(const Prepared& prepared) {
    if (!prepared.slot || prepared.error) {
        const IoError& error = prepared.error ? *prepared.error : prepared.slot.error();
        fail(failure_of(error), error.text, false);
        return;
    }
    slot_ = *prepared.slot;
    if (slot_.taken) {
        step_ = Step::ended;
        close_channels();
        context_.finished(*this, FinishedFetch{slot_.file, bytes_received_, true});
        return;
    }
    part_ = prepared.part;
    bases_ = prepared.bases;
    partial_.file = part_;
    step_ = Step::listing;
    for (const core::StationId& source : std::exchange(request_.sources, {})) {
        open_source(source);
    }
    if (part_->old_manifest()) {
        // The list of the earlier attempt; if it was wrong the whole shows it.
        manifest_ = part_->old_manifest();
        sort_blocks();
    } else if (sources_.empty()) {
        fail_without_sources();
    }
}

void LargeFetch::open_source(const core::StationId& station) {
    if (sources_.contains(station)) {
        return;
    }
    const ChannelId channel = context_.new_channel(station, *this);
    Source source(channel, SourceWindow(layout_.block_bytes, context_.options.fetch_window_bytes));
    source.heard_at_us = monotonic_now_us();
    source.has = BlockSet(layout_.count);
    if (request_.spread && layout_.count > 0) {
        std::uint32_t own = 0;
        std::memcpy(&own, context_.options.self.bytes.data(), sizeof own);
        source.cursor = own % layout_.count;
    } else {
        // Complete sources of one fetch begin at different places.
        source.cursor =
            static_cast<std::uint32_t>(std::uint64_t{layout_.count} * (sources_.size() % 8) / 8);
    }
    sources_.emplace(station, std::move(source));
    OpenMessage open{channel, object(), package(), {}};
    for (std::size_t base = 0; base < bases_->count(); ++base) {
        const BlockManifest& manifest = bases_->manifest(base);
        open.bases.push_back({manifest.package, manifest.layout.package_bytes});
    }
    context_.outbox.send(station, TransferLane::control, open, object().provider);
}

void LargeFetch::set_sources(const std::vector<core::StationId>& sources) {
    if (step_ == Step::preparing) {
        request_.sources = sources;
        return;
    }
    if (step_ == Step::ended || step_ == Step::finishing) {
        return;
    }
    std::vector<core::StationId> superfluous;
    for (const auto& [station, source] : sources_) {
        if (std::find(sources.begin(), sources.end(), station) == sources.end()) {
            superfluous.push_back(station);
        }
    }
    for (const core::StationId& station : superfluous) {
        release_source(sources_.find(station), true);
    }
    for (const core::StationId& station : sources) {
        open_source(station);
    }
    fail_without_sources();
}

void LargeFetch::on_message(const core::StationId& station, TransferMessage& message) {
    const auto found = sources_.find(station);
    if (found == sources_.end() || step_ == Step::ended) {
        return;
    }
    Source& source = found->second;
    source.heard_at_us = monotonic_now_us();
    source.stalled = false;
    if (auto* const block = std::get_if<BlockMessage>(&message)) {
        on_block(station, *block);
    } else if (const auto* const list = std::get_if<ManifestMessage>(&message)) {
        on_list(station, *list);
    } else if (const auto* const opened = std::get_if<OpenedMessage>(&message)) {
        on_opened(source, *opened);
    } else if (const auto* const have = std::get_if<HaveMessage>(&message)) {
        on_have(source, have->runs);
    } else if (const auto* const cannot = std::get_if<CannotMessage>(&message)) {
        if (cannot->reason == CannotReason::lost && ++source.lost_in_a_row <= lost_in_a_row_max) {
            reopen_source(found);
        } else {
            drop_source(station, cannot->text, false);
        }
    }
}

void LargeFetch::on_opened(Source& source, const OpenedMessage& message) {
    if (source.opened) {
        return; // said once
    }
    source.opened = true;
    source.complete = message.complete;
    source.bases_known = message.bases_known;
    if (!message.complete) {
        on_have(source, message.runs);
    }
    request_list();
    pump();
}

void LargeFetch::on_have(Source& source, const std::vector<BlockRun>& runs) {
    if (source.complete) {
        return;
    }
    for (const BlockRun& run : runs) {
        const std::uint32_t end = std::min(layout_.count, run.first + run.count);
        for (std::uint32_t index = run.first; index < end; ++index) {
            if (!source.has.has(index)) {
                source.has.add(index);
                plan_.add_partial_holder(index);
            }
        }
    }
    pump();
}

void LargeFetch::release_source(Sources::iterator found, bool tell_source) {
    if (found == sources_.end()) {
        return;
    }
    const core::StationId station = found->first;
    Source source = std::move(found->second);
    sources_.erase(found);
    if (!source.complete) {
        plan_.drop_partial_holder(source.has);
    }
    for (const auto& [index, asked] : source.asked) {
        give_back(index);
    }
    if (tell_source) {
        context_.outbox.send(station, TransferLane::control, CloseMessage{source.channel},
                             object().provider);
    }
    context_.drop_channel(station, source.channel);
    if (list_requested_ && !manifest_ && list_source_ == station) {
        list_requested_ = false;
        request_list();
    }
}

void LargeFetch::drop_source(const core::StationId& station, const std::string& text,
                             bool tell_source) {
    const auto found = sources_.find(station);
    if (found == sources_.end()) {
        return;
    }
    release_source(found, tell_source);
    last_failure_ = text;
    context_.host.fetch_source_failed(request_.id, station, text);
    fail_without_sources();
    pump();
}

void LargeFetch::on_source_gone(const core::StationId& source) {
    if (step_ == Step::preparing) {
        std::erase(request_.sources, source);
        return;
    }
    drop_source(source, "the link to the source was lost", false);
}

void LargeFetch::on_link_lost(const core::StationId& station) {
    if (const auto found = sources_.find(station); found != sources_.end()) {
        reopen_source(found);
    }
}

// Nothing that was asked of it counts any more. The engine is not told: a source that fails is
// forgotten there until it announces the package anew.
void LargeFetch::reopen_source(Sources::iterator found) {
    const core::StationId station = found->first;
    const bool disputed = found->second.disputed;
    const std::uint32_t lost_in_a_row = found->second.lost_in_a_row;
    release_source(found, true);
    open_source(station);
    Source& source = sources_.at(station);
    source.disputed = disputed;
    source.lost_in_a_row = lost_in_a_row;
    pump();
}

// Nobody is left to ask, and nothing is under way that could still help.
void LargeFetch::fail_without_sources() {
    bool any_disputed = false;
    for (const auto& [station, source] : sources_) {
        if (!source.disputed) {
            return;
        }
        any_disputed = true;
    }
    const bool list_missing = step_ == Step::listing;
    const bool blocks_missing = step_ == Step::fetching && local_.empty() && local_jobs_ == 0 &&
                                in_work_ == 0 && !hashing_ && !plan_.is_complete();
    if (blocks_missing && any_disputed) {
        restart_list(); // the list's source is gone: these may have been right
    } else if (list_missing || blocks_missing) {
        fail(FetchFailure::no_source,
             last_failure_.empty() ? "no station that has the package is connected" : last_failure_,
             false);
    }
}

void LargeFetch::fail(FetchFailure failure, const std::string& text, bool remove) {
    if (step_ == Step::ended) {
        return;
    }
    stop(remove || failure == FetchFailure::no_space);
    context_.failed(*this, failure, text);
}

void LargeFetch::stop(bool remove) {
    if (step_ == Step::ended) {
        return;
    }
    const bool committing = step_ == Step::finishing;
    step_ = Step::ended;
    *cancelled_ = remove;
    close_channels();
    if (!part_ || committing) {
        return; // what is being committed stays: it is a good package
    }
    partial_.file.reset();
    context_.pool.submit(
        [part = std::exchange(part_, nullptr), slot = slot_, blocks = partial_.blocks,
         journalled = manifest_ != nullptr, remove] {
            if (remove) {
                remove_part(slot);
            } else if (journalled) {
                static_cast<void>(part->save_journal(blocks)); // a hint
            }
        },
        {});
}

void LargeFetch::close_channels() {
    for (auto& [station, source] : std::exchange(sources_, {})) {
        context_.outbox.send(station, TransferLane::control, CloseMessage{source.channel},
                             object().provider);
        context_.drop_channel(station, source.channel);
    }
}

void LargeFetch::finish_if_complete() {
    if (step_ != Step::fetching || !plan_.is_complete() || hashing_ ||
        whole_->next < layout_.count) {
        return;
    }
    if (to_digest(whole_->hash.finish()) != request_.package.digest) {
        on_whole_wrong();
        return;
    }
    commit();
}

// All blocks match a list that does not match the package: whoever sent the list was wrong.
void LargeFetch::on_whole_wrong() {
    const std::string text = "the list of blocks that the source sent does not give the package";
    const bool others = sources_.size() > (sources_.contains(list_source_) ? 1U : 0U);
    if (!others) {
        if (sources_.contains(list_source_)) {
            context_.host.fetch_source_failed(request_.id, list_source_, text);
        }
        fail(FetchFailure::corrupt, text, true);
        return;
    }
    const core::StationId wrong = list_source_;
    restart_list();
    drop_source(wrong, text, true);
}

// Begins again with the list of another source. Nothing may be under way. What is in the part
// counts as nothing: it matched the other list only.
void LargeFetch::restart_list() {
    step_ = Step::listing;
    part_->expect_old_content();
    list_.reset();
    list_requested_ = false;
    list_source_ = {};
    manifest_.reset();
    partial_.manifest.reset();
    partial_.blocks = BlockSet(layout_.count);
    plan_ = BlockPlan(layout_.count);
    plain_only_.clear();
    done_at_journal_ = 0;
    for (auto& [station, source] : sources_) {
        source.asked.clear();
        source.disputed = false;
        if (!source.complete) {
            for (std::uint32_t index = 0; index < layout_.count; ++index) {
                if (source.has.has(index)) {
                    plan_.add_partial_holder(index);
                }
            }
        }
    }
    request_list();
}

void LargeFetch::dispute(const core::StationId& station) {
    const auto found = sources_.find(station);
    if (found == sources_.end() || found->second.disputed) {
        return;
    }
    found->second.disputed = true;
    for (const auto& [index, asked] : std::exchange(found->second.asked, {})) {
        give_back(index);
    }
}

void LargeFetch::commit() {
    step_ = Step::finishing;
    for (const auto& [station, source] : sources_) {
        if (source.disputed) {
            context_.host.fetch_source_failed(
                request_.id, station, "the source sent a block that does not match its hash");
        }
    }
    close_channels();
    STSYNC_FAULT_POINT("fetch.complete_before_rename");
    context_.commits.add(
        PendingPackage{slot_, description(), std::nullopt},
        [part = part_, manifests = context_.manifests, manifest = manifest_,
         modified = request_.package.modified_100ns](PendingPackage&) {
            manifests.save(*manifest);
            return part->set_modified(modified);
        },
        [weak = weak_from_this()](const IoResult<std::filesystem::path>& result) {
            const auto self = std::static_pointer_cast<LargeFetch>(weak.lock());
            if (!self || self->step_ == Step::ended) {
                return;
            }
            STSYNC_FAULT_POINT("fetch.after_rename");
            if (!result) {
                self->fail(failure_of(result.error()), result.error().text, true);
                return; // the queue has removed the part
            }
            self->report_progress(true);
            self->step_ = Step::ended;
            self->context_.finished(*self, FinishedFetch{*result, self->bytes_received_, false});
        });
}

void LargeFetch::report_progress(bool always) {
    const std::int64_t now_us = monotonic_now_us();
    constexpr std::int64_t interval_us = 250'000;
    if (plan_.done() == done_at_report_ || (!always && now_us - reported_at_us_ < interval_us)) {
        return;
    }
    done_at_report_ = plan_.done();
    reported_at_us_ = now_us;
    context_.host.fetch_progressed(
        request_.id,
        std::min(layout_.package_bytes, std::uint64_t{plan_.done()} * layout_.block_bytes),
        bytes_received_);
}

void LargeFetch::tick(std::int64_t now_us) {
    if (step_ == Step::ended || step_ == Step::finishing || step_ == Step::preparing) {
        return;
    }
    std::vector<core::StationId> silent;
    for (auto& [station, source] : sources_) {
        const bool waits = !source.opened || !source.asked.empty() ||
                           (list_requested_ && !manifest_ && list_source_ == station);
        if (!waits) {
            continue;
        }
        const std::int64_t silence_us = now_us - source.heard_at_us;
        if (silence_us > context_.options.give_up_us) {
            silent.push_back(station);
        } else if (silence_us > context_.options.stall_us && !source.stalled) {
            source.stalled = true; // others take over; its answers still count
            for (const auto& [index, asked] : source.asked) {
                give_back(index);
            }
        }
    }
    for (const core::StationId& station : silent) {
        drop_source(station, "the source does not answer", true);
    }
    pump();
}

std::uint64_t LargeFetch::bytes_in_flight() const {
    std::uint64_t blocks = in_work_;
    for (const auto& [station, source] : sources_) {
        blocks += source.asked.size();
    }
    return blocks * layout_.block_bytes;
}

} // namespace stationsync::host
