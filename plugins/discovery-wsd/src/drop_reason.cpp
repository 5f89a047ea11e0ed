#include "drop_reason.hpp"

namespace stationsync::discovery_wsd {

std::string_view to_text(DropReason reason) noexcept {
    switch (reason) {
    case DropReason::oversize:
        return "larger than allowed";
    case DropReason::not_to_group:
        return "not sent to the multicast group";
    case DropReason::bad_source:
        return "impossible source address";
    case DropReason::bad_source_port:
        return "source port below 1024";
    case DropReason::off_link:
        return "source is not on this network";
    case DropReason::source_rate:
        return "too many from one source";
    case DropReason::total_rate:
        return "too many in all";
    case DropReason::not_utf8:
        return "not UTF-8";
    case DropReason::not_well_formed:
        return "not well-formed XML";
    case DropReason::forbidden_xml:
        return "document type or processing instruction";
    case DropReason::xml_limit:
        return "XML beyond the limits";
    case DropReason::not_discovery:
        return "no message of WS-Discovery";
    case DropReason::incomplete:
        return "a mandatory part is missing or wrong";
    case DropReason::not_understood:
        return "demands a header that is not known";
    case DropReason::repeated:
        return "repeated message";
    case DropReason::own:
        return "our own message";
    case DropReason::no_match:
        return "asks for something else";
    case DropReason::not_asked:
        return "answer to nothing that we asked";
    case DropReason::foreign_device:
        return "foreign device ignored";
    case DropReason::bad_record:
        return "station with an unusable description";
    case DropReason::other_project:
        return "station of another project";
    case DropReason::unusable_address:
        return "station announced at an address that is not its own";
    case DropReason::low_link_port:
        return "station announced at a port below 1024";
    case DropReason::stale:
        return "older than what the same sender has said";
    case DropReason::unknown_bye:
        return "Bye from an address that announced no such station";
    case DropReason::answer_rate:
        return "answer left out, too many asked for";
    case DropReason::answer_size:
        return "answer left out, the question would make it too large";
    case DropReason::resolve_rate:
        return "question left out, too many needed";
    case DropReason::find_rate:
        return "too many new stations a second";
    case DropReason::finds_of_source:
        return "too many stations at one address";
    case DropReason::table_full:
        return "table of found stations is full";
    case DropReason::count_:
        break;
    }
    return "";
}

bool is_ordinary(DropReason reason) noexcept {
    return reason == DropReason::repeated || reason == DropReason::own ||
           reason == DropReason::no_match || reason == DropReason::other_project ||
           reason == DropReason::stale || reason == DropReason::unknown_bye;
}

} // namespace stationsync::discovery_wsd
