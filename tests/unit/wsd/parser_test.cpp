#include "parser.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>

namespace stationsync::discovery_wsd {
namespace {

constexpr const char* wsa = "http://schemas.xmlsoap.org/ws/2004/08/addressing";
constexpr const char* wsd = "http://schemas.xmlsoap.org/ws/2005/04/discovery";

std::string envelope(const std::string& header, const std::string& body,
                     const std::string& declarations = "") {
    return std::string("<?xml version=\"1.0\" encoding=\"utf-8\"?><s:Envelope "
                       "xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:a=\"") +
           wsa + "\" xmlns:d=\"" + wsd + "\" " + declarations + "><s:Header>" + header +
           "</s:Header><s:Body>" + body + "</s:Body></s:Envelope>";
}

std::string probe_header(const std::string& more = "") {
    return std::string("<a:Action>") + wsd +
           "/Probe</a:Action><a:MessageID>urn:uuid:1</a:MessageID>" + more;
}

std::string probe(const std::string& content, const std::string& declarations = "") {
    return envelope(probe_header(), "<d:Probe>" + content + "</d:Probe>", declarations);
}

Message accepted(const std::string& bytes) {
    const auto parsed = parse_message(bytes);
    const auto* reason = std::get_if<DropReason>(&parsed);
    EXPECT_EQ(reason, nullptr) << (reason != nullptr ? to_text(*reason) : "") << '\n' << bytes;
    return reason != nullptr ? Message{} : std::get<Message>(parsed);
}

std::string refused(const std::string& bytes) {
    const auto parsed = parse_message(bytes);
    const auto* reason = std::get_if<DropReason>(&parsed);
    return reason != nullptr ? std::string(to_text(*reason)) : "accepted";
}

TEST(CapturedMessage, OfEveryProgramIsUnderstood) {
    namespace fs = std::filesystem;
    std::size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(STATIONSYNC_WSD_CORPUS)) {
        if (entry.path().extension() != ".xml")
            continue;
        ++count;
        std::ifstream file(entry.path(), std::ios::binary);
        const std::string bytes{std::istreambuf_iterator<char>(file), {}};
        const Message message = accepted(bytes);
        EXPECT_NE(entry.path().filename().string().find(to_text(message.kind)), std::string::npos)
            << entry.path();
        EXPECT_EQ(message.version == Version::oasis_2009,
                  entry.path().filename().string().find("2009") != std::string::npos);
    }
    EXPECT_GE(count, 18U);
}

TEST(ParsedMessage, HasItsFields) {
    const Message message = accepted(envelope(
        std::string("<a:Action>") + wsd +
            "/ProbeMatches</a:Action><a:MessageID> urn:uuid:2 </a:MessageID><a:RelatesTo>urn:uuid:1"
            "</a:RelatesTo><d:AppSequence InstanceId=\"7\" SequenceId=\"x\" MessageNumber=\"9\"/>",
        "<d:ProbeMatches><d:ProbeMatch><a:EndpointReference><a:Address>urn:uuid:3</a:Address>"
        "</a:EndpointReference><d:Types xmlns:n=\"urn:n\">n:A n:B</d:Types>"
        "<d:Scopes>x:1\n\t y:2</d:Scopes><d:XAddrs>tcp://10.0.0.1:1 http://h/</d:XAddrs>"
        "<d:MetadataVersion>12</d:MetadataVersion></d:ProbeMatch><d:ProbeMatch>"
        "<a:EndpointReference><a:Address>urn:4</a:Address></a:EndpointReference></d:ProbeMatch>"
        "</d:ProbeMatches>"));
    EXPECT_EQ(message.kind, Kind::probe_matches);
    EXPECT_EQ(message.message_id, "urn:uuid:2");
    EXPECT_EQ(message.relates_to, "urn:uuid:1");
    EXPECT_EQ(message.sequence->instance_id, 7U);
    EXPECT_EQ(message.sequence->message_number, 9U);
    ASSERT_EQ(message.targets.size(), 2U);
    const Target& target = message.targets[0];
    EXPECT_EQ(target.endpoint, "urn:uuid:3");
    EXPECT_EQ(target.types, (std::vector<QName>{{"urn:n", "A"}, {"urn:n", "B"}}));
    EXPECT_EQ(target.scopes, (std::vector<std::string>{"x:1", "y:2"}));
    EXPECT_EQ(target.addresses, (std::vector<std::string>{"tcp://10.0.0.1:1", "http://h/"}));
    EXPECT_EQ(target.metadata_version, 12U);
    EXPECT_EQ(message.targets[1].endpoint, "urn:4");
}

// Row 16 of the acceptance table.
TEST(TypePrefix, MeansWhatItIsDeclaredToMeanInnermost) {
    const std::string space = "xmlns:p=\"urn:right\"";
    const QName right{"urn:right", "T"};
    EXPECT_EQ(accepted(probe("<d:Types>p:T</d:Types>", space)).targets[0].types[0], right);
    EXPECT_EQ(
        accepted(envelope(probe_header(), "<d:Probe " + space + "><d:Types>p:T</d:Types></d:Probe>",
                          "xmlns:p=\"urn:wrong\""))
            .targets[0]
            .types[0],
        right);
    EXPECT_EQ(accepted(probe("<d:Types " + space + ">p:T</d:Types>", "xmlns:p=\"urn:wrong\""))
                  .targets[0]
                  .types[0],
              right);
    // What a child declares ends with it.
    EXPECT_EQ(accepted(probe("<d:Types><d:X xmlns:p=\"urn:wrong\"/>p:T</d:Types>", space))
                  .targets[0]
                  .types[0],
              right);
    EXPECT_EQ(accepted(probe("<d:Types xmlns=\"urn:right\">T</d:Types>")).targets[0].types[0],
              right);
    EXPECT_EQ(accepted(probe("<d:Types>T</d:Types>")).targets[0].types[0], (QName{"", "T"}));
    EXPECT_EQ(refused(probe("<d:Types>q:T</d:Types>")), to_text(DropReason::incomplete));
}

TEST(ForeignParts, AreIgnored) {
    const Message message = accepted(envelope(
        probe_header(
            "<x:Thing xmlns:x=\"urn:x\" s:mustUnderstand=\"0\"><a:MessageID>no</a:MessageID>"
            "</x:Thing><a:ReplyTo><a:Address>http://10.9.9.9/</a:Address></a:ReplyTo>"
            "<a:To s:mustUnderstand=\"1\">any</a:To>"),
        "<d:Probe y=\"1\"><x:Types xmlns:x=\"urn:x\">x:T</x:Types><d:Scopes>a:b</d:Scopes><d:New/>"
        "</d:Probe>"));
    EXPECT_EQ(message.message_id, "urn:uuid:1");
    EXPECT_TRUE(message.targets[0].types.empty());
    EXPECT_EQ(message.targets[0].scopes.size(), 1U);
    EXPECT_TRUE(message.targets[0].endpoint.empty());
}

TEST(UnknownHeader, ThatMustBeUnderstoodEndsTheMessage) {
    for (const char* value : {"1", "true", " 1 "})
        EXPECT_EQ(refused(envelope(
                      probe_header(std::string("<x:Y xmlns:x=\"urn:x\" s:mustUnderstand=\"") +
                                   value + "\"/>"),
                      "<d:Probe/>")),
                  to_text(DropReason::not_understood));
}

TEST(Addressing, OfTheOtherVersionIsAcceptedToo) {
    std::string bytes = probe("");
    const std::string from = wsa;
    for (std::size_t at = bytes.find(from); at != std::string::npos; at = bytes.find(from))
        bytes.replace(at, from.size(), "http://www.w3.org/2005/08/addressing");
    EXPECT_EQ(accepted(bytes).version, Version::draft_2005);
}

TEST(IncompleteMessage, IsDropped) {
    const auto incomplete = to_text(DropReason::incomplete);
    const std::string action = std::string("<a:Action>") + wsd + "/Probe</a:Action>";
    EXPECT_EQ(refused(envelope(action, "<d:Probe/>")), incomplete); // no id
    EXPECT_EQ(refused(envelope("<a:MessageID>1</a:MessageID>", "<d:Probe/>")), incomplete);
    EXPECT_EQ(refused(envelope(probe_header(), "<d:Bye/>")), incomplete); // another action
    EXPECT_EQ(refused(envelope(probe_header("<a:MessageID>2</a:MessageID>"), "<d:Probe/>")),
              incomplete);
    EXPECT_EQ(
        refused(envelope(probe_header("<d:AppSequence InstanceId=\"-1\" MessageNumber=\"1\"/>"),
                         "<d:Probe/>")),
        incomplete);
    EXPECT_EQ(refused(envelope(std::string("<a:Action>") + wsd +
                                   "/Hello</a:Action><a:MessageID>1</a:MessageID>",
                               "<d:Hello/>")),
              incomplete); // of whom?
    EXPECT_EQ(refused(envelope(std::string("<a:Action>") + wsd +
                                   "/ProbeMatches</a:Action><a:MessageID>1</a:MessageID>",
                               "<d:ProbeMatches/>")),
              incomplete); // to what?
    const auto other = to_text(DropReason::not_discovery);
    EXPECT_EQ(refused(envelope(probe_header(), "")), other);
    EXPECT_EQ(refused(envelope(probe_header(), "<s:Fault/>")), other);
    EXPECT_EQ(refused(envelope(probe_header(), "<d:Probe/><d:Probe/>")), other);
    EXPECT_EQ(refused("<a/>"), other);
    EXPECT_EQ(refused("<Envelope xmlns=\"http://schemas.xmlsoap.org/soap/envelope/\"/>"), other);
}

std::string repeated(const std::string& text, std::size_t count) {
    std::string result;
    for (std::size_t i = 0; i < count; ++i)
        result += text;
    return result;
}

// Row 29 of the acceptance table, as far as bytes go.
TEST(HostileMessage, IsRefusedWithItsReasonAndAtOnce) {
    const std::string bomb = "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b \"bbbbbbbbbbbbbbbb\">"
                             "<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">"
                             "<!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;\">]><a>&d;&d;&d;</a>";
    std::string attributes;
    for (int i = 0; i < 6000; ++i)
        attributes += " a" + std::to_string(i) + "=\"\"";
    std::string spaces;
    for (int i = 0; i < 40; ++i)
        spaces += " xmlns:n" + std::to_string(i) + "=\"u\"";
    std::string utf16("\xff\xfe", 2);
    for (const char byte : std::string("<?xml version=\"1.0\"?><a/>"))
        utf16 += std::string(1, byte) + '\0';
    const std::pair<std::string, DropReason> samples[] = {
        {"<:/>", DropReason::not_well_formed},
        {"", DropReason::not_well_formed},
        {" " + probe(""), DropReason::not_well_formed},
        {bomb, DropReason::forbidden_xml},
        {"<!DOCTYPE a SYSTEM \"http://10.0.0.1/\"><a/>", DropReason::forbidden_xml},
        {"<?php x?>" + probe("").substr(38), DropReason::forbidden_xml},
        {repeated("<a>", 20'000), DropReason::not_discovery},
        {probe(repeated("<d:a>", 60) + repeated("</d:a>", 60)), DropReason::xml_limit},
        {probe(repeated("<d:a/>", 300)), DropReason::xml_limit},
        {probe("<d:a" + attributes + "/>"), DropReason::xml_limit},
        {probe("<d:a" + spaces + "/>"), DropReason::xml_limit},
        {probe("<d:Scopes>" + repeated("a:b ", 33) + "</d:Scopes>"), DropReason::xml_limit},
        {probe("<d:Scopes>" + repeated("a", 513) + "</d:Scopes>"), DropReason::xml_limit},
        {probe("<d:XAddrs>" + repeated("a:b ", 9) + "</d:XAddrs>"), DropReason::xml_limit},
        {probe("<d:Scopes>\xc3\x28</d:Scopes>"), DropReason::not_utf8},
        {probe("<d:Scopes>\xed\xa0\x80</d:Scopes>"), DropReason::not_utf8},
        {utf16, DropReason::not_utf8},
        {"<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>" + probe("").substr(38),
         DropReason::not_utf8},
        {probe("") + "<b/>", DropReason::not_well_formed},
        {probe("<d:a b=\"1\" b=\"2\"/>"), DropReason::not_well_formed},
        {probe("<q:a/>"), DropReason::not_well_formed},
        {probe("&x;"), DropReason::not_well_formed},
        {probe("").substr(0, 300), DropReason::not_well_formed},
        {probe(std::string("<d:Scopes>a\0b</d:Scopes>", 24)), DropReason::not_well_formed},
    };
    for (const auto& [bytes, reason] : samples)
        EXPECT_EQ(refused(bytes), to_text(reason)) << bytes.substr(0, 800);
    EXPECT_EQ(refused(envelope(std::string("<a:Action>") + wsd +
                                   "/ProbeMatches</a:Action><a:MessageID>1"
                                   "</a:MessageID><a:RelatesTo>1</a:RelatesTo>",
                               "<d:ProbeMatches>" + repeated("<d:ProbeMatch/>", 17) +
                                   "</d:ProbeMatches>")),
              to_text(DropReason::xml_limit));
    EXPECT_EQ(refused(envelope(std::string("<a:Action>") + wsd + "/Probe</a:Action><a:MessageID>" +
                                   repeated("i", 257) + "</a:MessageID>",
                               "<d:Probe/>")),
              to_text(DropReason::xml_limit));
}

TEST(ByteOrderMark, OfUtf8IsAccepted) {
    EXPECT_EQ(accepted("\xef\xbb\xbf" + probe("")).kind, Kind::probe);
}

} // namespace
} // namespace stationsync::discovery_wsd
