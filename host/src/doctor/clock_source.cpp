#include "doctor/clock_source.hpp"

#include "doctor/packet_filter.hpp"

namespace stationsync::host::doctor {
namespace {

// The value of a line "NAME=VALUE".
std::optional<std::string_view> value_of(std::string_view output, std::string_view name) {
    for (const auto line : split(output, "\r\n")) {
        if (line.starts_with(name) && line.size() > name.size() && line[name.size()] == '=') {
            return line.substr(name.size() + 1);
        }
    }
    return std::nullopt;
}

} // namespace

std::optional<bool> timedatectl_synchronized(std::string_view output) {
    const auto value = value_of(output, "NTPSynchronized");
    return value ? std::optional(*value == "yes") : std::nullopt;
}

std::string timesyncd_server(std::string_view output) {
    for (const auto* const name : {"ServerName", "ServerAddress"}) {
        if (const auto value = value_of(output, name); value && !value->empty()) {
            return std::string(*value);
        }
    }
    return {};
}

std::string chrony_server(std::string_view output) {
    for (const auto line : split(output, "\r\n")) {
        if (line.starts_with("Reference ID")) { // "Reference ID    : C0A80101 (192.168.1.1)"
            const auto begin = line.find('(');
            const auto end = line.find(')');
            return begin < end && end != std::string_view::npos
                       ? std::string(line.substr(begin + 1, end - begin - 1))
                       : std::string();
        }
    }
    return {};
}

std::string ntpq_server(std::string_view output) {
    for (const auto line : split(output, "\r\n")) {
        if (line.starts_with('*')) {
            return std::string(line.substr(1, line.find(' ') - 1));
        }
    }
    return {};
}

std::string w32tm_server(std::string_view output) {
    const auto lines = split(output, "\r\n");
    if (lines.empty()) {
        return {};
    }
    const auto source = lines.front().substr(0, lines.front().find_last_not_of(' ') + 1);
    // Both names stand untranslated in every language of Windows.
    const bool free = source.find("Local CMOS Clock") != std::string_view::npos ||
                      source.find("Free-running System Clock") != std::string_view::npos;
    return free ? std::string() : std::string(source.substr(0, source.find(',')));
}

} // namespace stationsync::host::doctor
