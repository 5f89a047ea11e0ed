// A simulated network of links between stations: delay, loss, reordering, duplication, partitions
// in one or both directions, refused dials. What the host's transport does is done here: a link
// that carries nothing is given up after a while, clocks are compared on every link.
#pragma once

#include "random.hpp"
#include "scheduler.hpp"
#include "stationsync/core/action.hpp"
#include "trace.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace stationsync::simulation {

class Network {
public:
    // One station's process as the network sees it. `epoch` rises with each start of the process.
    struct Node {
        std::string name;
        std::string address;
        core::StationId id;
        std::uint64_t run_id = 0;
        std::uint64_t epoch = 0;
        bool listening = false;
    };
    struct Callbacks {
        std::function<void(std::size_t node, core::Event)> deliver;
        std::function<std::int64_t(std::size_t node)> wall_us;
    };

    Network(Scheduler& scheduler, Random& random, Trace& trace)
        : scheduler_(scheduler), random_(random), trace_(trace) {}
    void set_callbacks(Callbacks callbacks) { callbacks_ = std::move(callbacks); }
    std::size_t add_node(Node node);
    Node& node(std::size_t index) { return nodes_[index]; }
    void process_started(std::size_t index, std::uint64_t run_id);
    void process_ended(std::size_t index);

    void dial(std::size_t from, core::DialId dial, const std::string& address);
    void send(std::size_t from, core::LinkId link, core::Message message);
    void close(std::size_t from, core::LinkId link, const std::string& reason);
    void probe(std::size_t from, core::LinkId link);

    // ---- faults: a direction is (from, to) ----
    void cut(std::size_t from, std::size_t to);
    void mend(std::size_t from, std::size_t to);
    void refuse_dials(std::size_t from, std::size_t to) { refused_.insert({from, to}); }
    void accept_dials(std::size_t from, std::size_t to) { refused_.erase({from, to}); }
    void mend_all();
    bool break_any_link(); // silently, with what is under way
    void lose_messages(unsigned percent) { loss_percent_ = percent; }
    void be_unruly(bool on) { unruly_ = on; } // duplicates and reorders within a link
    void set_latency(std::int64_t low_us, std::int64_t high_us) {
        latency_low_ = low_us;
        latency_high_ = high_us;
    }
    void set_measure_interval(std::int64_t us) { measure_interval_ = us; }

    bool linked(std::size_t a, std::size_t b) const; // at least one link stands and carries
    std::optional<core::LinkId> newest_link(std::size_t a, std::size_t b) const; // that does
    bool link_exists(core::LinkId id) const { return links_.contains(id); }
    std::size_t peer_of(core::LinkId link, std::size_t node) const;

private:
    struct Link {
        std::size_t ends[2]; // dialler, listener
        std::uint64_t epochs[2];
        bool up[2] = {false, false}; // as told to that end
        bool broken = false;         // carries nothing new
        bool closing = false;        // broken by an end that closed it: what is under way arrives
        std::int64_t last_delivery[2] = {0, 0}; // to that end
    };
    using Direction = std::pair<std::size_t, std::size_t>;

    std::int64_t latency() { return random_.between(latency_low_, latency_high_); }
    bool is_cut(std::size_t from, std::size_t to) const { return cut_.contains({from, to}); }
    std::size_t end_of(const Link& link, std::size_t node) const {
        return link.ends[0] == node ? 0 : 1;
    }
    void establish(std::size_t from, std::size_t to, core::DialId dial);
    void bring_up(core::LinkId id, std::size_t end, core::DialId dial);
    void take_down(core::LinkId id, std::size_t end, const std::string& reason);
    void doom(core::LinkId id);
    void deliver_later(core::LinkId id, std::size_t end, core::Message message);
    void deliver(core::LinkId id, std::size_t end, core::Message message);
    void measure(core::LinkId id);
    void fail_dial(std::size_t from, core::DialId dial, std::int64_t delay, std::string reason);

    Scheduler& scheduler_;
    Random& random_;
    Trace& trace_;
    Callbacks callbacks_;
    std::vector<Node> nodes_;
    std::map<core::LinkId, Link> links_;
    std::set<Direction> cut_;
    std::set<Direction> refused_;
    std::uint64_t last_link_ = 0;
    unsigned loss_percent_ = 0;
    bool unruly_ = false;
    std::int64_t latency_low_ = millisecond;
    std::int64_t latency_high_ = 20 * millisecond;
    std::int64_t measure_interval_ = minute;
};

} // namespace stationsync::simulation
