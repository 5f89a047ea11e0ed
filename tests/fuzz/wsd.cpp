// Datagrams of WS-Discovery: whatever comes, the parser keeps its limits and the protocol its
// budget.
#include "fuzz_target.hpp"

#include "parser.hpp"
#include "protocol.hpp"

#include <filesystem>
#include <fstream>
#include <memory>
#include <random>

using namespace stationsync::discovery_wsd;

namespace {

const char* const own_id = "00000000-0000-4000-8000-000000000001";
const char* const other_id = "00000000-0000-4000-8000-000000000002";

void check_limits(const Message& message) {
    expect(!message.message_id.empty() && message.message_id.size() <= message_id_bytes_max);
    expect(message.targets.size() <= matches_max);
    for (const Target& target : message.targets) {
        expect(target.endpoint.size() <= item_bytes_max);
        for (const std::string& scope : target.scopes)
            expect(!scope.empty() && scope.size() <= item_bytes_max);
        if (const auto record = record_of(target)) {
            expect(record->name.size() <= name_bytes_max);
            Target copy;
            copy.endpoint = endpoint_of(record->station_id);
            copy.scopes = scopes_of(*record);
            expect(record_of(copy) == record);
        }
    }
}

// The same bytes at the socket of the group and at that of the answers to an open question.
void check_protocol(std::string_view bytes) {
    const Time now{1000};
    ProtocolSettings settings;
    settings.project = "Plant";
    Protocol protocol(settings, [engine = std::make_shared<std::mt19937>(8883)] {
        return static_cast<std::uint32_t>((*engine)());
    });
    const Channel channel{2, "eth0", Family::v4, {*parse_prefix("10.0.0.1/24")}};
    protocol.set_channels({channel}, {}, now);
    protocol.announce({{own_id, "Plant", "Own", "1", "2"}, {{IpAddress{}, 8883}}, 1, 1}, now);
    protocol.take_due(now + Time(5000));
    for (const bool is_answer : {false, true})
        protocol.receive(
            {channel.id(), is_answer, !is_answer, *parse_endpoint("10.0.0.2:3702"), bytes}, now);
    const auto sent = protocol.take_due(now + Time(5000));
    expect(sent.size() <= 12); // one answer, or a Resolve for each match within its budget
    for (const Outgoing& each : sent) {
        // With the id of the question in it, at its longest and escaped.
        expect(each.bytes->size() <= datagram_bytes_max + 6 * message_id_bytes_max);
        expect(std::holds_alternative<Message>(parse_message(*each.bytes)));
    }
    for (const FindChange& change : protocol.take_changes(now))
        for (const std::string& endpoint : change.find.endpoints)
            expect(endpoint.rfind("10.0.0.2:", 0) == 0);
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes = text_of(data, size);
    const auto parsed = parse_message(bytes);
    if (const auto* message = std::get_if<Message>(&parsed))
        check_limits(*message);
    check_protocol(bytes);
    return 0;
}

std::vector<std::string> good_inputs() {
    namespace fs = std::filesystem;
    std::vector<std::string> inputs;
    for (const auto& entry : fs::recursive_directory_iterator(STATIONSYNC_WSD_CORPUS)) {
        if (entry.path().extension() != ".xml")
            continue;
        std::ifstream file(entry.path(), std::ios::binary);
        inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
    const StationRecord other{other_id, "Plant", "Other", "1", "2"};
    const OwnTarget target{endpoint_of(other_id), scopes_of(other), "tcp://10.0.0.2:8883", 1};
    for (const Version version : all_versions) {
        const Header header{version, "urn:uuid:1", {}, {1, 1}};
        inputs.push_back(write_hello(header, target));
        inputs.push_back(write_bye(header, endpoint_of(other_id)));
        inputs.push_back(write_probe(header, project_scope("Plant")));
        inputs.push_back(write_resolve(header, endpoint_of(own_id)));
        inputs.push_back(
            write_matches(Kind::probe_matches, {version, "urn:uuid:2", "urn:uuid:1"}, target));
    }
    return inputs;
}
