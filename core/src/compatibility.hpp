// May two stations exchange data? All checks, with both sides' values, decided from what both sides
// know, so that both reach the same verdict and show the same text.
#pragma once

#include "stationsync/core/engine.hpp"
#include "stationsync/core/message.hpp"
#include "stationsync/core/views.hpp"

#include <optional>
#include <set>
#include <span>
#include <string_view>

namespace stationsync::core {

// Entries of Verdicts that judge the pair instead of a provider; no provider can have such a name.
inline constexpr std::string_view time_verdict = "/time";
inline constexpr std::string_view clone_verdict = "/clone";

struct CompatibilitySide {
    const Profile* profile = nullptr;
    // What this side's plugins say of the other side's tokens.
    std::span<const TokenVerdict> verdicts;
};

struct PairTime {
    bool failed = false;                // the judgement of both sides, see ClockJudge
    std::optional<Duration> ours;       // peer's clock minus ours, as we measured it
    std::optional<Duration> theirs;     // the same as the peer measured it
    std::optional<Duration> difference; // the mean of both
};

struct Compatibility {
    std::vector<CheckResult> checks;      // all of them, passed or not
    std::set<std::string> open_providers; // both have it, both back ends known, both sides say yes
};

Compatibility evaluate(const CompatibilitySide& ours, const CompatibilitySide& theirs,
                       const PairTime& time, const Limits& limits);

// What a person can do about a failed check; the same on both sides.
std::string remedy_for(std::string_view check);

// The check that a second computer with the same identity fails.
CheckResult clone_check(std::string text);

// No check failed but such as suspend one provider.
bool is_compatible(std::span<const CheckResult> checks);

const TokenVerdict* find_verdict(std::span<const TokenVerdict> verdicts, std::string_view name);
const ProviderProfile* find_provider(const Profile& profile, std::string_view name);

std::string seconds_text(Duration duration); // "61.2 s"

} // namespace stationsync::core
