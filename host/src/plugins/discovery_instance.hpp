// One discovery plugin at work: finds come as functions called on the engine thread.
#pragma once

#include "base/worker_pool.hpp"
#include "plugins/host_services.hpp"
#include "plugins/plugin_library.hpp"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace stationsync::host {

struct FoundPeer {
    std::string handle; // within this instance
    std::string station_id;
    std::string name;
    std::string project;
    std::vector<std::string> endpoints;
    // What is announced beside them: "proto" and "app" are the versions of protocol and plant
    // software; a plugin may add values of its own.
    std::map<std::string, std::string> texts;
    std::uint32_t ttl_s = 0;
    bool operator==(const FoundPeer&) const = default;
};

// Called on the engine thread.
struct DiscoveryEvents {
    std::function<void(FoundPeer)> found; // or updated
    std::function<void(std::string handle)> lost;
    std::function<void(std::string text)> note;
};

class DiscoveryInstance {
public:
    // Creates, starts and announces on a thread of `workers`, which are its own. `events` are
    // posted through `post` and stop with the destruction of this object.
    DiscoveryInstance(const PluginKind& kind, InstanceSettings settings, FoundPeer self,
                      std::shared_ptr<WorkerPool> workers, WorkerPool::Poster post,
                      DiscoveryEvents events);
    ~DiscoveryInstance(); // stops in the background
    DiscoveryInstance(const DiscoveryInstance&) = delete;
    DiscoveryInstance& operator=(const DiscoveryInstance&) = delete;

    // What is said of our own station from now on. Without effect when nothing has changed.
    void announce(FoundPeer self);
    // Searches now; finds come as ever. `hint`: a station or address, empty for all of the project,
    // "*" for those of every project.
    void probe(std::string hint);

    // To be called every second: forgets finds whose time is over.
    void tick(std::int64_t monotonic_us);
    // Of the finds that have been told and not been lost since.
    [[nodiscard]] const std::set<std::string>& handles() const;

private:
    struct State;
    std::shared_ptr<State> state_;
};

} // namespace stationsync::host
