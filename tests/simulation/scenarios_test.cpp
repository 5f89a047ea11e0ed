// Every text scenario is a test, named after its file: the rule or the problem that it pins.
#ifdef STATIONSYNC_MUTANTS
#include "mutants.hpp"
#endif
#include "script.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>

namespace stationsync::simulation {
namespace {

std::vector<std::string> scenario_names() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(STATIONSYNC_SCENARIOS)) {
        if (entry.path().extension() == ".txt") {
            names.push_back(entry.path().stem().string());
        }
    }
    std::sort(names.begin(), names.end());
    return names;
}

class Scenario : public testing::TestWithParam<std::string> {};

// With STATIONSYNC_REWRITE=1 the transcript is written into the file instead; commit only a
// difference that you understand.
TEST_P(Scenario, HappensAsWritten) {
    const auto file = std::filesystem::path(STATIONSYNC_SCENARIOS) / (GetParam() + ".txt");
#ifdef STATIONSYNC_MUTANTS
    const char* const number = std::getenv("STATIONSYNC_MUTANT");
    core::active_mutant = static_cast<core::Mutant>(number ? std::stoi(number) : 0);
#endif
    Script::TraceSink trace;
    if (std::getenv("STATIONSYNC_TRACE")) {
        trace = [](const std::string& line) { std::cout << line << '\n'; };
    }
    Script::Outcome const outcome = Script::run(Script::read(file), trace);
    const bool rewrite = std::getenv("STATIONSYNC_REWRITE") != nullptr;
    if (rewrite) {
        std::ofstream(file) << outcome.transcript;
    }
    for (const auto& failure : outcome.failures) {
        if (!rewrite || failure.find("transcript differs") == std::string::npos) {
            ADD_FAILURE() << GetParam() << ".txt " << failure;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Rules, Scenario, testing::ValuesIn(scenario_names()),
                         [](const testing::TestParamInfo<std::string>& parameter) {
                             std::string name = parameter.param;
                             std::replace(name.begin(), name.end(), '-', '_');
                             return name;
                         });

} // namespace
} // namespace stationsync::simulation
