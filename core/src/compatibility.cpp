#include "compatibility.hpp"

#include <algorithm>
#include <cstdlib>

namespace stationsync::core {

namespace {

constexpr char provider_limit[] = "same plugin and major version, compatible back end";

// The same pair seen from both sides gives the same texts: the station with the smaller id comes
// first.
class Pair {
public:
    Pair(const CompatibilitySide& ours, const CompatibilitySide& theirs)
        : ours_first_(ours.profile->station < theirs.profile->station),
          first_(&(ours_first_ ? ours : theirs)),
          second_(&(ours_first_ ? theirs : ours)) {
        first_name_ = name_of(*first_->profile, *second_->profile);
        second_name_ = name_of(*second_->profile, *first_->profile);
    }

    const CompatibilitySide& first() const { return *first_; }
    const CompatibilitySide& second() const { return *second_; }
    const std::string& first_name() const { return first_name_; }
    const std::string& second_name() const { return second_name_; }
    bool ours_first() const { return ours_first_; }

    // `what` a on "A", b on "B"
    std::string on_both(std::string_view what, const std::string& a, const std::string& b) const {
        std::string text(what);
        return text + ' ' + a + " on " + first_name_ + ", " + b + " on " + second_name_;
    }

private:
    static std::string name_of(const Profile& profile, const Profile& other) {
        std::string text = '"' + profile.station_name + '"';
        if (profile.station_name.empty() || profile.station_name == other.station_name)
            text += " (" + to_text(profile.station).substr(0, 8) + ')';
        return text;
    }

    bool ours_first_;
    const CompatibilitySide* first_ = nullptr;
    const CompatibilitySide* second_ = nullptr;
    std::string first_name_;
    std::string second_name_;
};

std::string value_or(const std::string& value, std::string_view otherwise) {
    return value.empty() ? std::string(otherwise) : value;
}

std::string policy_text(ProviderMismatch policy) {
    return std::string(to_text(policy));
}

std::string_view major_part(std::string_view version) {
    return version.substr(0, version.find('.'));
}

std::string tokens_text(const ProviderProfile& provider) {
    if (!provider.known)
        return "not known";
    std::string text;
    for (const Token& token : provider.tokens) {
        if (token.kind > 1)
            continue;
        if (!text.empty())
            text += ", ";
        text += token.name + ' ' + token.value;
    }
    return value_or(text, "nothing special");
}

// A value that both sides must have alike.
CheckResult equality_check(std::string check, const std::string& ours, const std::string& theirs,
                           std::string text) {
    CheckResult result;
    result.check = std::move(check);
    result.passed = ours == theirs;
    result.ours = ours;
    result.theirs = theirs;
    result.limit = "equal";
    if (!result.passed)
        result.text = std::move(text);
    return result;
}

CheckResult time_check(const Pair& pair, const PairTime& time, const Limits& limits) {
    CheckResult result;
    result.check = "time";
    result.passed = !time.failed;
    result.ours = time.ours ? seconds_text(*time.ours) : "not measured yet";
    result.theirs = time.theirs ? seconds_text(*time.theirs) : "not measured yet";
    result.limit = seconds_text(limits.clock_difference_max);
    if (result.passed)
        return result;
    const Duration difference = time.difference.value_or(Duration{});
    const bool peer_ahead = difference.count() > 0;
    const bool second_ahead = peer_ahead == pair.ours_first();
    result.text = "The clock of " + (second_ahead ? pair.second_name() : pair.first_name()) +
                  " is " + seconds_text(std::chrono::abs(difference)) + " ahead of " +
                  (second_ahead ? pair.first_name() : pair.second_name()) + "'s; at most " +
                  seconds_text(limits.clock_difference_max) + " are allowed, and less than " +
                  seconds_text(limits.clock_difference_readmit) + " after a rejection";
    return result;
}

// Why the two plugins or back ends do not fit; empty when they do. Both stations say the same, so
// the sides stand in fixed order.
std::string provider_mismatch(const Pair& pair, const ProviderProfile& first,
                              const ProviderProfile& second) {
    if (first.plugin != second.plugin)
        return pair.on_both("plugin", first.plugin, second.plugin);
    if (major_part(first.plugin_version) != major_part(second.plugin_version))
        return pair.on_both("version of plugin " + first.plugin, first.plugin_version,
                            second.plugin_version) +
               ": the first number must be the same";
    const TokenVerdict* by_first = find_verdict(pair.first().verdicts, first.name);
    const TokenVerdict* by_second = find_verdict(pair.second().verdicts, first.name);
    const bool refused = (by_first != nullptr && !by_first->compatible) ||
                         (by_second != nullptr && !by_second->compatible);
    if (!refused || !first.known || !second.known)
        return {};
    std::string text = pair.on_both("back end", tokens_text(first), tokens_text(second));
    // Both plugins see the same pair, so one sentence is enough.
    const TokenVerdict& says =
        by_first != nullptr && !by_first->compatible ? *by_first : *by_second;
    if (!says.text.empty())
        text += ": " + says.text;
    return text;
}

// Why the provider rests on this link although nothing contradicts; empty when it need not.
std::string provider_suspension(const Pair& pair, const ProviderProfile& first,
                                const ProviderProfile& second) {
    std::string unknown;
    if (!first.known)
        unknown = pair.first_name();
    if (!second.known)
        unknown += (unknown.empty() ? "" : " and ") + pair.second_name();
    if (!unknown.empty())
        return "the version of its back end on " + unknown +
               " is not known yet (its server does not answer); it goes on by itself once it is";
    if (find_verdict(pair.first().verdicts, first.name) == nullptr ||
        find_verdict(pair.second().verdicts, first.name) == nullptr)
        return "its back ends are being compared";
    return {};
}

std::string provider_value(const ProviderProfile& side) {
    return side.plugin + ' ' + side.plugin_version + ", back end " + tokens_text(side);
}

// Nothing to compare, so nothing fails: its objects stay where it is configured.
CheckResult one_sided_check(const std::string& name, const ProviderProfile* ours,
                            const ProviderProfile* theirs) {
    CheckResult result;
    result.check = "provider:" + name;
    result.ours = ours == nullptr ? "not in use" : provider_value(*ours);
    result.theirs = theirs == nullptr ? "not in use" : provider_value(*theirs);
    result.limit = provider_limit;
    return result;
}

CheckResult provider_check(const Pair& pair, const ProviderProfile& ours,
                           const ProviderProfile& theirs, bool skips) {
    const ProviderProfile& first = pair.ours_first() ? ours : theirs;
    const ProviderProfile& second = pair.ours_first() ? theirs : ours;
    CheckResult result;
    result.check = "provider:" + ours.name;
    result.ours = provider_value(ours);
    result.theirs = provider_value(theirs);
    result.limit = provider_limit;
    if (std::string const why = provider_mismatch(pair, first, second); !why.empty()) {
        result.passed = false;
        result.suspends_only = result.skipped = skips;
        result.text = "Provider " + ours.name + ": " + why;
        if (skips)
            result.text += "; it is skipped between these two";
    } else if (std::string const rests = provider_suspension(pair, first, second); !rests.empty()) {
        result.passed = false;
        result.suspends_only = true;
        result.text = "Provider " + ours.name + " is suspended between " + pair.first_name() +
                      " and " + pair.second_name() + ": " + rests;
    }
    return result;
}

} // namespace

std::string seconds_text(Duration duration) {
    // In tenths, rounded: both sides show the same although their measurements differ by
    // milliseconds.
    std::int64_t const count = duration.count();
    std::int64_t const tenths = (std::abs(count) + 50'000) / 100'000;
    std::string text = count < 0 && tenths != 0 ? "-" : "";
    text += std::to_string(tenths / 10);
    if (tenths % 10 != 0)
        text += '.' + std::to_string(tenths % 10);
    return text + " s";
}

std::string remedy_for(std::string_view check) {
    if (check == "time")
        return "Set the clocks of both stations, best by one time server.";
    if (check == "protocol")
        return "Install the same version of StationSync on both stations.";
    if (check == "project")
        return "Let both stations use the same project: stationsync project use NAME";
    if (check == "product-version")
        return "Bring both stations to the same version of the plant software, and its version in "
               "the project file.";
    if (check == "on-provider-mismatch")
        return "Set on_provider_mismatch to the same value in the project file of both stations.";
    if (check == "clone")
        return "On the copy, run: stationsync station new-identity";
    return "Bring both stations to the same version of the back end and the plugin, or disable the "
           "provider on one of them.";
}

std::string to_text(ProtocolVersion version) {
    return std::to_string(version.major) + '.' + std::to_string(version.minor);
}

std::string_view to_text(ProviderMismatch policy) {
    switch (policy) {
    case ProviderMismatch::reject_station:
        return "reject-station";
    case ProviderMismatch::skip_provider:
        return "skip-provider";
    }
    return "not known to this version";
}

CheckResult clone_check(std::string text) {
    CheckResult check;
    check.check = "clone";
    check.passed = false;
    check.limit = "one computer for each identity";
    check.text = std::move(text);
    check.remedy = remedy_for(check.check);
    return check;
}

const TokenVerdict* find_verdict(std::span<const TokenVerdict> verdicts, std::string_view name) {
    const auto place =
        std::find_if(verdicts.begin(), verdicts.end(),
                     [&](const TokenVerdict& entry) { return entry.provider == name; });
    return place == verdicts.end() ? nullptr : &*place;
}

const ProviderProfile* find_provider(const Profile& profile, std::string_view name) {
    const auto place = std::lower_bound(
        profile.providers.begin(), profile.providers.end(), name,
        [](const ProviderProfile& entry, std::string_view wanted) { return entry.name < wanted; });
    return place == profile.providers.end() || place->name != name ? nullptr : &*place;
}

Compatibility evaluate(const CompatibilitySide& ours, const CompatibilitySide& theirs,
                       const PairTime& time, const Limits& limits) {
    const Pair pair(ours, theirs);
    const Profile& first = *pair.first().profile;
    const Profile& second = *pair.second().profile;
    const Profile& we = *ours.profile;
    const Profile& they = *theirs.profile;
    Compatibility result;
    result.checks.push_back(equality_check(
        "protocol", std::to_string(we.protocol_major), std::to_string(they.protocol_major),
        pair.on_both("StationSync's protocol is version", std::to_string(first.protocol_major),
                     std::to_string(second.protocol_major)) +
            ": update the older station"));
    result.checks.push_back(equality_check(
        "project", we.project, they.project,
        pair.on_both("The project is", '"' + first.project + '"', '"' + second.project + '"') +
            ": stations of different projects exchange nothing"));
    result.checks.push_back(time_check(pair, time, limits));
    result.checks.push_back(
        equality_check("product-version", we.product_version, they.product_version,
                       pair.on_both("The version of the plant software is",
                                    value_or(first.product_version, "not set"),
                                    value_or(second.product_version, "not set")) +
                           ": both stations need the same"));
    result.checks.push_back(equality_check(
        "on-provider-mismatch", policy_text(we.on_provider_mismatch),
        policy_text(they.on_provider_mismatch),
        pair.on_both("on_provider_mismatch is", policy_text(first.on_provider_mismatch),
                     policy_text(second.on_provider_mismatch)) +
            ": both stations need the same"));
    const bool skips = we.on_provider_mismatch == ProviderMismatch::skip_provider &&
                       they.on_provider_mismatch == ProviderMismatch::skip_provider;
    for (const ProviderProfile& provider : we.providers) {
        const ProviderProfile* other = find_provider(they, provider.name);
        if (other == nullptr) {
            result.checks.push_back(one_sided_check(provider.name, &provider, nullptr));
            continue;
        }
        result.checks.push_back(provider_check(pair, provider, *other, skips));
        if (result.checks.back().passed)
            result.open_providers.insert(provider.name);
    }
    for (const ProviderProfile& provider : they.providers)
        if (find_provider(we, provider.name) == nullptr)
            result.checks.push_back(one_sided_check(provider.name, nullptr, &provider));
    for (CheckResult& check : result.checks) {
        const bool rests = check.suspends_only && !check.skipped; // and goes on by itself
        if (!check.passed && !rests)
            check.remedy = remedy_for(check.check);
    }
    return result;
}

bool is_compatible(std::span<const CheckResult> checks) {
    return std::all_of(checks.begin(), checks.end(), [](const CheckResult& check) {
        return check.passed || check.suspends_only;
    });
}

} // namespace stationsync::core
