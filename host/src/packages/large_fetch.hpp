// Fetches a package of more than one block: list of blocks, what is here already, then the rest
// from all sources at once, in steps:
//
//   preparing   the part file and the bases are opened (worker)
//   listing     sources are opened, the list of blocks comes from one of them
//   sorting     each block is looked up in the part of an earlier attempt and in the bases (worker)
//   fetching    local blocks are copied and verified, missing ones requested
//   finishing   the digest of the whole is compared, the package becomes durable
//
// The whole is hashed in order behind the blocks while they arrive, from the page cache.
#pragma once

#include "packages/base_blocks.hpp"
#include "packages/block_plan.hpp"
#include "packages/fetch_base.hpp"
#include "packages/part_file.hpp"
#include "packages/source_window.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace stationsync::host {

class LargeFetch final : public Fetch {
public:
    LargeFetch(TransferContext& context, FetchRequest request, const BlockLayout& layout);

    void start() override;
    void set_sources(const std::vector<core::StationId>& sources) override;
    void on_message(const core::StationId& source, TransferMessage& message) override;
    void on_source_gone(const core::StationId& source) override;
    void on_link_lost(const core::StationId& source) override;
    void tick(std::int64_t now_us) override;
    void stop(bool remove) override;
    [[nodiscard]] const PartialPackage* partial() const override { return &partial_; }
    [[nodiscard]] std::uint64_t bytes_in_flight() const override;
    [[nodiscard]] std::filesystem::path part() const override { return slot_.part(); }

private:
    enum class Step { preparing, listing, sorting, fetching, finishing, ended };
    // How a block was asked for, to read its answer and to know what to do when it is wrong.
    struct Asked {
        std::int64_t at_us = 0;
        std::uint8_t base = no_base; // the old block at this place is part of the question
    };
    struct Source {
        Source(ChannelId id, const SourceWindow& source_window)
            : channel(id), window(source_window) {}
        ChannelId channel;
        SourceWindow window;
        bool opened = false;
        bool complete = false;
        std::uint8_t bases_known = 0;
        BlockSet has; // when not complete
        std::uint32_t cursor = 0;
        std::map<std::uint32_t, Asked> asked;
        std::int64_t heard_at_us = 0;
        bool stalled = false;
        // Its blocks do not match the list of another source. Who of the two is wrong shows at the
        // end, when the whole is compared; until then it is not asked.
        bool disputed = false;
        std::uint32_t lost_in_a_row = 0; // times that it asked to be opened again, without a block
    };
    // A block that is here already: in a base, or (base = no_base) in the part itself.
    struct Local {
        std::uint32_t index = 0;
        BaseBlocks::Place place;
    };
    struct Prepared;
    struct Sorted;
    struct Arrived;
    struct WholeHash {
        Sha256 hash;
        std::uint32_t next = 0; // first block that is not in it
    };
    using Sources = std::map<core::StationId, Source>;

    // large_fetch.cpp: the steps, sources, the end
    void on_prepared(const Prepared& prepared);
    void open_source(const core::StationId& station);
    void reopen_source(Sources::iterator found);
    void on_opened(Source& source, const OpenedMessage& message);
    void on_have(Source& source, const std::vector<BlockRun>& runs);
    void drop_source(const core::StationId& station, const std::string& text, bool tell_source);
    void release_source(Sources::iterator found, bool tell_source);
    void fail_without_sources();
    void fail(FetchFailure failure, const std::string& text, bool remove);
    void finish_if_complete();
    void on_whole_wrong();
    void restart_list();
    void dispute(const core::StationId& station);
    void commit();
    void close_channels();
    void report_progress(bool always);

    // large_fetch_list.cpp: the list of blocks and what is here already
    void request_list();
    void on_list(const core::StationId& station, const ManifestMessage& message);
    void on_list_complete();
    void sort_blocks();
    void on_sorted(Sorted& sorted);
    void copy_local();
    void on_copied(const std::vector<Local>& blocks, const std::vector<std::uint8_t>& good,
                   const std::optional<IoError>& error);

    // large_fetch_blocks.cpp: requests and their answers
    void pump();
    void request_blocks(Source& source, const core::StationId& station);
    [[nodiscard]] std::uint32_t room(const Source& source) const;
    [[nodiscard]] std::uint8_t base_known_to(const Source& source, std::uint32_t index) const;
    [[nodiscard]] bool partial_sources_suffice() const;
    void ask(Source& source, const core::StationId& station,
             const std::vector<std::uint32_t>& blocks);
    void ask_with_pages(const core::StationId& station, const std::vector<std::uint32_t>& blocks);
    void ask_again_elsewhere(Source& source, const core::StationId& station);
    void on_block(const core::StationId& station, BlockMessage& message);
    void on_arrived(Arrived& arrived);
    void on_block_done(std::uint32_t index);
    void give_back(std::uint32_t index);
    void advance_hash();

    template <class Result, class Work, class Then>
    void work(Work run, Then then);

    BlockLayout layout_;
    Step step_ = Step::preparing;
    PackageSlot slot_;
    std::shared_ptr<PartFile> part_;
    // Shared with the first job: the fetch may be cancelled before its part file is there.
    std::shared_ptr<bool> cancelled_ = std::make_shared<bool>(false);
    std::shared_ptr<const BaseBlocks> bases_;
    PartialPackage partial_;
    BlockPlan plan_;
    Sources sources_;
    std::string last_failure_;

    std::shared_ptr<BlockManifest> list_; // while it arrives
    BlockManifestPtr manifest_;
    core::StationId list_source_;
    bool list_requested_ = false;
    std::uint32_t list_next_ = 0; // ranges come in order from one source

    std::vector<Local> local_; // still to be copied, from the back
    std::uint32_t local_jobs_ = 0;
    std::uint32_t in_place_ = 0;         // blocks found at the same place of a base
    bool pages_pay_ = false;             // the package changed in place
    std::set<std::uint32_t> plain_only_; // a difference gave a wrong block once

    std::uint32_t in_work_ = 0; // arrived, being written
    std::uint32_t duplicates_ = 0;
    std::shared_ptr<WholeHash> whole_;
    bool hashing_ = false;
    std::uint32_t done_at_journal_ = 0;
    std::uint32_t done_at_report_ = 0;
    std::int64_t reported_at_us_ = 0;
};

// One job of the fetch on a worker thread; its result is dropped when the fetch is over.
template <class Result, class Work, class Then>
void LargeFetch::work(Work run, Then then) {
    auto result = std::make_shared<Result>();
    context_.pool.submit([result, run = std::move(run)] { run(*result); },
                         [result, weak = weak_from_this(), then = std::move(then)] {
                             const auto self = std::static_pointer_cast<LargeFetch>(weak.lock());
                             if (self && self->step_ != Step::ended) {
                                 then(*self, *result);
                             }
                         });
}

} // namespace stationsync::host
