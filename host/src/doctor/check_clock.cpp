#include "doctor/checks.hpp"
#include "doctor/clock_source.hpp"

#include <cstdlib>

namespace stationsync::host::doctor {
namespace {

constexpr std::int64_t difference_max_ms = 60'000; // beyond it stations refuse each other
constexpr std::int64_t difference_warned_ms = 30'000;

void check_differences(const StationFacts& facts, Findings& findings) {
    const PeerFacts* worst = nullptr;
    for (const auto& peer : facts.service.peers) {
        if (peer.time_difference_ms &&
            (worst == nullptr ||
             std::llabs(*peer.time_difference_ms) > std::llabs(*worst->time_difference_ms))) {
            worst = &peer;
        }
    }
    if (worst == nullptr) {
        return;
    }
    const auto difference = std::llabs(*worst->time_difference_ms);
    const auto text = "The clock of station \"" + worst->name + "\" differs from ours by " +
                      std::to_string(difference) + " ms";
    const std::string remedy =
        "Set the clock that is wrong, and let both computers take their time "
        "from one time server.";
    if (difference > difference_max_ms) {
        findings.problem("clock.difference", text + ": stations exchange nothing beyond 60 s.",
                         remedy);
    } else if (difference > difference_warned_ms) {
        findings.warning("clock.difference", text + ": beyond 60 s they exchange nothing.", remedy);
    } else {
        findings.ok("clock.difference", "The clocks of all stations that were asked fit: the "
                                        "largest difference is " +
                                            std::to_string(difference) + " ms.");
    }
}

} // namespace

void check_clock(const StationFacts& facts, Findings& findings) {
    const auto source = read_clock_source();
    const auto by =
        source.service.empty()
            ? std::string()
            : " by " + source.service + (source.server.empty() ? "" : " from " + source.server);
    if (!source.synchronized) {
        findings.warning("clock.synchronized",
                         "Whether the clock is synchronized cannot be found out.", source.remedy);
    } else if (*source.synchronized) {
        findings.ok("clock.synchronized", "The clock is synchronized" +
                                              (by.empty() ? ", by what is not known" : by) + ".");
    } else if (source.service.empty()) {
        findings.warning("clock.synchronized",
                         "Nothing keeps the clock of this computer right: stations whose clocks "
                         "differ by more than 60 s exchange nothing.",
                         source.remedy);
    } else {
        findings.warning("clock.synchronized",
                         "The clock is not synchronized, although " + source.service +
                             " runs: it has no time server that answers.",
                         source.remedy);
    }
    check_differences(facts, findings);
}

} // namespace stationsync::host::doctor
