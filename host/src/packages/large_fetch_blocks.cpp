// Requests for blocks and their answers.
#include "packages/large_fetch.hpp"

#include "base/fault_points.hpp"

#include <algorithm>
#include <utility>

namespace stationsync::host {
namespace {
constexpr std::uint32_t pages_per_job_max = 16; // blocks
constexpr std::uint32_t hash_blocks_per_job = 64;
constexpr std::uint32_t journal_interval_blocks = 512;
} // namespace

struct LargeFetch::Arrived {
    core::StationId station;
    std::uint32_t index = 0;
    bool with_old_block = false;
    bool good = false;
    std::optional<IoError> error;
};

// Blocks that may still be asked of this source now.
std::uint32_t LargeFetch::room(const Source& source) const {
    const TransferOptions& options = context_.options;
    const std::uint64_t share =
        options.total_window_bytes / std::max<std::uint64_t>(1, context_.large_fetches);
    const std::uint64_t window = std::min(options.fetch_window_bytes, share);
    const std::uint64_t blocks_max = std::max<std::uint64_t>(1, window / layout_.block_bytes);
    const std::uint64_t in_flight = bytes_in_flight() / layout_.block_bytes;
    const std::uint64_t own_max = source.window.blocks();
    const std::uint64_t own = source.asked.size();
    if (own >= own_max || in_flight >= blocks_max) {
        return 0;
    }
    return static_cast<std::uint32_t>(std::min(own_max - own, blocks_max - in_flight));
}

void LargeFetch::pump() {
    if (step_ != Step::fetching) {
        return;
    }
    for (auto& [station, source] : sources_) {
        if (source.opened && !source.stalled && !source.disputed) {
            request_blocks(source, station);
        }
    }
    report_progress(false);
    finish_if_complete();
}

// When many fetch the same, what other stations forward is left to them as long as they deliver the
// rest soon: the origin sends each block about once.
bool LargeFetch::partial_sources_suffice() const {
    constexpr double soon_us = 2'000'000;
    constexpr double first_latency_us = 250'000; // assumed before the first block
    if (!request_.spread) {
        return false;
    }
    double blocks_per_us = 0;
    for (const auto& [station, source] : sources_) {
        if (source.opened && !source.complete && !source.stalled && !source.disputed) {
            const auto latency_us = static_cast<double>(source.window.latency_us());
            blocks_per_us +=
                source.window.blocks() / (latency_us > 0 ? latency_us : first_latency_us);
        }
    }
    return plan_.missing() < blocks_per_us * soon_us;
}

void LargeFetch::request_blocks(Source& source, const core::StationId& station) {
    const std::uint32_t blocks_max = room(source);
    // A question for each block would cost more than the block's head: wait for a quarter.
    if (blocks_max == 0 || (!source.asked.empty() && blocks_max < source.window.blocks() / 4)) {
        return;
    }
    const std::vector<std::uint32_t> blocks =
        source.complete ? plan_.take(source.cursor, blocks_max, !partial_sources_suffice())
                        : plan_.take(source.has, source.cursor, blocks_max);
    if (blocks.empty()) {
        ask_again_elsewhere(source, station);
        return;
    }
    ask(source, station, blocks);
}

// The best base that has a block at this place and that the source has too.
std::uint8_t LargeFetch::base_known_to(const Source& source, std::uint32_t index) const {
    const auto count = static_cast<std::uint8_t>(bases_->count()); // few: a bit each
    for (std::uint8_t base = 0; base < count; ++base) {
        if ((source.bases_known >> base & 1U) != 0 && index < bases_->manifest(base).layout.count) {
            return base;
        }
    }
    return no_base;
}

void LargeFetch::ask(Source& source, const core::StationId& station,
                     const std::vector<std::uint32_t>& blocks) {
    const std::int64_t now_us = monotonic_now_us();
    if (source.asked.empty()) {
        source.heard_at_us = now_us; // silence counts from the question
    }
    std::map<std::uint8_t, std::vector<std::uint32_t>> by_base;
    std::vector<std::uint32_t> with_pages;
    for (const std::uint32_t index : blocks) {
        const bool plain = plain_only_.contains(index);
        const std::uint8_t known = plain ? no_base : base_known_to(source, index);
        const std::uint8_t own = plain ? no_base : bases_->base_at(index);
        if (known == no_base && own != no_base && pages_pay_) {
            with_pages.push_back(index);
            source.asked[index] = {now_us, own};
            continue;
        }
        source.asked[index] = {now_us, known};
        by_base[known].push_back(index);
    }
    for (auto& [base, indexes] : by_base) {
        context_.outbox.send(station, TransferLane::control,
                             BlockRequestMessage{source.channel, base, runs_of(indexes)},
                             object().provider);
    }
    for (std::size_t at = 0; at < with_pages.size(); at += pages_per_job_max) {
        const auto begin = with_pages.begin() + static_cast<std::ptrdiff_t>(at);
        const auto end = with_pages.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(
                                                  with_pages.size(), at + pages_per_job_max));
        ask_with_pages(station, {begin, end});
    }
}

// The source does not have our old version: the hashes of its pages say what it need not send.
void LargeFetch::ask_with_pages(const core::StationId& station,
                                const std::vector<std::uint32_t>& blocks) {
    using Pages = std::vector<std::vector<PageHash>>;
    work<Pages>(
        [bases = bases_, blocks](Pages& pages) {
            for (const std::uint32_t index : blocks) {
                pages.push_back(hash_pages(bases->read({bases->base_at(index), index})));
            }
        },
        [station, blocks](LargeFetch& self, Pages& pages) {
            const auto found = self.sources_.find(station);
            if (found == self.sources_.end()) {
                return;
            }
            for (std::size_t at = 0; at < blocks.size(); ++at) {
                if (found->second.asked.contains(blocks[at])) {
                    self.context_.outbox.send(station, TransferLane::control,
                                              PagesRequestMessage{found->second.channel, blocks[at],
                                                                  std::move(pages[at])},
                                              self.object().provider);
                }
            }
        });
}

// Near the end a source that has nothing left to do asks for what the slowest one still owes, so
// that one slow station does not hold up the rest. Few blocks only: they may come twice.
void LargeFetch::ask_again_elsewhere(Source& source, const core::StationId& station) {
    if (plan_.missing() > 0 || !source.asked.empty()) {
        return;
    }
    const std::uint32_t duplicates_max = std::max<std::uint32_t>(4, layout_.count / 16);
    std::vector<std::uint32_t> blocks;
    for (const auto& [other_station, other] : sources_) {
        if (&other == &source || source.window.latency_us() == 0) {
            continue;
        }
        const std::int64_t now_us = monotonic_now_us();
        for (const auto& [index, asked] : other.asked) {
            const bool overdue = now_us - asked.at_us > 2 * source.window.latency_us();
            if (overdue && plan_.state(index) == BlockPlan::State::asked &&
                (source.complete || source.has.has(index)) && duplicates_ < duplicates_max &&
                blocks.size() < source.window.blocks()) {
                blocks.push_back(index);
                ++duplicates_;
            }
        }
    }
    if (blocks.empty()) {
        return;
    }
    for (const std::uint32_t index : blocks) {
        plan_.set(index, BlockPlan::State::asked_2);
    }
    ask(source, station, blocks);
}

void LargeFetch::on_block(const core::StationId& station, BlockMessage& message) {
    Source& source = sources_.at(station);
    const auto asked = source.asked.find(message.block);
    if (asked == source.asked.end()) {
        return; // answered already, or never asked for
    }
    source.window.on_block(monotonic_now_us() - asked->second.at_us);
    const std::uint8_t base = asked->second.base;
    source.asked.erase(asked);
    source.lost_in_a_row = 0;
    const BlockPlan::State state = plan_.state(message.block);
    if (state == BlockPlan::State::working || state == BlockPlan::State::done) {
        pump();
        return;
    }
    plan_.set(message.block, BlockPlan::State::working);
    ++in_work_;
    work<Arrived>(
        [part = part_, bases = bases_, manifest = manifest_, station, base,
         message = std::move(message)](Arrived& arrived) {
            arrived.station = station;
            arrived.index = message.block;
            arrived.with_old_block = base != no_base;
            std::vector<std::byte> old_block;
            if (base != no_base) {
                old_block = bases->read({base, message.block});
            }
            std::vector<std::byte> block(manifest->layout.size(message.block));
            arrived.good = decode_block(message.encoding, message.payload, old_block, block) &&
                           hash_block(block) == manifest->hashes[message.block];
            if (!arrived.good) {
                return;
            }
            const auto written =
                part->write(message.block, block, message.encoding == BlockEncoding::zeros);
            STSYNC_FAULT_POINT("fetch.block_written");
            if (!written) {
                arrived.error = written.error();
            }
        },
        [](LargeFetch& self, Arrived& arrived) { self.on_arrived(arrived); });
    pump();
}

void LargeFetch::on_arrived(Arrived& arrived) {
    --in_work_;
    if (arrived.error) {
        fail(failure_of(*arrived.error), arrived.error->text, true);
        return;
    }
    if (arrived.good) {
        on_block_done(arrived.index);
    } else {
        plan_.set(arrived.index, BlockPlan::State::missing);
        if (arrived.with_old_block) {
            // Our old block is not what both sides thought: ask for the whole one.
            plain_only_.insert(arrived.index);
        } else if (arrived.station == list_source_) {
            drop_source(arrived.station, "the source sent a block that does not match its hash",
                        true);
        } else {
            dispute(arrived.station);
        }
    }
    if (step_ != Step::fetching) {
        return;
    }
    advance_hash();
    pump();
    fail_without_sources();
}

void LargeFetch::on_block_done(std::uint32_t index) {
    plan_.set(index, BlockPlan::State::done);
    partial_.blocks.add(index);
    context_.advanced(*this);
    if (plan_.done() - done_at_journal_ >= journal_interval_blocks) {
        done_at_journal_ = plan_.done();
        context_.pool.submit(
            [part = part_, blocks = partial_.blocks] {
                part->start_writeback();
                static_cast<void>(part->save_journal(blocks)); // a hint
            },
            {});
    }
}

void LargeFetch::give_back(std::uint32_t index) {
    const BlockPlan::State state = plan_.state(index);
    if (state == BlockPlan::State::asked) {
        plan_.set(index, BlockPlan::State::missing);
    } else if (state == BlockPlan::State::asked_2) {
        plan_.set(index, BlockPlan::State::asked); // the other one still owes it
    }
}

void LargeFetch::advance_hash() {
    struct Hashed {
        std::optional<IoError> error;
    };
    if (step_ != Step::fetching || hashing_ || whole_->next >= layout_.count) {
        return;
    }
    const std::uint32_t ready = plan_.frontier() - whole_->next;
    const bool at_end = plan_.frontier() == layout_.count;
    if (ready == 0 || (!at_end && ready < hash_blocks_per_job / 4)) {
        return;
    }
    hashing_ = true;
    const std::uint32_t end = whole_->next + std::min(ready, hash_blocks_per_job);
    work<Hashed>(
        [part = part_, whole = whole_, end](Hashed& hashed) {
            std::vector<std::byte> block(part->layout().block_bytes);
            for (; whole->next < end; ++whole->next) {
                const auto bytes = std::span(block).first(part->layout().size(whole->next));
                if (const auto read = part->read(whole->next, bytes); !read) {
                    hashed.error = read.error();
                    return;
                }
                whole->hash.update(bytes);
            }
        },
        [](LargeFetch& self, const Hashed& hashed) {
            self.hashing_ = false;
            if (hashed.error) {
                self.fail(failure_of(*hashed.error), hashed.error->text, true);
                return;
            }
            self.advance_hash();
            self.finish_if_complete();
            self.fail_without_sources();
        });
}

} // namespace stationsync::host
