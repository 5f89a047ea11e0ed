// What the self-test of a provider has shown, and how the local API tells it.
#pragma once

#include "config/problem.hpp"
#include "plugins/provider_calls.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

namespace stationsync::host {

struct ProviderTest {
    std::string name;
    std::string plugin;
    bool done = false;   // the self-test ran to its end, or the plugin has none
    std::string trouble; // why not
    std::vector<SelfTestFinding> findings;
    bool busy = false; // it had no turn, or did not end, in time
};

// Takes over how a self-test has ended.
void conclude(ProviderTest& test, SelfTestOutcome outcome);

// The answer to GET /v1/selftest, and what `plugin test --json` prints.
[[nodiscard]] nlohmann::json selftest_json(const PluginRegistry& plugins,
                                           const std::vector<ConfigProblem>& problems,
                                           const std::vector<ProviderTest>& tests);

} // namespace stationsync::host
