#include "base/clock.hpp"
#include "cli/api_client.hpp"
#include "cli/command_help.hpp"
#include "cli/commands.hpp"

#include <charconv>
#include <set>
#include <thread>

namespace stationsync::host::cli {
namespace {

constexpr std::chrono::milliseconds ask_every{200};
constexpr std::int64_t seconds_max = 366LL * 86400;

struct Judgement {
    bool in_step = false;
    std::string why_not;
};

Judgement judge_provider(const Json& provider) {
    const auto name = text_at(provider, "name");
    const auto state = text_at(provider, "state");
    const auto unsynced = number_at(provider, "unsynced");
    // One that is held is in step as long as nothing has come that waits.
    const auto works = state == "ok" || (unsynced == 0 && (state == "held" || state == "waiting"));
    if (!works) {
        const auto reason = text_at(provider, "reason");
        return {false, name + " is " + state + (reason.empty() ? "" : ": " + reason)};
    }
    return {unsynced == 0, std::to_string(unsynced) + " objects of " + name + " are not in step"};
}

Judgement judge_status(const Json& status, const std::string& wanted) {
    if (text_at(status, "engine") != "running") {
        const auto reason = text_at(status, "reason");
        return {false, "the engine is stopped" + (reason.empty() ? "" : ": " + reason)};
    }
    for (const auto& provider : list_at(status, "providers")) {
        const auto named = text_at(provider, "name") == wanted;
        // Without a name, disabled providers are not waited for; a named one must be enabled.
        if (!named && (!wanted.empty() || text_at(provider, "state") == "disabled")) {
            continue;
        }
        if (auto judgement = judge_provider(provider); !judgement.in_step) {
            return judgement;
        }
    }
    // The engine knows more: a station that has not met the others yet is not in step with them.
    if (wanted.empty() && field(status, "in_step") == Json(false)) {
        return {false, "a scan or the exchange with another station is not complete yet"};
    }
    return {true, ""};
}

Judgement judge_object(const Json& objects, const ObjectName& wanted) {
    for (const auto& object : listing(objects, "objects")) {
        if (text_at(object, "provider") == wanted.provider &&
            text_at(object, "key") == wanted.key) {
            const auto state = text_at(object, "state");
            const auto reason = text_at(object, "reason");
            return {state == "in_sync",
                    "the object is " + state + (reason.empty() ? "" : ": " + reason)};
        }
    }
    return {false, "the object is not known here yet: `stationsync objects` lists all"};
}

// What waiting does not mend.
class Hopeless : public CommandFailure {
public:
    using CommandFailure::CommandFailure;
};

// A running engine knows all providers of its project.
void require_provider(const Json& status, const std::string& wanted) {
    if (wanted.empty() || text_at(status, "engine") != "running") {
        return;
    }
    std::set<std::string> known;
    for (const auto& provider : list_at(status, "providers")) {
        known.insert(text_at(provider, "name"));
    }
    if (known.contains(wanted)) {
        return;
    }
    std::string names;
    for (const auto& name : known) {
        names += (names.empty() ? "" : ", ") + name;
    }
    throw Hopeless("there is no provider \"" + wanted + "\" in project \"" +
                       text_at(status, "project") + "\"; it has " +
                       (names.empty() ? "none yet" : names),
                   "Correct the name, or add [providers." + wanted +
                       "] to the project's file and run `stationsync restart`.");
}

Judgement judge(const RootPaths& paths, std::unique_ptr<ApiClient>& client,
                const ObjectName& wanted) {
    try {
        if (!client) {
            client = ApiClient::if_running(paths, ApiClient::Token::view);
        }
        if (!client) {
            return {false, "the service is not running"};
        }
        const auto status = client->get("status", {{"digests", "no"}});
        require_provider(status, wanted.provider);
        if (wanted.key.empty() || text_at(status, "engine") != "running") {
            return judge_status(status, wanted.provider);
        }
        return judge_object(
            client->get("objects", {{"provider", wanted.provider}, {"key", wanted.key}}), wanted);
    } catch (const Hopeless&) {
        throw;
    } catch (const CommandFailure& failure) {
        client.reset();
        return {false, failure.what()};
    }
}

} // namespace

int run_wait(const Invocation& call, Environment& environment) {
    ObjectName wanted;
    if (!call.arguments.empty()) {
        wanted = parse_provider_or_object(call.argument(0));
    }
    std::int64_t seconds = seconds_max;
    if (const auto text = call.value("timeout")) {
        const auto* const end = text->data() + text->size();
        const auto parsed = std::from_chars(text->data(), end, seconds);
        if (parsed.ec != std::errc{} || parsed.ptr != end || seconds < 0 || seconds > seconds_max) {
            throw UsageError("--timeout takes a number of seconds from 0 to " +
                             std::to_string(seconds_max) + ", not \"" + *text + "\".");
        }
    }
    const auto deadline = monotonic_now_us() + seconds * 1'000'000;
    std::unique_ptr<ApiClient> client;
    if (!call.has("timeout")) {
        // Nobody knows how long a service that does not run will take.
        client = std::make_unique<ApiClient>(call.paths, ApiClient::Token::view);
    }
    for (;;) {
        const auto judgement = judge(call.paths, client, wanted);
        if (judgement.in_step) {
            return exit_done;
        }
        if (monotonic_now_us() >= deadline) {
            environment.err << "Not in step after " << seconds << " s: " << judgement.why_not
                            << ".\n"
                            << "`stationsync explain` and `stationsync status` tell why and what "
                               "to do.\n";
            return exit_failed;
        }
        std::this_thread::sleep_for(ask_every);
    }
}

} // namespace stationsync::host::cli
