// The C functions of a discovery plugin: views are copied in, exceptions kept inside.
#pragma once

#include "../discovery.hpp"
#include "../guarded.hpp"
#include "../options.hpp"

#include <cstring>
#include <memory>

namespace stationsync::sdk::detail {

// Behind stsync_instance.self of a discovery.
struct DiscoveryInstance {
    stsync_instance abi{};
    std::unique_ptr<Discovery> discovery;
};

inline Discovery& discovery_of(const stsync_instance* instance) noexcept {
    return *static_cast<DiscoveryInstance*>(instance->self)->discovery;
}

inline Peer copy_peer(const stsync_peer* in) {
    stsync_peer raw{};
    std::memcpy(static_cast<void*>(&raw), in, in->size < sizeof raw ? in->size : sizeof raw);
    Peer peer{copy(raw.id), copy(raw.station_id), copy(raw.name), copy(raw.project), {}, {},
              raw.ttl_s};
    for (std::uint32_t i = 0; i < raw.endpoint_count; ++i)
        peer.endpoints.push_back(copy(raw.endpoints[i]));
    for (std::uint32_t i = 0; i < raw.text_count; ++i)
        peer.texts.emplace_back(copy(raw.texts[i].name), copy(raw.texts[i].value));
    return peer;
}

inline stsync_status STSYNC_CALL discovery_start(const stsync_instance* instance,
                                                 const stsync_op* op,
                                                 const stsync_discovery_sink* sink) noexcept {
    return guarded(op, [&] {
        Op call(op);
        discovery_of(instance).start(call, DiscoverySink(sink));
    });
}

inline stsync_status STSYNC_CALL discovery_stop(const stsync_instance* instance,
                                                const stsync_op* op) noexcept {
    return guarded(op, [&] {
        Op call(op);
        discovery_of(instance).stop(call);
    });
}

inline stsync_status STSYNC_CALL discovery_announce(const stsync_instance* instance,
                                                    const stsync_op* op,
                                                    const stsync_peer* peer) noexcept {
    return guarded(op, [&] {
        Op call(op);
        discovery_of(instance).announce(call, copy_peer(peer));
    });
}

inline stsync_status STSYNC_CALL discovery_withdraw(const stsync_instance* instance,
                                                    const stsync_op* op) noexcept {
    return guarded(op, [&] {
        Op call(op);
        discovery_of(instance).withdraw(call);
    });
}

inline stsync_status STSYNC_CALL discovery_probe(const stsync_instance* instance,
                                                 const stsync_op* op, stsync_str hint) noexcept {
    return guarded(op, [&] {
        Op call(op);
        discovery_of(instance).probe(call, copy(hint));
    });
}

inline const void* STSYNC_CALL discovery_query(const stsync_instance*, const char* id) noexcept {
    static constexpr stsync_discovery_v1 table{sizeof(stsync_discovery_v1),
                                               0,
                                               &discovery_start,
                                               &discovery_stop,
                                               &discovery_announce,
                                               &discovery_withdraw,
                                               &discovery_probe};
    return std::string_view(id) == STSYNC_DISCOVERY_V1 ? &table : nullptr;
}

inline stsync_status STSYNC_CALL discovery_destroy(const stsync_instance* instance) noexcept {
    const auto ignore = [](stsync_status, std::string_view, std::uint64_t) noexcept {};
    return guarded_by(ignore, [&] { delete static_cast<DiscoveryInstance*>(instance->self); });
}

template <class T>
const stsync_instance* make_discovery(const stsync_host* host) {
    auto made = std::make_unique<DiscoveryInstance>();
    made->discovery = std::make_unique<T>(Host(host));
    made->abi = {sizeof(stsync_instance), 0, made.get(), &discovery_query, &discovery_destroy};
    return &made.release()->abi;
}

} // namespace stationsync::sdk::detail
