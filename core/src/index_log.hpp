// Which object stands at which of our index positions, in order, without a node per object.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace stationsync::core {

struct Object;

class IndexLog {
public:
    // `position` is greater than all before. The object's earlier position becomes out of date.
    void append(std::uint64_t position, Object* object) { slots_.push_back({position, object}); }

    // Calls visit(object) for each current slot beyond `after`, in order, until it returns false.
    // `current(object)` gives the position at which an object stands now, 0 when it is gone.
    template <class Current, class Visit>
    void visit_after(std::uint64_t after, Current current, Visit visit) const {
        const auto first = std::upper_bound(
            slots_.begin(), slots_.end(), after,
            [](std::uint64_t value, const Slot& slot) { return value < slot.position; });
        for (auto slot = first; slot != slots_.end(); ++slot)
            if (slot->object && current(*slot->object) == slot->position && !visit(*slot->object))
                return;
    }

    // Removes slots that are out of date once they are the greater part.
    template <class Current>
    void compact(std::size_t live, Current current) {
        if (slots_.size() < 64 || slots_.size() < live * 2)
            return;
        std::erase_if(slots_, [&](const Slot& slot) {
            return !slot.object || current(*slot.object) != slot.position;
        });
    }

    void forget(Object* object) {
        for (Slot& slot : slots_)
            if (slot.object == object)
                slot.object = nullptr;
    }
    void clear() { slots_.clear(); }
    std::size_t size() const { return slots_.size(); }

private:
    struct Slot {
        std::uint64_t position = 0;
        Object* object = nullptr;
    };
    std::vector<Slot> slots_;
};

} // namespace stationsync::core
