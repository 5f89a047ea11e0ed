// The list of blocks, and what of them is here already.
#include "packages/large_fetch.hpp"

#include "base/fault_points.hpp"

#include <algorithm>
#include <utility>

namespace stationsync::host {
namespace {
constexpr std::uint32_t local_blocks_per_job = 32;
constexpr std::uint32_t local_jobs_max = 2;
} // namespace

struct LargeFetch::Sorted {
    std::vector<Local> local;
    std::uint32_t in_place = 0;
    IoResult<void> journal;
};

// From a complete source if there is one: two stations that fetch the same from each other must not
// wait for each other's list.
void LargeFetch::request_list() {
    if (step_ != Step::listing || manifest_) {
        return;
    }
    auto chosen = sources_.end();
    for (auto entry = sources_.begin(); entry != sources_.end(); ++entry) {
        const bool better =
            chosen == sources_.end() || (entry->second.complete && !chosen->second.complete);
        if (entry->second.opened && better) {
            chosen = entry;
        }
    }
    if (chosen == sources_.end() || (list_requested_ && chosen->first == list_source_)) {
        return;
    }
    if (list_requested_ && sources_.contains(list_source_) &&
        sources_.at(list_source_).complete == chosen->second.complete) {
        return;
    }
    const auto& [station, source] = *chosen;
    list_ = std::make_shared<BlockManifest>();
    list_->package = request_.package.digest;
    list_->layout = layout_;
    list_->hashes.resize(layout_.count);
    list_requested_ = true;
    list_source_ = station;
    list_next_ = 0;
    // What a base has in common with the package need not be listed.
    const std::uint8_t base = base_known_to(source, 0);
    for (std::uint32_t first = 0; first < layout_.count; first += manifest_range_max) {
        const std::uint32_t count = std::min(manifest_range_max, layout_.count - first);
        context_.outbox.send(station, TransferLane::control,
                             ManifestRequestMessage{source.channel, {first, count}, base},
                             object().provider);
    }
}

void LargeFetch::on_list(const core::StationId& station, const ManifestMessage& message) {
    if (!list_requested_ || manifest_ || station != list_source_) {
        return;
    }
    const auto& source = sources_.at(station);
    const bool fits =
        message.range.first == list_next_ && message.range.count <= layout_.count - list_next_;
    const std::uint8_t base = base_known_to(source, 0);
    if (!fits || (!message.same_as_base.empty() && base == no_base)) {
        drop_source(station, "the source sent a list of blocks that makes no sense", true);
        return;
    }
    std::size_t next_own = 0;
    for (std::uint32_t offset = 0; offset < message.range.count; ++offset) {
        const std::uint32_t index = message.range.first + offset;
        if (message.same_as_base.empty() || message.same_as_base[offset] == 0) {
            list_->hashes[index] = message.hashes[next_own++];
        } else if (index < bases_->manifest(base).hashes.size()) {
            list_->hashes[index] = bases_->manifest(base).hashes[index];
        } else {
            drop_source(station, "the source sent a list of blocks that makes no sense", true);
            return;
        }
    }
    list_next_ += message.range.count;
    if (list_next_ == layout_.count) {
        manifest_ = std::exchange(list_, nullptr);
        sort_blocks();
    }
}

void LargeFetch::sort_blocks() {
    step_ = Step::sorting;
    whole_ = std::make_shared<WholeHash>();
    partial_.manifest = manifest_;
    work<Sorted>(
        [part = part_, bases = bases_, manifest = manifest_](Sorted& sorted) {
            const bool resumes = part->old_manifest() == manifest;
            for (std::uint32_t index = 0; index < manifest->layout.count; ++index) {
                if (resumes && part->old_blocks().has(index)) {
                    sorted.local.push_back({index, {}});
                } else if (const auto place = bases->find(manifest->hashes[index], index)) {
                    sorted.in_place += place->block == index ? 1U : 0U;
                    sorted.local.push_back({index, *place});
                }
            }
            // They are taken from the back, and the whole is hashed from the front.
            std::reverse(sorted.local.begin(), sorted.local.end());
            if (!resumes) {
                sorted.journal = part->start_journal(*manifest);
            }
        },
        [](LargeFetch& self, Sorted& sorted) { self.on_sorted(sorted); });
}

void LargeFetch::on_sorted(Sorted& sorted) {
    if (!sorted.journal) {
        fail(failure_of(sorted.journal.error()), sorted.journal.error().text, true);
        return;
    }
    STSYNC_FAULT_POINT("fetch.listed");
    step_ = Step::fetching;
    local_ = std::move(sorted.local);
    in_place_ = sorted.in_place;
    // Where much stayed in its place, what changed did so in pages.
    pages_pay_ = in_place_ > layout_.count / 20;
    for (const Local& local : local_) {
        plan_.set(local.index, BlockPlan::State::working);
    }
    copy_local();
    pump();
    fail_without_sources();
}

void LargeFetch::copy_local() {
    struct Copied {
        std::vector<std::uint8_t> good;
        std::optional<IoError> error;
    };
    while (!local_.empty() && local_jobs_ < local_jobs_max) {
        std::vector<Local> blocks;
        while (!local_.empty() && blocks.size() < local_blocks_per_job) {
            blocks.push_back(local_.back());
            local_.pop_back();
        }
        ++local_jobs_;
        work<Copied>(
            [part = part_, bases = bases_, manifest = manifest_, blocks](Copied& copied) {
                for (const Local& local : blocks) {
                    std::vector<std::byte> block(manifest->layout.size(local.index));
                    const bool in_part = local.place.base == no_base;
                    bool good = true;
                    if (in_part) {
                        good = part->read(local.index, block).has_value();
                    } else {
                        const std::size_t size = block.size();
                        block = bases->read(local.place);
                        good = block.size() == size;
                    }
                    good = good && hash_block(block) == manifest->hashes[local.index];
                    if (good && !in_part) {
                        const auto written = part->write(local.index, block, false);
                        if (!written) {
                            copied.error = written.error();
                            return;
                        }
                    }
                    copied.good.push_back(good ? 1 : 0);
                }
            },
            [blocks](LargeFetch& self, const Copied& copied) {
                self.on_copied(blocks, copied.good, copied.error);
            });
    }
}

void LargeFetch::on_copied(const std::vector<Local>& blocks, const std::vector<std::uint8_t>& good,
                           const std::optional<IoError>& error) {
    --local_jobs_;
    if (error) {
        fail(failure_of(*error), error->text, true);
        return;
    }
    for (std::size_t index = 0; index < blocks.size(); ++index) {
        if (good[index] != 0) {
            on_block_done(blocks[index].index);
        } else {
            plan_.set(blocks[index].index, BlockPlan::State::missing);
        }
    }
    copy_local();
    advance_hash();
    pump();
    fail_without_sources();
}

} // namespace stationsync::host
