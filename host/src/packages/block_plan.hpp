// Which block is fetched next, and from whom. Plain data and decisions, no I/O. Engine thread.
#pragma once

#include "packages/transfer_messages.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace stationsync::host {

// A set of block numbers.
class BlockSet {
public:
    BlockSet() = default;
    explicit BlockSet(std::uint32_t count, bool full = false)
        : bits_((count + 7) / 8, full ? 0xFF : 0), count_(count) {}
    [[nodiscard]] bool has(std::uint32_t index) const noexcept {
        return index < count_ && (bits_[index / 8] >> (index % 8) & 1U) != 0;
    }
    void add(std::uint32_t index) noexcept {
        bits_[index / 8] = static_cast<std::uint8_t>(bits_[index / 8] | 1U << (index % 8));
    }
    [[nodiscard]] std::uint32_t size() const noexcept { return count_; } // of the whole range
    [[nodiscard]] std::vector<BlockRun> runs(std::size_t runs_limit) const;
    [[nodiscard]] const std::vector<std::uint8_t>& bytes() const noexcept { return bits_; }
    [[nodiscard]] static BlockSet from_bytes(std::uint32_t count, std::vector<std::uint8_t> bytes);

private:
    std::vector<std::uint8_t> bits_;
    std::uint32_t count_ = 0;
};

class BlockPlan {
public:
    enum class State : std::uint8_t {
        missing, // to be requested
        asked,   // requested from one source
        asked_2, // requested from two, at the end
        working, // arrived or found locally: being checked and written
        done,
    };

    explicit BlockPlan(std::uint32_t count);

    [[nodiscard]] std::uint32_t count() const noexcept {
        return static_cast<std::uint32_t>(states_.size());
    }
    [[nodiscard]] State state(std::uint32_t index) const noexcept { return states_[index]; }
    [[nodiscard]] std::uint32_t missing() const noexcept { return missing_; }
    [[nodiscard]] std::uint32_t done() const noexcept { return done_; }
    [[nodiscard]] bool is_complete() const noexcept { return done_ == states_.size(); }
    // All blocks before this one are done.
    [[nodiscard]] std::uint32_t frontier() const noexcept { return frontier_; }

    void set(std::uint32_t index, State state);

    // A source that does not have all of the package has got this block: complete sources are asked
    // for others first, so that stations that forward spare the origin.
    void add_partial_holder(std::uint32_t index) noexcept;
    // Such a source is gone; `had` is what it had.
    void drop_partial_holder(const BlockSet& had) noexcept;

    // Up to `blocks_max` missing blocks for a complete source, from `cursor` on and around; they
    // are `asked` afterwards, `cursor` moves behind them. Those that partial sources have come only
    // when nothing else is left, and with `also_held`.
    [[nodiscard]] std::vector<std::uint32_t> take(std::uint32_t& cursor, std::uint32_t blocks_max,
                                                  bool also_held = true);
    // The same for a source that has only these.
    [[nodiscard]] std::vector<std::uint32_t> take(const BlockSet& has, std::uint32_t& cursor,
                                                  std::uint32_t blocks_max);

private:
    template <class Accept>
    void take_where(Accept accept, std::uint32_t& cursor, std::uint32_t blocks_max,
                    std::vector<std::uint32_t>& taken);

    std::vector<State> states_;
    std::vector<std::uint8_t> partial_holders_;
    std::uint32_t missing_ = 0;
    std::uint32_t done_ = 0;
    std::uint32_t frontier_ = 0;
};

// Sorted, joined runs of single blocks.
[[nodiscard]] std::vector<BlockRun> runs_of(std::vector<std::uint32_t> blocks);

} // namespace stationsync::host
