// What keeps new states of a provider from being brought into the live data: a person holds it, or
// its `apply_when` does not allow it now. They are fetched all the same; local changes are sealed
// and announced. The stations tell each other what waits where.
#pragma once

#include "objects.hpp"

namespace stationsync::core {

class Objects::Gates {
public:
    explicit Gates(Objects& objects) : objects_(objects), context_(objects.context_) {}

    void on(const HoldRequested& event);
    void on(const ReleaseRequested& event);
    void on(const ApplyWhenAnswered& event);
    void on_message(const StationId& from, const ApplyState& message);

    void begin(Provider& provider); // it was enabled
    void end(Provider& provider);   // and disabled
    void handle_deadline(Provider& provider);
    static std::optional<Instant> next_deadline(const Provider& provider);

    // Nothing but the data itself decides whether a new state may be applied now.
    bool may_begin(const Provider& provider) const;
    // `waits`: for nothing but that.
    void note_waiting(Provider& provider, Object& object, bool waits);

    // At the end of each call: whoever is linked hears of what has changed.
    void tell();
    // Who has just opened knows of nothing that waits here.
    void tell(const StationId& peer);
    void forget(const StationId& peer);

    // This station and the linked ones where it waits; of an object only those without its head.
    std::vector<WaitView> waits_on(const Provider& provider, const Object* object) const;
    std::string reason(const Provider& provider, const Object& object) const; // it waits here
    void explain(const Provider& provider, ProviderView& view) const;

private:
    std::optional<WallTime> hold_end(const Hold& hold) const;
    void begin_hold(Provider& provider);
    void end_hold(Provider& provider, const std::string& how);
    std::string running_text(const std::string& provider) const;
    void ask(Provider& provider);
    void touch_waiting(Provider& provider);
    void drop_old_verdict(Provider& provider);
    ApplyState standing(const Provider& provider) const;

    Objects& objects_;
    Context& context_;
    std::map<std::string, std::map<StationId, ApplyState>> peers_; // by provider
    std::uint64_t told_ = 0;
};

} // namespace stationsync::core
