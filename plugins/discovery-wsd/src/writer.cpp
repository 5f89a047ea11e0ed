#include "writer.hpp"

namespace stationsync::discovery_wsd {

namespace {

std::string element(std::string_view name, std::string_view text) {
    std::string result = "<";
    result.append(name).append(">").append(xml_escaped(text));
    return result.append("</").append(name).append(">");
}

std::string reference(std::string_view endpoint) {
    return "<wsa:EndpointReference>" + element("wsa:Address", endpoint) +
           "</wsa:EndpointReference>";
}

std::string station_types() {
    return "<wsd:Types>stn:" + std::string(station_type) + "</wsd:Types>";
}

std::string described(const OwnTarget& self) {
    std::string scopes;
    for (const std::string& scope : self.scopes)
        scopes += (scopes.empty() ? "" : " ") + scope;
    return reference(self.endpoint) + station_types() + element("wsd:Scopes", scopes) +
           element("wsd:XAddrs", self.address) +
           element("wsd:MetadataVersion", std::to_string(self.metadata_version));
}

bool has_sequence(Kind kind) noexcept {
    return kind != Kind::probe && kind != Kind::resolve;
}

std::string envelope(Kind kind, const Header& header, std::string_view content) {
    const VersionNames& names = names_of(header.version);
    const bool is_answer = !header.relates_to.empty();
    std::string text = "<soap:Envelope xmlns:soap=\""; // UTF-8 without a declaration
    text.append(soap_namespace).append("\" xmlns:wsa=\"").append(names.addressing);
    text.append("\" xmlns:wsd=\"").append(names.discovery);
    text.append("\" xmlns:stn=\"").append(station_namespace).append("\"><soap:Header>");
    text += element("wsa:To", is_answer ? names.anonymous : names.multicast);
    text += element("wsa:Action", std::string(names.discovery) + '/' + std::string(to_text(kind)));
    text += element("wsa:MessageID", header.message_id);
    if (is_answer)
        text += element("wsa:RelatesTo", header.relates_to);
    if (has_sequence(kind))
        text += "<wsd:AppSequence InstanceId=\"" + std::to_string(header.sequence.instance_id) +
                "\" MessageNumber=\"" + std::to_string(header.sequence.message_number) + "\"/>";
    text.append("</soap:Header><soap:Body>").append(content);
    return text.append("</soap:Body></soap:Envelope>");
}

std::string body(Kind kind, std::string_view content) {
    std::string text = "<wsd:";
    text.append(to_text(kind)).append(">").append(content);
    return text.append("</wsd:").append(to_text(kind)).append(">");
}

} // namespace

std::string xml_escaped(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    for (const char byte : text) {
        switch (byte) {
        case '&':
            result += "&amp;";
            break;
        case '<':
            result += "&lt;";
            break;
        case '>':
            result += "&gt;";
            break;
        case '"':
            result += "&quot;";
            break;
        case '\r': // a reader would make a line feed of it
            result += "&#13;";
            break;
        default:
            result += byte;
        }
    }
    return result;
}

std::string write_hello(const Header& header, const OwnTarget& self) {
    return envelope(Kind::hello, header, body(Kind::hello, described(self)));
}

std::string write_bye(const Header& header, std::string_view endpoint) {
    return envelope(Kind::bye, header, body(Kind::bye, reference(endpoint)));
}

std::string write_matches(Kind kind, const Header& header, const OwnTarget& self) {
    const std::string_view name = kind == Kind::probe_matches ? "ProbeMatch" : "ResolveMatch";
    std::string match = "<wsd:";
    match.append(name).append(">").append(described(self));
    match.append("</wsd:").append(name).append(">");
    return envelope(kind, header, body(kind, match));
}

std::string write_probe(const Header& header, std::string_view scope) {
    std::string content = station_types();
    if (!scope.empty())
        content += element("wsd:Scopes", scope);
    return envelope(Kind::probe, header, body(Kind::probe, content));
}

std::string write_resolve(const Header& header, std::string_view endpoint) {
    return envelope(Kind::resolve, header, body(Kind::resolve, reference(endpoint)));
}

} // namespace stationsync::discovery_wsd
