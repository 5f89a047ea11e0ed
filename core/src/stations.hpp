// The station half of the engine: who is there, how to reach them, whether they fit.
//
// Owns candidates, dialling with backoff, links, profiles, the compatibility report, time differences,
// cloned stations, blocking and introductions. The object half asks it and is told through StationsListener.
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
    virtual void peer_opened(StationId const& id) = 0; // compatible and linked: exchange may begin
    virtual void peer_closed(StationId const& id) = 0; // rejected, blocked or no link left
    virtual void peer_providers_changed(StationId const& id) = 0; // provider_open() may answer differently
};

class Stations {
public:
    Stations(Context& context, TokenJudge& judge, StationsListener& listener,
             std::vector<StationRecord> records);
    ~Stations();

    void on(CandidateFound const& event);
    void on(CandidateLost const& event);
    void on(LinkUp const& event);
    void on(LinkDown const& event);
    void on(DialFailed const& event);
    void on(IncomingRefused const& event);
    void on(LinkAlive const& event);
    void on(ClockMeasured const& event);
    void on(ProfileChanged const& event);
    void on(BlockRequested const& event);
    void on(ForgetRequested const& event);
    void on_tokens_judged(std::string const& provider);

    void on_message(LinkId link, Profile const& message);
    void on_message(LinkId link, Verdicts const& message);
    void on_message(LinkId link, TimeReport const& message);
    void on_message(LinkId link, Introductions const& message);
    void on_message(LinkId link, BlockList const& message);

    // Our own providers, as they go into our profile.
    void set_provider(ProviderProfile profile);
    void remove_provider(std::string const& name);

    void handle_deadline();
    std::optional<Instant> next_deadline() const;

    std::optional<StationId> station_of(LinkId link) const;
    bool is_open(StationId const& id) const;                               // may exchange
    bool provider_open(StationId const& id, std::string_view provider) const; // both have it, both fit
    bool peer_established(StationId const& id, std::string_view provider) const;
    // For control messages: the link dialled by the smaller id, or the other one when that is missing.
    std::optional<LinkId> control_link(StationId const& id) const;
    std::vector<StationId> open_peers() const;
    std::string name_of(StationId const& id) const; // display name, or the id's text
    bool is_blocked(StationId const& id) const;

    // Largest difference measured on a live link of a compatible station; 60 s when there is none.
    Duration clock_error_bound() const;
    bool clock_agrees() const; // with at least one linked station's, within the limit

    StationRecord* record(StationId const& id); // for the index cursor; store() it afterwards
    void store(StationId const& id);

    std::vector<StationView> views() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace stationsync::core
