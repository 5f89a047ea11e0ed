// Links to other stations, and what comes over them.
#include "service/runtime.hpp"

#include "base/log.hpp"
#include "net/address.hpp"
#include "plugins/key_rules.hpp"
#include "service/own_protocol.hpp"

#include <algorithm>

namespace stationsync::host {

void Runtime::on_link_up(const LinkUpInfo& info) {
    LinkEntry entry;
    entry.station = info.station;
    entry.dialled = info.dialled;
    entry.other_protocol = info.protocol_major != own_protocol().major;
    live_links_[info.link] = std::move(entry);
    log::info("net",
              std::string(info.dialled ? "connected to " : "connection from ") + info.station_name +
                  " at " + info.address,
              {core::to_text(info.station), {}, {}});
    core::LinkUp up;
    up.link = info.link;
    up.station = info.station;
    up.run_id = info.run_id;
    up.name = info.station_name;
    up.dialled = info.dialled;
    if (info.dialled)
        up.dial = info.dial;
    up.address = info.address;
    feed(std::move(up));
    tell_keys(info.link);
}

void Runtime::on_link_down(LinkId link, LinkFailure failure, const std::string& text) {
    const auto place = live_links_.find(link);
    if (place != live_links_.end()) {
        const core::StationId station = place->second.station;
        log::write_limited("down " + core::to_text(station) + std::string(to_text(failure)),
                           log::Level::info, "net", text,
                           {core::to_text(station), {}, to_text(failure)});
        const bool carried = place->second.carried;
        live_links_.erase(place);
        if (transfer_ && !transfer_link(station))
            transfer_->on_station_gone(station);
        else if (transfer_ && carried)
            transfer_->on_link_lost(station);
    }
    feed(core::LinkDown{link, text});
}

void Runtime::on_dial_failed(DialId dial, LinkFailure failure, const std::string& text) {
    log::write_limited("dial " + text, log::Level::debug, "net", text, {{}, {}, to_text(failure)});
    if (failure == LinkFailure::wrong_key || failure == LinkFailure::not_station)
        log::write_limited("key " + text, log::Level::warning, "net", text,
                           {{}, {}, to_text(failure)});
    feed(core::DialFailed{dial, text, failure == LinkFailure::wrong_key,
                          failure == LinkFailure::is_self});
}

void Runtime::on_incoming_refused(const std::string& address, LinkFailure failure,
                                  const std::string& text) {
    const auto host = parse_host_port(address, 0);
    const std::string who = host ? host->host : address;
    log::write_limited("incoming " + who + std::string(to_text(failure)), log::Level::warning,
                       "net", text, {who, {}, to_text(failure)});
    feed(core::IncomingRefused{who, text, failure == LinkFailure::wrong_key});
}

// Rule 1: an introduced or announced address is only a hint, and no way to make us knock anywhere.
void Runtime::keep_dialable(std::vector<std::string>& addresses) const {
    std::erase_if(addresses, [&](const std::string& text) {
        const auto address = parse_host_port(text, link_port_default);
        const auto& ports = settings_.station.net.dial_ports;
        return !address || std::find(ports.begin(), ports.end(), address->port) == ports.end();
    });
}

// Adds what only this station can know of foreign content: which keys may be used here.
void Runtime::screen(core::Message& message) const {
    if (auto* const profile = std::get_if<core::Profile>(&message))
        keep_dialable(profile->addresses);
    if (auto* const introductions = std::get_if<core::Introductions>(&message))
        for (core::Introduction& station : introductions->stations)
            keep_dialable(station.addresses);
    auto* const batch = std::get_if<core::IndexBatch>(&message);
    if (!batch)
        return;
    for (core::IndexEntry& entry : batch->entries) {
        const auto slot = providers_.find(entry.object.provider);
        if (slot == providers_.end() || !slot->second.kind || !slot->second.kind->keys_are_paths)
            continue;
        entry.refused = why_path_refused(entry.object.key);
        if (entry.refused.empty())
            entry.folded_key = folded_path(entry.object.key);
    }
}

void Runtime::on_engine_bytes(LinkId link, Bytes bytes) {
    auto decoded = decode_message(bytes);
    if (!decoded) {
        const auto place = live_links_.find(link);
        if (place != live_links_.end() && place->second.other_protocol)
            return; // not for us: its profile, which we can read, says that no data flow
        const std::string station =
            place == live_links_.end() ? std::string() : core::to_text(place->second.station);
        log::write_limited("message " + station, log::Level::warning, "net",
                           "a message cannot be read: " + decoded.error().text,
                           {station, {}, "protocol"});
        links_->close(link, "a message cannot be read: " + decoded.error().text);
        return;
    }
    if (!decoded->has_value())
        return; // of a later minor version
    screen(**decoded);
    feed(core::MessageReceived{link, std::move(**decoded)});
}

void Runtime::tell_keys(LinkId link) {
    if (!ending_)
        links_->send_host(link, encode_host_message(keys_->update()));
}

void Runtime::on_host_bytes(LinkId link, Bytes bytes) {
    const auto place = live_links_.find(link);
    if (place == live_links_.end() || place->second.other_protocol)
        return; // keys may mean something else there
    const auto decoded = decode_host_message(bytes);
    if (!decoded) {
        links_->close(link, "a message cannot be read: " + decoded.error().text);
        return;
    }
    if (!decoded->has_value())
        return;
    for (const core::StationView& station : engine_->stations())
        if (station.id == place->second.station && station.blocked)
            return; // a blocked station changes no keys
    auto ring = std::make_shared<KeyRing>(*keys_);
    if (!ring->adopt(std::get<KeyUpdate>(**decoded), now().wall))
        return;
    log::info("net", "the project has a new key " + ring->current().fingerprint(),
              {core::to_text(place->second.station), {}, {}});
    set_keys(ring);
    listener_.keys_changed(*ring);
}

void Runtime::on_writable(LinkId link) {
    const auto place = live_links_.find(link);
    if (place == live_links_.end() || !transfer_)
        return;
    place->second.blocks_full = false;
    const core::StationId station = place->second.station;
    if (send_held_blocks(link) == SendResult::taken)
        transfer_->on_writable(station);
}

void Runtime::on_time_measured(LinkId link, core::Duration offset, core::Duration round_trip) {
    feed(core::ClockMeasured{link, offset, round_trip / 2});
}

void Runtime::on_link_alive(LinkId link) {
    feed(core::LinkAlive{link});
}

void Runtime::on_listen_tried(const std::vector<std::string>& problems) {
    if (problems.empty()) {
        messages_->clear("listen-failed", {});
        return;
    }
    std::string text;
    for (const std::string& problem : problems)
        text += (text.empty() ? "" : " ") + problem;
    raise("listen-failed", {}, {{"text", text}});
}

void Runtime::on_transfer_bytes(LinkId link, Bytes bytes) {
    transfer_frame(link, bytes);
}

void Runtime::on_block_bytes(LinkId link, Bytes bytes) {
    transfer_frame(link, bytes);
}

void Runtime::transfer_frame(LinkId link, std::span<const std::byte> bytes) {
    const auto place = live_links_.find(link);
    if (place == live_links_.end() || !transfer_)
        return;
    // Data flow between stations that fit, and only between those (rule 3).
    const core::StationId station = place->second.station;
    if (!engine_->may_exchange(station))
        return;
    place->second.carried = true;
    if (!transfer_->on_frame(station, bytes))
        links_->close(link, "a package message cannot be read");
}

// Control and blocks run on the link dialled by the smaller id, on the other one when it is
// missing.
std::optional<LinkId> Runtime::transfer_link(const core::StationId& station) const {
    std::optional<LinkId> chosen;
    const bool ours_first = settings_.self < station;
    for (const auto& [link, entry] : live_links_)
        if (entry.station == station && (!chosen || entry.dialled == ours_first))
            chosen = link;
    return chosen;
}

} // namespace stationsync::host
