// `doctor`: asks the running service, or looks itself, and shows what was found with its remedies.
#include "base/durable.hpp"
#include "base/path_text.hpp"
#include "base/program.hpp"
#include "cli/api_client.hpp"
#include "cli/command_help.hpp"
#include "cli/commands.hpp"
#include "cli/plugin_folder.hpp"
#include "cli/render.hpp"
#include "cli/system.hpp"
#include "doctor/checks.hpp"

namespace stationsync::host::cli {
namespace {

using doctor::Severity;

doctor::PeerFacts peer_of(const Json& station) {
    doctor::PeerFacts peer;
    peer.name = text_at(station, "name");
    peer.state = text_at(station, "state");
    peer.found = truth_at(station, "found");
    peer.found_by = truth_at(station, "found_by");
    for (const auto& address : list_at(station, "addresses")) {
        const auto text = address.is_string() ? address.get<std::string>() : std::string();
        peer.is_outside =
            peer.is_outside || !(text.starts_with("127.") || text.starts_with("[::1]"));
    }
    if (field(station, "time_difference_ms").is_number()) {
        peer.time_difference_ms = number_at(station, "time_difference_ms");
    }
    return peer;
}

doctor::ProviderFacts provider_of(const Json& test) {
    doctor::ProviderFacts provider;
    provider.name = text_at(test, "name");
    provider.plugin = text_at(test, "plugin");
    provider.tested = truth_at(test, "done");
    provider.busy = truth_at(test, "busy");
    provider.trouble = text_at(test, "trouble");
    for (const auto& found : list_at(test, "findings")) {
        const auto severity = text_at(found, "severity");
        provider.found.push_back({text_at(found, "code"),
                                  severity == "ok"        ? Severity::ok
                                  : severity == "warning" ? Severity::warning
                                                          : Severity::problem,
                                  text_at(found, "text"), text_at(found, "remedy")});
    }
    return provider;
}

doctor::PluginReport report_of(const Json& answer) {
    doctor::PluginReport report;
    for (const auto& plugin : list_at(answer, "plugins")) {
        report.plugins.push_back(
            {text_at(plugin, "file"), text_at(plugin, "name"), text_at(plugin, "reason")});
    }
    for (const auto& problem : list_at(answer, "configuration")) {
        report.configuration.push_back(problem.is_string() ? problem.get<std::string>() : "");
    }
    for (const auto& test : list_at(answer, "providers")) {
        report.providers.push_back(provider_of(test));
    }
    return report;
}

void ask_service(ApiClient& client, const RootPaths& paths, doctor::StationFacts& facts) {
    constexpr std::chrono::seconds answer_time_max{10};
    constexpr std::chrono::seconds test_time_max{30}; // the service gives a self-test 20
    auto& service = facts.service;
    client.limit_answers(answer_time_max);
    const auto status = client.get("status", {{"digests", "no"}});
    service.answers = true;
    constexpr std::uint64_t bytes_max = 4096;
    if (const auto file = read_whole(paths.api_endpoint_file(), bytes_max)) {
        service.process = number_at(Json::parse(*file, nullptr, false), "process_id");
    }
    service.engine_runs = text_at(status, "engine") == "running";
    service.reason = text_at(status, "reason");
    for (const auto& message : list_at(status, "messages")) {
        service.messages.push_back({text_at(message, "id"), text_at(message, "severity"),
                                    text_at(message, "subject"), text_at(message, "text"),
                                    text_at(message, "remedy")});
    }
    const auto stations = client.get("stations");
    for (const auto& station : listing(stations, "stations")) {
        service.peers.push_back(peer_of(station));
    }
    client.limit_answers(test_time_max);
    facts.report = report_of(client.get("selftest"));
}

// In a process of its own: a damaged plugin ends that one, and one that hangs is ended with it.
doctor::PluginReport test_in_child(const Invocation& call, const Environment& environment) {
    constexpr std::chrono::seconds patience{60};
    std::vector<std::string> command{path_text(environment.program)};
    if (!call.paths.root.empty()) {
        command.insert(command.end(), {"--root", path_text(call.paths.root)});
    }
    command.insert(command.end(), {"plugin", "test", "--here", "--json", "--plugins",
                                   path_text(plugin_folder(call, environment))});
    const auto run = run_external(command, patience);
    if (run.succeeded()) {
        if (const auto answer = Json::parse(run.out, nullptr, false); answer.is_object()) {
            return report_of(answer);
        }
    }
    doctor::PluginReport report;
    using End = ProgramRun::End;
    if (run.end == End::timed_out) {
        report.trouble = "a plugin or a self-test did not end within 60 seconds.";
    } else if (run.end == End::ended) {
        report.trouble = "the process that loaded them ended with code " +
                         std::to_string(run.code) + ": " + run.err.substr(0, run.err.find('\n'));
    } else if (run.end == End::failed) {
        report.trouble = "the process that loaded them broke down: a library in the plugin folder "
                         "is damaged.";
    } else {
        report.trouble = "the program " + path_text(environment.program) + " cannot be started.";
    }
    return report;
}

doctor::StationFacts facts_of(const Invocation& call, const Environment& environment) {
    auto facts = doctor::read_station(call.paths);
    facts.addresses = local_addresses();
    try {
        if (const auto client = ApiClient::if_running(call.paths, ApiClient::Token::view)) {
            ask_service(*client, call.paths, facts);
            if (facts.service.engine_runs) {
                return facts;
            }
        }
    } catch (const CommandFailure& failure) {
        facts.service.trouble = failure.what();
        facts.service.trouble_remedy = failure.remedy().empty()
                                           ? "Run the command as the account of the service."
                                           : failure.remedy();
    }
    facts.report = test_in_child(call, environment);
    return facts;
}

Json findings_json(const doctor::Findings& findings) {
    auto list = Json::array();
    for (const auto& finding : findings.all()) {
        list.push_back({{"id", finding.id},
                        {"topic", std::string(doctor::topic_of(finding))},
                        {"severity", std::string(doctor::to_text(finding.severity))},
                        {"text", finding.text},
                        {"remedy", finding.remedy}});
    }
    return {{"result", std::string(doctor::to_text(findings.worst()))},
            {"findings", std::move(list)}};
}

} // namespace

int run_doctor(const Invocation& call, Environment& environment) {
    const auto findings = doctor::check_all(facts_of(call, environment));
    const auto answer = findings_json(findings);
    if (call.json) {
        write_json(environment.out, answer);
    } else {
        render_doctor(environment.out, answer);
    }
    return findings.worst() == Severity::problem ? exit_failed : exit_done;
}

int run_plugin_test(const Invocation& call, Environment& environment) {
    require_station(call.paths);
    Json answer;
    const auto client =
        call.has("here") ? nullptr : ApiClient::if_running(call.paths, ApiClient::Token::view);
    if (client) {
        answer = client->get("selftest");
    } else {
        answer = Json::parse(environment.test_plugins(call.paths, plugin_folder(call, environment)),
                             nullptr, false);
    }
    if (call.json) {
        write_json(environment.out, answer);
        return exit_done;
    }
    doctor::StationFacts facts;
    facts.report = report_of(answer);
    doctor::Findings findings;
    for (const auto& problem : facts.report.configuration) {
        findings.problem("configuration.invalid", problem, "Correct it there.");
    }
    doctor::check_plugins(facts, findings);
    doctor::check_providers(facts, findings);
    render_doctor(environment.out, findings_json(findings));
    return findings.worst() == Severity::problem ? exit_failed : exit_done;
}

} // namespace stationsync::host::cli
