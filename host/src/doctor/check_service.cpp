#include "doctor/checks.hpp"

#include <algorithm>

namespace stationsync::host::doctor {
namespace {

// Told in another topic, with what the doctor finds out itself.
bool is_told_elsewhere(const MessageFacts& message) {
    return message.id == "station-clone" || message.id == "listen-failed";
}

void check_messages(const StationFacts& facts, Findings& findings) {
    constexpr std::size_t shown_max = 20; // of a plant in great trouble
    std::size_t errors = 0;
    std::size_t warnings = 0;
    for (const auto& message : facts.service.messages) {
        if (is_told_elsewhere(message) || message.severity == "info") {
            continue;
        }
        if (message.severity != "error") {
            ++warnings;
        } else if (++errors <= shown_max) {
            findings.problem("service.message",
                             (message.subject.empty() ? "" : message.subject + ": ") + message.text,
                             message.remedy.empty() ? "See: stationsync status" : message.remedy);
        }
    }
    if (warnings > 0 || errors > shown_max) {
        const auto rest = warnings + (errors > shown_max ? errors - shown_max : 0);
        findings.warning("service.warnings",
                         (rest == 1 ? "1 message" : std::to_string(rest) + " messages") +
                             " of the service to be looked at.",
                         "stationsync status");
    }
}

} // namespace

void check_service(const StationFacts& facts, Findings& findings) {
    const auto& service = facts.service;
    if (facts.is_hidden && !service.answers) {
        return; // its token may be what this account may not read
    }
    if (!service.trouble.empty()) {
        findings.warning("service.asked", "The service cannot be asked: " + service.trouble + ".",
                         service.trouble_remedy);
        return;
    }
    if (!service.answers) {
        findings.warning("service.runs", "The service does not run: nothing is synchronized.",
                         "Start it as a system service, or in the foreground: " +
                             stationsync_command(facts, "run"));
        return;
    }
    findings.ok("service.runs",
                "The service runs (process " + std::to_string(service.process) + ").");
    if (!service.engine_runs && facts.active) {
        // "stopped by a person: stationsync start" has nothing to be mended.
        const auto remedy = service.reason.find(": stationsync ");
        const auto cause = service.reason.substr(0, remedy);
        const auto start = stationsync_command(facts, "start");
        findings.problem("service.engine",
                         "The engine is stopped" + (cause.empty() ? "." : ": " + cause + '.'),
                         cause.empty() || remedy != std::string::npos
                             ? start
                             : "Mend what is named here, then: " + start);
    }
    check_messages(facts, findings);
}

void check_identity(const StationFacts& facts, Findings& findings) {
    bool twice = false;
    for (const auto& message : facts.service.messages) {
        // Discovery sees copies that never link, by the remedy that only they have.
        const bool is_announced_twice =
            message.id == "discovery" &&
            message.text.find("station new-identity") != std::string::npos;
        if (message.id == "station-clone" || is_announced_twice) {
            twice = true;
            findings.problem("identity.twice", message.text,
                             "On the copy, run: " +
                                 stationsync_command(facts, "station new-identity"));
        }
    }
    if (facts.service.engine_runs && !twice) {
        findings.ok("identity.twice",
                    "No two computers were seen with the identity of one station.");
    }
}

} // namespace stationsync::host::doctor
