#include "api/key_listing.hpp"

#include "base/utc_text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace stationsync::host {

nlohmann::json key_listing(const KeyRing& keys, core::WallTime now) {
    using nlohmann::json;
    auto list = json::array();
    list.push_back({{"fingerprint", keys.current().fingerprint()},
                    {"current", true},
                    {"made_at", utc_text(keys.made_at().us)},
                    {"replaced_at", nullptr},
                    {"accepted_until", nullptr}});
    const auto accepted = keys.accepted(now);
    for (const auto& previous : keys.previous()) {
        if (std::ranges::find(accepted, previous.key) == accepted.end()) {
            continue;
        }
        const auto until = previous.replaced_at + KeyRing::previous_age_max;
        list.push_back({{"fingerprint", previous.key.fingerprint()},
                        {"current", false},
                        {"made_at", utc_text(previous.made_at.us)},
                        {"replaced_at", utc_text(previous.replaced_at.us)},
                        {"accepted_until", utc_text(until.us)}});
    }
    return list;
}

} // namespace stationsync::host
