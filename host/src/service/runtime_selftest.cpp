// The self-tests of the providers, beside whatever else they do.
#include "service/provider_test.hpp"
#include "service/runtime.hpp"
#include "service/views_json.hpp"

#include <nlohmann/json.hpp>

#include <limits>

namespace stationsync::host {

namespace {

constexpr std::chrono::seconds answer_time_max{20};
// No job of the engine has it; cancelled with the others when the instance ends.
constexpr std::uint64_t selftest_job = std::numeric_limits<std::uint64_t>::max();

// Answers once: when all are done, or when the time is over.
struct Round {
    explicit Round(boost::asio::io_context& context) : timer(context) {}

    std::vector<ProviderTest> tests;
    std::size_t open = 0;
    std::function<void(std::vector<ProviderTest>)> done;
    Timer timer;

    void finish() {
        if (!done)
            return;
        timer.cancel();
        for (ProviderTest& test : tests)
            if (!test.done && test.trouble.empty()) {
                test.busy = true;
                test.trouble = "did not answer within 20 seconds: it is busy with a large object, "
                               "or what it reads does not answer.";
            }
        const auto answer = std::exchange(done, {});
        answer(std::move(tests));
    }
};

} // namespace

void Runtime::self_test(std::function<void(std::vector<ProviderTest>)> done) {
    auto round = std::make_shared<Round>(context_);
    round->done = std::move(done);
    for (const auto& [name, slot] : providers_)
        round->tests.push_back({name, slot.config.plugin, false, slot.failure, {}});
    for (std::size_t i = 0; i < round->tests.size(); ++i) {
        const auto instance = instance_of(round->tests[i].name);
        if (!instance)
            continue;
        ++round->open;
        auto outcome = std::make_shared<SelfTestOutcome>();
        auto work = [outcome](ProviderCalls& calls, Operation& operation) {
            *outcome = calls.self_test(operation);
        };
        auto ended = [round, outcome, i] {
            if (!round->done)
                return; // too late
            conclude(round->tests[i], std::move(*outcome));
            if (--round->open == 0)
                round->finish();
        };
        instance->call(selftest_job, std::move(work), std::move(ended));
    }
    if (round->open == 0) {
        round->finish();
        return;
    }
    // Else the next one waits behind what is late.
    auto cancel = alive([this] {
        for (const auto& [name, slot] : providers_)
            if (slot.instance)
                slot.instance->cancel(selftest_job);
    });
    // Keeps the round: it answers, even when the instances are gone before.
    round->timer.set(answer_time_max, [round, cancel = std::move(cancel)] {
        round->finish();
        cancel();
    });
}

void conclude(ProviderTest& test, SelfTestOutcome outcome) {
    test.done = outcome.status == core::JobStatus::ok;
    if (!test.done)
        test.trouble = outcome.text;
    test.findings = std::move(outcome.findings);
}

namespace {

nlohmann::json finding_json(const SelfTestFinding& finding) {
    const char* const severity = finding.severity == STSYNC_FINDING_OK        ? "ok"
                                 : finding.severity == STSYNC_FINDING_WARNING ? "warning"
                                                                              : "problem";
    return {{"severity", severity},
            {"code", finding.code},
            {"text", finding.text},
            {"remedy", finding.remedy}};
}

} // namespace

nlohmann::json selftest_json(const PluginRegistry& plugins,
                             const std::vector<ConfigProblem>& problems,
                             const std::vector<ProviderTest>& tests) {
    nlohmann::json answer = {{"configuration", nlohmann::json::array()},
                             {"plugins", plugins_json(plugins)},
                             {"providers", nlohmann::json::array()}};
    for (const ConfigProblem& problem : problems)
        answer["configuration"].push_back(to_text(problem));
    for (const ProviderTest& test : tests) {
        nlohmann::json findings = nlohmann::json::array();
        for (const SelfTestFinding& finding : test.findings)
            findings.push_back(finding_json(finding));
        answer["providers"].push_back({{"name", test.name},
                                       {"plugin", test.plugin},
                                       {"done", test.done},
                                       {"busy", test.busy},
                                       {"trouble", test.trouble},
                                       {"findings", std::move(findings)}});
    }
    return answer;
}

} // namespace stationsync::host
