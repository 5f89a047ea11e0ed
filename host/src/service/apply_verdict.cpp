#include "service/apply_verdict.hpp"

#include "base/path_text.hpp"
#include "base/program.hpp"

#include <algorithm>

namespace stationsync::host {
namespace {

constexpr std::chrono::seconds command_time_max{10};
constexpr std::chrono::seconds yes_stands{5};
constexpr std::chrono::seconds no_stands{5};
constexpr std::chrono::seconds no_stands_most{60};
constexpr std::size_t reason_bytes_max = 200;
constexpr std::size_t setting_bytes_max = 100;

bool is_control(char c) {
    return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
}

// Not within a character.
std::string begin_of(const std::string& text, std::size_t bytes_max) {
    std::size_t end = std::min(text.size(), bytes_max);
    while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) {
        --end;
    }
    return text.substr(0, end);
}

// What a person can read of the first line; the other stations show it, too.
std::string reason_of(const std::string& out) {
    std::string line = out.substr(0, out.find('\n'));
    if (!is_valid_utf8(line)) {
        return {};
    }
    std::erase_if(line, is_control);
    line = begin_of(line, reason_bytes_max);
    const auto last = line.find_last_not_of(' ');
    return line.substr(0, last == std::string::npos ? 0 : last + 1);
}

// A command or windows within a sentence: enough to find them in the project file.
std::string named(const std::string& setting) {
    std::string text = begin_of(setting, setting_bytes_max);
    if (text.size() < setting.size()) {
        text += "...";
    }
    std::ranges::replace_if(text, is_control, ' ');
    return text;
}

} // namespace

GateVerdict judge_windows(const ApplyWhen& apply_when, WallTime now_us) {
    constexpr WallTime second_us = 1'000'000;
    const LocalTime now = local_time(now_us);
    GateVerdict verdict;
    const WallTime within_second = (now_us % second_us + second_us) % second_us;
    verdict.stands_for = std::chrono::seconds(60 - std::min(now.second, 59)) -
                         std::chrono::microseconds(within_second);
    verdict.allowed = is_open(apply_when.windows, now);
    if (!verdict.allowed) {
        // Without the time of now: all stations are told whenever the reason changes.
        verdict.text = "the window is " + named(apply_when.text) +
                       " (local time there); it opens next " +
                       next_opening(apply_when.windows, now);
    }
    return verdict;
}

GateVerdict ask_gate_command(const ApplyWhen& apply_when, unsigned refusals,
                             const std::atomic<bool>* given_up) {
    const ProgramRun result = run_command_line(apply_when.command, command_time_max, given_up);
    GateVerdict verdict;
    verdict.allowed = result.succeeded();
    if (verdict.allowed) {
        verdict.stands_for = yes_stands;
        return verdict;
    }
    constexpr unsigned doublings_max = 4;
    verdict.stands_for = std::min<std::chrono::seconds>(
        no_stands * (1 << std::min(refusals, doublings_max)), no_stands_most);
    const std::string name = "the command '" + named(apply_when.command) + "' ";
    if (result.end != ProgramRun::End::ended) {
        verdict.text = name + result.trouble;
        return verdict;
    }
    verdict.text = reason_of(result.out);
    if (verdict.text.empty()) {
        verdict.text = name + "ends with exit status " + std::to_string(result.code);
    }
    return verdict;
}

} // namespace stationsync::host
