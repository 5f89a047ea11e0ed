// What the local API shows.
#include "service/service.hpp"

#include "api/key_listing.hpp"
#include "api/project_listing.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "service/arguments.hpp"
#include "service/views_json.hpp"
#include "state/state_database.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <utility>

namespace stationsync::host {

void Service::view_status(const nlohmann::json& arguments, ReplyFunction done) {
    nlohmann::json status = {
        {"project", project_},
        {"station", {{"id", core::to_text(identity_.id())}, {"name", station_.name}}},
        {"engine", runtime_ ? "running" : "stopped"},
        {"reason", stopped_reason_},
        {"messages", nlohmann::json::array()},
        {"providers", nlohmann::json::array()}};
    if (runtime_) {
        status["messages"] = messages_json(runtime_->messages());
        status["providers"] = providers_json(*runtime_, text_of(arguments, "digests") != "no");
        status["in_step"] = runtime_->engine().in_step();
    } else if (!project_.empty()) {
        status["messages"] = messages_json(messages_while_stopped());
        if (const auto project = load_project_config(options_.paths, project_))
            status["providers"] = stopped_providers_json(*project.value);
    }
    done(reply_ok(status));
}

std::vector<StoredMessage> Service::messages_while_stopped() const {
    const auto file = options_.paths.project_state(project_) / "state.db";
    std::error_code ignored;
    if (leaving_ || !std::filesystem::exists(file, ignored))
        return {};
    // Looking changes nothing: a damaged one is moved aside, and told of, at the next start.
    auto opened = StateDatabase::open_again(file);
    if (!opened) {
        log::write_limited("messages", log::Level::error, "service", opened.error().text);
        return {};
    }
    SideDatabase database(std::move(*opened));
    auto messages = kept_messages(database);
    if (messages)
        return std::move(*messages);
    log::write_limited("messages", log::Level::error, "service", messages.error().text);
    return {};
}

void Service::view_stations(const nlohmann::json&, ReplyFunction done) {
    done(reply_ok(runtime_ ? stations_json(runtime_->engine()) : nlohmann::json::array()));
}

// Long enough for delayed answers, their repeats, and a dial of what was found.
void Service::view_discover(const nlohmann::json&, ReplyFunction done) {
    constexpr std::chrono::seconds search_time{5};
    if (!need_engine(done))
        return;
    discovering_.push_back(std::move(done));
    if (discovering_.size() > 1)
        return; // a search is running
    const bool searches = runtime_->probe_all();
    discover_timer_.set(search_time, [this, searches] {
        const auto waiting = std::exchange(discovering_, {});
        const nlohmann::json answer = {
            {"searches", searches},
            {"stations", runtime_ ? stations_json(runtime_->engine()) : nlohmann::json::array()}};
        for (const ReplyFunction& each : waiting)
            each(reply_ok(answer));
    });
}

void Service::view_message_kinds(const nlohmann::json&, ReplyFunction done) {
    constexpr std::array lives{"condition", "standing", "event"};
    nlohmann::json list = nlohmann::json::array();
    for (const core::MessageKind& kind : core::message_catalogue())
        list.push_back({{"id", kind.id},
                        {"severity", severity_text(static_cast<std::uint8_t>(kind.severity))},
                        {"life", lives.at(static_cast<std::size_t>(kind.life))},
                        {"sentence", kind.sentence},
                        {"remedy", kind.remedy}});
    done(reply_ok(list));
}

void Service::view_objects(const nlohmann::json& arguments, ReplyFunction done) {
    if (!need_engine(done))
        return;
    const std::string provider = text_of(arguments, "provider");
    if (!provider.empty() && !need_provider(runtime_->settings().project, provider, false, done))
        return;
    done(reply_ok(objects_json(runtime_->engine(), provider, text_of(arguments, "key"))));
}

void Service::view_explain(const nlohmann::json& arguments, ReplyFunction done) {
    if (!need_engine(done))
        return;
    const core::ObjectId id{text_of(arguments, "provider"), text_of(arguments, "key")};
    const auto view = runtime_->engine().object(id);
    if (!view) {
        if (need_provider(runtime_->settings().project, id.provider, false, done))
            need_object(id, done);
        return;
    }
    done(reply_ok(explain_json(runtime_->engine(), *view)));
}

void Service::view_history(const nlohmann::json& arguments, ReplyFunction done) {
    if (!need_engine(done))
        return;
    HistoryQuery query;
    query.provider = text_of(arguments, "provider");
    query.key = text_of(arguments, "key");
    auto entries = std::make_shared<IoResult<std::vector<core::HistoryEntry>>>(
        std::vector<core::HistoryEntry>());
    auto side = runtime_->side_database();
    auto read = [side, query, entries] { *entries = side->history(query); };
    auto show = [this, query, entries, done = std::move(done)]() mutable {
        if (!need_engine(done))
            return;
        if (!*entries) {
            done(reply_error(entries->error()));
            return;
        }
        // What a provider did that is no longer in the project is told like anything else.
        if ((*entries)->empty() && !query.provider.empty() &&
            !need_provider(runtime_->settings().project, query.provider, false, done))
            return;
        done(reply_ok(history_json(runtime_->engine(), **entries)));
    };
    // What has just happened may still be on its way to the database.
    runtime_->when_durable([this, read = std::move(read), show = std::move(show)] {
        workers_.shared().submit(read, show);
    });
}

void Service::view_plugins(const nlohmann::json&, ReplyFunction done) {
    done(reply_ok(plugins_json(plugins_)));
}

// The files as they are now, not as the engine read them when it started.
void Service::view_selftest(const nlohmann::json&, ReplyFunction done) {
    std::vector<ConfigProblem> problems = load_station_config(options_.paths).problems;
    if (!project_.empty()) {
        auto config = load_project_config(options_.paths, project_, known_plugins());
        problems.insert(problems.end(), config.problems.begin(), config.problems.end());
    }
    // Who asks while a round runs gets its result: however often somebody asks, there is one.
    selftest_asked_.push_back(std::move(done));
    if (selftest_asked_.size() > 1)
        return;
    auto answer = [this, problems = std::move(problems)](const std::vector<ProviderTest>& tests) {
        const Reply reply = reply_ok(selftest_json(plugins_, problems, tests));
        for (const ReplyFunction& each : std::exchange(selftest_asked_, {}))
            each(reply);
    };
    if (runtime_)
        runtime_->self_test(std::move(answer));
    else
        answer({});
}

void Service::view_projects(const nlohmann::json&, ReplyFunction done) {
    done(reply_ok(project_listing(options_.paths)));
}

void Service::view_keys(const nlohmann::json&, ReplyFunction done) {
    if (!need_engine(done))
        return;
    done(reply_ok(key_listing(runtime_->keys(), core::WallTime{wall_now_us()})));
}

void Service::view_secrets(const nlohmann::json&, ReplyFunction done) {
    const auto listed = SecretStore(options_.paths.secrets()).list();
    if (!listed) {
        done(reply_error(listed.error()));
        return;
    }
    nlohmann::json names = nlohmann::json::array();
    for (const std::string& name : *listed)
        names.push_back({{"name", name}});
    done(reply_ok(names));
}

} // namespace stationsync::host
