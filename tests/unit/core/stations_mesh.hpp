// Some station halves of the engine joined by a network without delays, with a virtual clock.
#pragma once

#include "stations.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace stationsync::core::testing {

inline StationId station_id(std::uint8_t first) {
    StationId id;
    id.bytes.fill(first);
    return id;
}

// One station: its half of the engine and everything that came out of it.
class Node final : public StationsListener {
public:
    Node(EngineConfig config, Now now, std::vector<StationRecord> records = {});

    void peer_opened(const StationId& id) override {
        told.push_back("opened " + to_text(id).substr(0, 2));
    }
    void peer_closed(const StationId& id) override {
        told.push_back("closed " + to_text(id).substr(0, 2));
    }
    void peer_providers_changed(const StationId& id) override {
        told.push_back("providers " + to_text(id).substr(0, 2));
    }

    StationId id() const { return context.config.self; }
    const std::string& address() const { return context.config.addresses.front(); }
    StationView view(const StationId& of) const; // fails the test when it is not listed
    StationState state(const StationId& of) const { return view(of).state; }
    const CheckResult* reason(const StationId& of, std::string_view check) const;
    std::size_t count(std::string_view action) const; // actions so far, by name
    template <typename T>
    std::vector<T> all() const {
        std::vector<T> found;
        for (const Action& action : log)
            if (const auto* wanted = std::get_if<T>(&action))
                found.push_back(*wanted);
        return found;
    }
    const StationRecord* stored(const StationId& of) const;

    Context context;
    TokenJudge judge;
    Stations stations;
    std::vector<std::string> told;              // what the listener heard
    std::vector<Action> log;                    // every action
    std::map<StationId, StationRecord> durable; // as persisted
    Duration clock_offset{};                    // against the mesh's time
    bool dead = false;                          // answers nothing any more
    // What the plugin says of a peer's tokens; nothing: it does not answer.
    std::function<std::optional<TokenVerdict>(const JudgeTokens&)> plugin = [](const JudgeTokens&) {
        return TokenVerdict{};
    };

private:
    std::vector<CheckResult> mutable reasons_;
};

class Mesh {
public:
    // Stations have the addresses "h1:8883", "h2:8883", … and ids 11…, 22…
    Node& add(std::uint8_t number, const std::function<void(EngineConfig&)>& change = {},
              std::vector<StationRecord> records = {});
    void configure(Node& node, const std::string& address); // its station list names it
    void run(Duration time);                                // virtual time, all that happens in it
    bool run_until(const std::function<bool()>& reached, Duration limit = std::chrono::minutes(5));
    void settle(); // everything that happens without time passing
    void kill(Node& node, bool peers_notice);
    void drop_link(LinkId id); // both ends notice
    // One connection, as a dial makes it; returns the ends' common number.
    LinkId connect(Node& dialler, Node& listener, std::optional<DialId> dial = {},
                   const std::string& address = {});

    Instant instant{1'000'000};
    WallTime wall{1'800'000'000'000'000};
    std::set<std::pair<std::string, std::string>> unreachable; // (from address, to address)
    std::map<std::string, DialFailed> answers;                 // failures of dials by address
    bool measure_clocks = true;

private:
    struct Connection {
        Node* dialler;
        Node* listener;
        bool probe_fails = false;
    };

    void step();
    void at(Node& node);
    void carry_out(Node& node, const Action& action);
    void dial(Node& node, const Dial& action);
    void probe(Node& node, LinkId link);
    void measure();
    void deliver(Node& to, LinkId link, const Message& message);

    std::vector<std::unique_ptr<Node>> nodes_;
    std::map<LinkId, Connection> connections_;
    std::deque<std::function<void()>> pending_;
    std::uint64_t last_link_ = 0;
    Instant next_measure_{};
};

} // namespace stationsync::core::testing
