#include "doctor/proc_net.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <optional>
#include <sstream>

namespace stationsync::host::doctor {
namespace {

template <class Number>
std::optional<Number> number(std::string_view text, int base) {
    Number value{};
    const auto* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value, base);
    return parsed.ec == std::errc{} && parsed.ptr == end && !text.empty() ? std::optional(value)
                                                                          : std::nullopt;
}

std::string v4_text(const std::array<std::uint8_t, 16>& bytes) {
    std::string text;
    for (std::size_t i = 0; i < 4; ++i) {
        text += (i == 0 ? "" : ".") + std::to_string(bytes[i]);
    }
    return text;
}

// Not shortened by the rules for zeros, but for the two addresses that matter.
std::string v6_text(const std::array<std::uint8_t, 16>& bytes) {
    std::string text;
    bool zeros = true;
    for (std::size_t i = 0; i < 16; i += 2) {
        const auto group = static_cast<unsigned>(bytes[i] << 8 | bytes[i + 1]);
        zeros = zeros && (group == 0 || i == 14);
        char digits[8];
        std::snprintf(digits, sizeof digits, "%x", group);
        text += (i == 0 ? "" : ":") + std::string(digits);
    }
    if (zeros && bytes[14] == 0 && bytes[15] <= 1) {
        return bytes[15] == 0 ? "::" : "::1";
    }
    return text;
}

// The kernel prints each word of 32 bits as a number of the machine.
std::optional<std::string> address_text(std::string_view digits) {
    if (digits.size() != 8 && digits.size() != 32) {
        return std::nullopt;
    }
    std::array<std::uint8_t, 16> bytes{};
    for (std::size_t at = 0; at < digits.size(); at += 8) {
        const auto word = number<std::uint32_t>(digits.substr(at, 8), 16);
        if (!word) {
            return std::nullopt;
        }
        std::memcpy(bytes.data() + at / 2, &*word, sizeof *word);
    }
    return digits.size() == 8 ? v4_text(bytes) : v6_text(bytes);
}

std::optional<ProcNetSocket> parse_line(const std::string& line) {
    std::istringstream words(line);
    std::string slot;
    std::string local;
    std::string remote;
    std::string state;
    std::string other;
    std::string inode;
    words >> slot >> local >> remote >> state;
    for (int i = 0; i < 5; ++i) { // queues, timer, retransmits, uid, timeout
        words >> other;
    }
    words >> inode;
    const auto colon = local.find(':');
    const auto remote_colon = remote.find(':');
    if (!words || colon == std::string::npos || remote_colon == std::string::npos) {
        return std::nullopt;
    }
    const auto address = address_text(std::string_view(local).substr(0, colon));
    const auto port = number<std::uint16_t>(std::string_view(local).substr(colon + 1), 16);
    const auto peer_port =
        number<std::uint16_t>(std::string_view(remote).substr(remote_colon + 1), 16);
    const auto inode_number = number<std::uint64_t>(inode, 10);
    if (!address || !port || !peer_port || !inode_number) {
        return std::nullopt;
    }
    return ProcNetSocket{*address, *port, state == "0A", *peer_port != 0, *inode_number};
}

} // namespace

std::vector<ProcNetSocket> parse_proc_net(std::string_view table) {
    std::vector<ProcNetSocket> sockets;
    std::istringstream lines{std::string(table)};
    for (std::string line; std::getline(lines, line);) {
        if (auto socket = parse_line(line)) {
            sockets.push_back(std::move(*socket));
        }
    }
    return sockets;
}

} // namespace stationsync::host::doctor
