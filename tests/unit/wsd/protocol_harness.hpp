// A protocol whose clock and network the test turns by hand.
#pragma once

#include "parser.hpp"
#include "protocol.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <random>

namespace stationsync::discovery_wsd {

struct Sent {
    Time at{0};
    ChannelId channel = 0;
    bool is_question = false;
    Endpoint to;
    std::string bytes;
    Message message;
};

inline const std::string own_id = "00000000-0000-4000-8000-000000000001";
inline const std::string other_id = "00000000-0000-4000-8000-000000000002";

inline Random seeded(unsigned seed) {
    return [engine = std::make_shared<std::mt19937>(seed)] {
        return static_cast<std::uint32_t>((*engine)());
    };
}

inline StationRecord record_named(std::string id, std::string name, std::string project = "Plant") {
    return {std::move(id), std::move(project), std::move(name), "1.0", "2.3"};
}

inline Channel channel_of(std::uint32_t index, const char* network) {
    const Prefix prefix = *parse_prefix(network);
    return {index, "eth" + std::to_string(index), prefix.address.family, {prefix}};
}

class ProtocolTest : public ::testing::Test {
protected:
    ProtocolTest() { make(); }

    void make(unsigned seed = 1) {
        protocol = std::make_unique<Protocol>(settings, seeded(seed));
        now = Time(1'000'000);
        sent.clear();
        changes.clear();
        lines.clear();
    }

    // One interface, announced; what that brings is sent and forgotten.
    void settle() {
        protocol->set_channels({eth}, {}, now);
        announce();
        run_for(Time(3000));
        sent.clear();
    }
    void announce(std::string name = "Own", std::uint32_t metadata = 1) {
        protocol->announce(
            {record_named(own_id, std::move(name)), {{IpAddress{}, 8883}}, 100, metadata}, now);
    }

    // Turns the clock millisecond by millisecond where something is due.
    void run_for(Time span) {
        const Time end = now + span;
        while (true) {
            protocol->advance(now);
            for (const Outgoing& each : protocol->take_due(now)) {
                auto parsed = parse_message(*each.bytes);
                auto* message = std::get_if<Message>(&parsed);
                ASSERT_NE(message, nullptr) << *each.bytes;
                sent.push_back({now, each.channel, each.is_question(), each.to, *each.bytes,
                                std::move(*message)});
            }
            for (FindChange& each : protocol->take_changes(now))
                changes.push_back(std::move(each));
            for (const DropLine& each : protocol->take_drop_lines(now))
                lines.push_back(each);
            if (now >= end)
                return;
            now = std::clamp(protocol->next_deadline(), now + Time(1), end);
        }
    }

    void receive(const std::string& bytes, const char* from, bool at_question_socket = false,
                 bool to_group = true) {
        receive_on(eth, bytes, from, at_question_socket, to_group);
    }
    void receive_on(const Channel& channel, const std::string& bytes, const char* from,
                    bool at_question_socket = false, bool to_group = true) {
        protocol->receive({channel.id(), at_question_socket, to_group && !at_question_socket,
                           *parse_endpoint(from), bytes},
                          now);
    }

    std::string new_id() { return "urn:uuid:test-" + std::to_string(++ids); }
    std::string hello(const StationRecord& record, const char* address,
                      AppSequence sequence = {1, 1}, Version version = Version::draft_2005) {
        const std::string id = new_id();
        return write_hello({version, id, {}, sequence}, target(record, address));
    }
    std::string bye(const std::string& station_id, AppSequence sequence = {1, 9}) {
        const std::string id = new_id();
        return write_bye({Version::draft_2005, id, {}, sequence}, endpoint_of(station_id));
    }
    std::string matches(const std::string& relates_to, const StationRecord& record,
                        const char* address, AppSequence sequence = {1, 1},
                        Kind kind = Kind::probe_matches) {
        const std::string id = new_id();
        return write_matches(kind, {Version::draft_2005, id, relates_to, sequence},
                             target(record, address));
    }
    std::string probe(const std::string& project = "") {
        const std::string id = new_id();
        return write_probe({Version::draft_2005, id},
                           project.empty() ? "" : project_scope(project));
    }
    static OwnTarget target(const StationRecord& record, const char* address) {
        return {endpoint_of(record.station_id), scopes_of(record), address, 1};
    }

    std::vector<Sent> sent_of(Kind kind) const {
        std::vector<Sent> result;
        for (const Sent& each : sent)
            if (each.message.kind == kind)
                result.push_back(each);
        return result;
    }
    // The id of the latest question of that kind.
    std::string question(Kind kind = Kind::probe) const {
        const auto all = sent_of(kind);
        return all.empty() ? "" : all.back().message.message_id;
    }
    std::string told() const {
        std::string text;
        for (const FindChange& each : changes) {
            const char* what = each.what == FindChange::What::found     ? "found "
                               : each.what == FindChange::What::updated ? "updated "
                                                                        : "lost ";
            text += (text.empty() ? "" : "; ") + std::string(what) + each.station_id.substr(35);
            for (const std::string& endpoint : each.find.endpoints)
                text += ' ' + endpoint;
        }
        return text;
    }

    ProtocolSettings settings{{Version::draft_2005, Version::oasis_2009}, "Plant", {}, {}};
    Channel eth = channel_of(2, "10.0.0.1/24");
    std::unique_ptr<Protocol> protocol;
    Time now{0};
    int ids = 0;
    std::vector<Sent> sent;
    std::vector<FindChange> changes;
    std::vector<DropLine> lines;
};

} // namespace stationsync::discovery_wsd
