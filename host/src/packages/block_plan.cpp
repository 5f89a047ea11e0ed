#include "packages/block_plan.hpp"

#include <algorithm>
#include <limits>

namespace stationsync::host {

std::vector<BlockRun> BlockSet::runs(std::size_t runs_limit) const {
    std::vector<BlockRun> found;
    for (std::uint32_t index = 0; index < count_; ++index) {
        if (!has(index)) {
            continue;
        }
        if (!found.empty() && found.back().first + found.back().count == index) {
            ++found.back().count;
        } else if (found.size() == runs_limit) {
            break;
        } else {
            found.push_back({index, 1});
        }
    }
    return found;
}

BlockSet BlockSet::from_bytes(std::uint32_t count, std::vector<std::uint8_t> bytes) {
    BlockSet set(count);
    bytes.resize(set.bits_.size());
    set.bits_ = std::move(bytes);
    return set;
}

BlockPlan::BlockPlan(std::uint32_t count)
    : states_(count, State::missing), partial_holders_(count), missing_(count) {}

void BlockPlan::set(std::uint32_t index, State state) {
    State& current = states_[index];
    missing_ -= current == State::missing ? 1U : 0U;
    done_ -= current == State::done ? 1U : 0U;
    current = state;
    missing_ += state == State::missing ? 1U : 0U;
    done_ += state == State::done ? 1U : 0U;
    while (frontier_ < states_.size() && states_[frontier_] == State::done) {
        ++frontier_;
    }
}

void BlockPlan::add_partial_holder(std::uint32_t index) noexcept {
    if (partial_holders_[index] < std::numeric_limits<std::uint8_t>::max()) {
        ++partial_holders_[index];
    }
}

void BlockPlan::drop_partial_holder(const BlockSet& had) noexcept {
    for (std::uint32_t index = 0; index < count(); ++index) {
        if (had.has(index) && partial_holders_[index] > 0) {
            --partial_holders_[index];
        }
    }
}

template <class Accept>
void BlockPlan::take_where(Accept accept, std::uint32_t& cursor, std::uint32_t blocks_max,
                           std::vector<std::uint32_t>& taken) {
    for (std::uint32_t steps = count(); steps > 0 && taken.size() < blocks_max && missing_ > 0;
         --steps) {
        if (cursor >= count()) {
            cursor = 0;
        }
        const std::uint32_t index = cursor++;
        if (states_[index] == State::missing && accept(index)) {
            set(index, State::asked);
            taken.push_back(index);
        }
    }
}

std::vector<std::uint32_t> BlockPlan::take(std::uint32_t& cursor, std::uint32_t blocks_max,
                                           bool also_held) {
    std::vector<std::uint32_t> taken;
    const auto is_nowhere_else = [this](std::uint32_t index) {
        return partial_holders_[index] == 0;
    };
    take_where(is_nowhere_else, cursor, blocks_max, taken);
    if (taken.empty() && also_held) {
        take_where([](std::uint32_t) { return true; }, cursor, blocks_max, taken);
    }
    return taken;
}

std::vector<std::uint32_t> BlockPlan::take(const BlockSet& has, std::uint32_t& cursor,
                                           std::uint32_t blocks_max) {
    std::vector<std::uint32_t> taken;
    take_where([&](std::uint32_t index) { return has.has(index); }, cursor, blocks_max, taken);
    return taken;
}

std::vector<BlockRun> runs_of(std::vector<std::uint32_t> blocks) {
    std::sort(blocks.begin(), blocks.end());
    std::vector<BlockRun> runs;
    for (const std::uint32_t index : blocks) {
        if (!runs.empty() && runs.back().first + runs.back().count == index) {
            ++runs.back().count;
        } else if (runs.empty() || runs.back().first + runs.back().count < index) {
            runs.push_back({index, 1});
        }
    }
    return runs;
}

} // namespace stationsync::host
