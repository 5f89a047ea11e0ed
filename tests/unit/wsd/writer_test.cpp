#include "parser.hpp"
#include "writer.hpp"

#include <gtest/gtest.h>

namespace stationsync::discovery_wsd {
namespace {

OwnTarget own(const StationRecord& record) {
    return {endpoint_of(record.station_id), scopes_of(record), "tcp://10.77.0.1:8883", 5};
}

StationRecord record(std::string project, std::string name) {
    return {"01234567-89ab-4def-8123-456789abcdef", std::move(project), std::move(name), "1.0",
            "2.3.1"};
}

Message read(const std::string& bytes) {
    const auto parsed = parse_message(bytes);
    const auto* message = std::get_if<Message>(&parsed);
    EXPECT_NE(message, nullptr) << bytes;
    return message != nullptr ? *message : Message{};
}

TEST(WrittenMessage, IsReadBackInBothVersions) {
    const StationRecord self = record("Demo Line 1 <&\"'>", "Press \xc3\xbc/3");
    for (const Version version : all_versions) {
        const Header header{version, "urn:uuid:1", {}, {7, 8}};
        const Header reply{version, "urn:uuid:2", "id & <1>", {7, 9}};
        const Message hello = read(write_hello(header, own(self)));
        EXPECT_EQ(hello.kind, Kind::hello);
        EXPECT_EQ(hello.version, version);
        EXPECT_EQ(hello.message_id, "urn:uuid:1");
        EXPECT_EQ(*hello.sequence, (AppSequence{7, 8}));
        EXPECT_TRUE(is_station(hello.targets[0]));
        EXPECT_EQ(record_of(hello.targets[0]), self);
        EXPECT_EQ(hello.targets[0].addresses[0], "tcp://10.77.0.1:8883");
        EXPECT_EQ(hello.targets[0].metadata_version, 5U);
        for (const Kind kind : {Kind::probe_matches, Kind::resolve_matches}) {
            const Message matches = read(write_matches(kind, reply, own(self)));
            EXPECT_EQ(matches.kind, kind);
            EXPECT_EQ(matches.relates_to, "id & <1>");
            ASSERT_EQ(matches.targets.size(), 1U);
            EXPECT_EQ(record_of(matches.targets[0]), self);
        }
        EXPECT_EQ(read(write_bye(header, "urn:uuid:3")).targets[0].endpoint, "urn:uuid:3");
        EXPECT_EQ(read(write_resolve(header, "urn:uuid:3")).targets[0].endpoint, "urn:uuid:3");
        const Message probe = read(write_probe(header, project_scope(self.project)));
        EXPECT_TRUE(is_asked_for(probe.targets[0], scopes_of(self)));
        EXPECT_FALSE(is_asked_for(probe.targets[0], scopes_of(record("Demo", "x"))));
        EXPECT_FALSE(probe.sequence);
        EXPECT_TRUE(read(write_probe(header, "")).targets[0].scopes.empty());
    }
}

// Readers that look for literal prefixes find what they know; none of the other version's names is
// among it (row 2 of the acceptance table).
TEST(WrittenMessage, HasTheUsualPrefixesAndOneVersion) {
    for (const Version version : all_versions) {
        const Version other =
            version == Version::draft_2005 ? Version::oasis_2009 : Version::draft_2005;
        const std::string bytes =
            write_matches(Kind::probe_matches, {version, "a", "b", {1, 1}}, own(record("P", "N")));
        for (const char* part : {"<wsa:MessageID>", "<wsa:RelatesTo>", "<wsd:ProbeMatches>",
                                 "<wsd:Types>stn:Station</wsd:Types>", "<wsa:Address>"})
            EXPECT_NE(bytes.find(part), std::string::npos) << part;
        EXPECT_NE(bytes.find(names_of(version).anonymous), std::string::npos);
        EXPECT_EQ(bytes.find(names_of(other).discovery), std::string::npos);
        EXPECT_EQ(bytes.find(names_of(other).addressing), std::string::npos);
        EXPECT_EQ(bytes.find("wsdp"), std::string::npos);
    }
}

std::size_t longest_answer(const std::string& name) {
    StationRecord self = record(name, name);
    self.protocol = "10";
    self.product = "2024.10.20";
    OwnTarget target = own(self);
    target.address = "tcp://255.255.255.255:65535";
    target.metadata_version = 4294967295U;
    const std::string id(45, 'a');
    std::size_t size = 0;
    for (const Version version : all_versions) {
        const Header header{version, id, id, {4294967295U, 4294967295U}};
        size = std::max(size, write_matches(Kind::resolve_matches, header, target).size());
    }
    return size;
}

TEST(WrittenMessage, FitsOneDatagramWithTheLongestLatinNames) {
    EXPECT_LE(longest_answer(std::string(name_bytes_max, 'x')), datagram_bytes_max);
    EXPECT_LE(longest_answer("Press3"), 1232U); // also where IPv6 has its least room
    std::string umlauts;
    for (std::size_t i = 0; i < name_bytes_max / 2; ++i)
        umlauts += "\xc3\xbc";
    EXPECT_LE(longest_answer(umlauts), 1536U); // in two pieces, which is told in the log
}

} // namespace
} // namespace stationsync::discovery_wsd
