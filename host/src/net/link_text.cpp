#include "net/link_text.hpp"

#include "base/path_text.hpp"

namespace stationsync::host {
namespace {

std::string in_parentheses(std::string_view reason) {
    return reason.empty() ? std::string() : " (" + std::string(reason) + ")";
}

} // namespace

std::string_view to_text(LinkFailure failure) {
    switch (failure) {
    case LinkFailure::refused:
        return "refused";
    case LinkFailure::timeout:
        return "timeout";
    case LinkFailure::unreachable:
        return "unreachable";
    case LinkFailure::name:
        return "name";
    case LinkFailure::local:
        return "local";
    case LinkFailure::wrong_key:
        return "wrong_key";
    case LinkFailure::not_station:
        return "not_station";
    case LinkFailure::protocol:
        return "protocol";
    case LinkFailure::is_self:
        return "is_self";
    case LinkFailure::clone:
        return "clone";
    case LinkFailure::busy:
        return "busy";
    case LinkFailure::closed_by_peer:
        return "closed_by_peer";
    case LinkFailure::closed_here:
        return "closed_here";
    case LinkFailure::lost:
        return "lost";
    case LinkFailure::idle:
        return "idle";
    case LinkFailure::slow:
        return "slow";
    case LinkFailure::key_retired:
        return "key_retired";
    }
    return "unknown";
}

std::string dial_text(LinkFailure failure, std::string_view address, std::string_view reason) {
    const std::string at(address);
    switch (failure) {
    case LinkFailure::refused:
        return at + " refuses the connection: StationSync does not run there, listens on another "
                    "port, or a firewall rejects it.";
    case LinkFailure::timeout:
        return at + " does not answer: the computer is off, the address is wrong, or a firewall "
                    "drops the connection.";
    case LinkFailure::unreachable:
        return "There is no way to " + at + in_parentheses(reason) +
               ": check network cable, address and route.";
    case LinkFailure::name:
        return "The address " + at + " cannot be resolved" + in_parentheses(reason) +
               ": check its spelling and the name server.";
    case LinkFailure::local:
        return "This computer cannot open a connection to " + at + in_parentheses(reason) + ".";
    default:
        return "The connection to " + at + " failed" + in_parentheses(reason) + ".";
    }
}

std::string handshake_text(LinkFailure failure, bool dialled, std::string_view address,
                           std::string_view project, std::string_view reason) {
    const std::string at(address);
    switch (failure) {
    case LinkFailure::wrong_key:
        return at + " does not hold the key of project " + std::string(project) +
               ": other project, or key changed.";
    case LinkFailure::not_station:
        return dialled ? at + " is no StationSync station" + in_parentheses(reason) +
                             ": another program uses that port (8883 is also the port of MQTT); "
                             "choose another port in station.toml on that computer."
                       : "A program at " + at + " that is no StationSync station connected" +
                             in_parentheses(reason) + ".";
    case LinkFailure::timeout:
        return at + " did not complete the handshake in time.";
    case LinkFailure::lost:
        return dialled ? at + " closed the connection during the handshake: it is busy, or another "
                              "program uses that port."
                       : at + " closed its connection before it had proven who it is.";
    default:
        return "The handshake with " + at + " failed" + in_parentheses(reason) + ".";
    }
}

std::string clean_peer_text(std::string_view text) {
    if (!is_valid_utf8(text)) {
        return "it gave a reason that is not valid UTF-8";
    }
    std::string clean(text);
    for (char& c : clean) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f) {
            c = ' ';
        }
    }
    return clean;
}

} // namespace stationsync::host
