// Discovery instances of a runtime: what they announce, and what they find.
#include "net/address.hpp"
#include "service/own_protocol.hpp"
#include "service/runtime.hpp"

#include <algorithm>

namespace stationsync::host {
namespace {

std::string text_or_nothing(const FoundPeer& peer, const std::string& name) {
    const auto place = peer.texts.find(name);
    return place == peer.texts.end() ? std::string() : place->second;
}

} // namespace

// What it had found is dialled no longer, and what it had to tell is of no interest any more.
void Runtime::stop_discovery(const std::string& name) {
    messages_->clear("discovery-missing", name);
    messages_->clear("discovery", name);
    const auto place = discoveries_.find(name);
    if (place == discoveries_.end())
        return;
    const std::set<std::string> handles = place->second->handles();
    discoveries_.erase(place);
    for (const std::string& handle : handles)
        feed(core::CandidateLost{name, handle});
}

FoundPeer Runtime::own_announcement() const {
    FoundPeer own;
    own.station_id = core::to_text(settings_.self);
    own.name = settings_.station.name;
    own.project = settings_.project.name;
    // All that we listen on, also what stands for all addresses of a family: which of them are
    // ours, and on which network, the plugin knows best.
    for (const ListenAddress& listen : settings_.listen)
        own.endpoints.push_back(to_text(listen.address));
    own.texts["proto"] = core::to_text(own_protocol());
    if (!settings_.project.product_version.empty())
        own.texts["app"] = settings_.project.product_version;
    return own;
}

bool Runtime::probe_all() {
    bool searches = false;
    for (const auto& [name, discovery] : discoveries_) {
        discovery->probe("*");
        searches = searches || !is_list(name);
    }
    return searches;
}

// A list that a person wrote down; what merely announces itself is none.
bool Runtime::is_list(const std::string& discovery) const {
    const auto& all = settings_.project.discoveries;
    const auto config = std::ranges::find(all, discovery, &DiscoveryConfig::name);
    return config != all.end() && config->plugin == "discovery-static";
}

void Runtime::start_discovery(const DiscoveryConfig& config) {
    const PluginKind* const kind = plugins_.find(config.plugin);
    if (!kind || kind->is_provider) {
        raise("discovery-missing", config.name, {{"plugin", config.plugin}, {"name", config.name}});
        return;
    }
    DiscoveryEvents events;
    const std::string name = config.name;
    events.found = [this, name](const FoundPeer& peer) { found(name, peer); };
    events.lost = [this, name](std::string handle) {
        feed(core::CandidateLost{name, std::move(handle)});
    };
    events.note = [this, name](const std::string& text) {
        if (text.empty())
            messages_->clear("discovery", name);
        else
            raise("discovery", name, {{"text", text}});
    };
    discoveries_[name] = std::make_unique<DiscoveryInstance>(
        *kind, instance_settings("discovery", name, config.own, false), own_announcement(),
        workers_.of_plugin(1), post_to_io_context(&context_), std::move(events));
}

void Runtime::found(const std::string& discovery, const FoundPeer& peer) {
    core::CandidateFound candidate;
    // What a person wrote down is dialled at any port; what merely announces itself is not.
    const bool configured = is_list(discovery);
    candidate.source =
        configured ? core::CandidateSource::configured : core::CandidateSource::discovered;
    candidate.origin = discovery;
    candidate.handle = peer.handle;
    candidate.id = parse_station_id(peer.station_id);
    candidate.name = peer.name;
    candidate.project = peer.project;
    candidate.protocol = text_or_nothing(peer, "proto");
    candidate.product_version = text_or_nothing(peer, "app");
    for (const std::string& endpoint : peer.endpoints)
        if (const auto address = parse_host_port(endpoint, link_port_default))
            candidate.addresses.push_back(to_text(*address));
    // A station of another project is shown and never dialled.
    const bool foreign = !peer.project.empty() && peer.project != settings_.project.name;
    if (!configured && !foreign) {
        const std::vector<std::string> announced = candidate.addresses;
        keep_dialable(candidate.addresses);
        if (candidate.addresses.empty() && !announced.empty()) {
            candidate.addresses = announced;
            candidate.not_dialled = "It announces " + announced.front() +
                                    "; `dial_ports` in [net] of station.toml does not name that "
                                    "port, so this station does not connect to it";
        }
    }
    if (candidate.id == settings_.self || candidate.addresses.empty())
        return;
    feed(std::move(candidate));
}

} // namespace stationsync::host
