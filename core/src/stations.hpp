// The station half of the engine: who is there, how to reach them, whether they fit.
//
// Owns candidates, dialling with backoff, links, profiles, the compatibility report, time
// differences, cloned stations, blocking and introductions. The object half asks it and is told
// through StationsListener.
#pragma once

#include "context.hpp"
#include "token_judge.hpp"

#include <memory>
#include <string_view>

namespace stationsync::core {

// Told at the end of the call that caused it, never from inside a query.
class StationsListener {
public:
    virtual ~StationsListener() = default;
    virtual void peer_opened(const StationId& id) = 0; // compatible and linked: exchange may begin
    virtual void peer_closed(const StationId& id) = 0; // rejected, blocked or no link left
    virtual void
    peer_providers_changed(const StationId& id) = 0; // provider_open() may answer differently
};

class Stations {
public:
    Stations(Context& context, TokenJudge& judge, StationsListener& listener,
             std::vector<StationRecord> records);
    ~Stations();

    void on(const CandidateFound& event);
    void on(const CandidateLost& event);
    void on(const LinkUp& event);
    void on(const LinkDown& event);
    void on(const DialFailed& event);
    void on(const IncomingRefused& event);
    void on(const LinkAlive& event);
    void on(const ClockMeasured& event);
    void on(const ProfileChanged& event);
    void on(const BlockRequested& event);
    void on(const ForgetRequested& event);
    void on_tokens_judged(const std::string& provider);

    void on_message(LinkId link, const Profile& message);
    void on_message(LinkId link, const Verdicts& message);
    void on_message(LinkId link, const TimeReport& message);
    void on_message(LinkId link, const Introductions& message);
    void on_message(LinkId link, const BlockList& message);

    // Our own providers, as they go into our profile.
    void set_provider(ProviderProfile profile);
    void remove_provider(const std::string& name);

    void handle_deadline();
    std::optional<Instant> next_deadline() const;

    std::optional<StationId> station_of(LinkId link) const;
    bool is_open(const StationId& id) const; // may exchange
    bool provider_open(const StationId& id,
                       std::string_view provider) const; // both have it, both fit
    bool peer_established(const StationId& id, std::string_view provider) const;
    // For control messages: the link dialled by the smaller id, or the other one when that is
    // missing.
    std::optional<LinkId> control_link(const StationId& id) const;
    std::vector<StationId> open_peers() const;
    std::string name_of(const StationId& id) const; // display name, or the id's text
    bool is_blocked(const StationId& id) const;

    // Largest difference measured on a live link of a compatible station; 60 s when there is none.
    Duration clock_error_bound() const;
    bool clock_agrees() const; // with at least one linked station's, within the limit

    StationRecord* record(const StationId& id); // for the index cursor; store() it afterwards
    void store(const StationId& id);

    std::vector<StationView> views() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace stationsync::core
