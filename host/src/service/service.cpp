#include "service/service.hpp"

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/path_text.hpp"
#include "base/random.hpp"
#include "base/utc_text.hpp"
#include "service/known_plugins.hpp"
#include "service/views_json.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <sstream>

namespace stationsync::host {

namespace {
constexpr std::chrono::milliseconds clock_every{500};
constexpr std::chrono::milliseconds events_every{100};

std::string with_remedy(const IoError& error) {
    const auto remedy = remedy_of(error.kind);
    return remedy.empty() ? error.text : error.text + ". " + remedy;
}
} // namespace

Service::Service(boost::asio::io_context& context, Workers& workers, RunOptions options,
                 StationConfig station, StationIdentity identity)
    : context_(context),
      workers_(workers),
      options_(std::move(options)),
      station_(std::move(station)),
      identity_(std::move(identity)),
      run_id_(random_u64()),
      key_saver_(context, [this] { tell_unsaved_key(); }),
      project_watch_(context, workers.shared(),
                     [this](const ProjectAnswer& answer) { project_answered(answer); }),
      clock_steps_(context, [this] { look_at_clock(); }),
      clock_timer_(context),
      event_timer_(context),
      discover_timer_(context) {
    handlers_ = {{"status", &Service::view_status},
                 {"stations", &Service::view_stations},
                 {"discover", &Service::view_discover},
                 {"objects", &Service::view_objects},
                 {"explain", &Service::view_explain},
                 {"history", &Service::view_history},
                 {"plugins", &Service::view_plugins},
                 {"selftest", &Service::view_selftest},
                 {"projects", &Service::view_projects},
                 {"keys", &Service::view_keys},
                 {"secrets", &Service::view_secrets},
                 {"message-kinds", &Service::view_message_kinds},
                 {"send-now", &Service::command_send_now},
                 {"publish", &Service::command_publish},
                 {"restore", &Service::command_restore},
                 {"establish", &Service::command_establish},
                 {"hold", &Service::command_hold},
                 {"release", &Service::command_release},
                 {"verify", &Service::command_verify},
                 {"start", &Service::command_start},
                 {"stop", &Service::command_stop},
                 {"restart", &Service::command_restart},
                 {"provider-accept-root", &Service::command_accept_root},
                 {"provider-enable", &Service::command_provider_enable},
                 {"provider-disable", &Service::command_provider_disable},
                 {"project-use", &Service::command_project_use},
                 {"project-activate", &Service::command_project_activate},
                 {"project-deactivate", &Service::command_project_deactivate},
                 {"key-rotate", &Service::command_key_rotate},
                 {"key-retire", &Service::command_key_retire},
                 {"secret-set", &Service::command_secret_set},
                 {"secret-remove", &Service::command_secret_remove},
                 {"block", &Service::command_block},
                 {"unblock", &Service::command_unblock},
                 {"forget-station", &Service::command_forget},
                 {"station-rename", &Service::command_rename},
                 {"station-new-identity", &Service::command_new_identity}};
}

Service::~Service() = default;

void Service::start() {
    run_wanted_ = true;
    plugins_.load_folder(options_.plugins);
    for (const RefusedPlugin& refused : plugins_.refused())
        log::warning("plugins", refused.text, {{}, {}, "refused"});
    start_engine();
    watch_clock();
}

void Service::call(const std::string& name, const nlohmann::json& arguments, Access,
                   ReplyFunction done) {
    const auto place = handlers_.find(name);
    if (place == handlers_.end()) {
        done(reply_error(ReplyCode::not_found, "There is no command '" + name + "'.",
                         "docs/openapi.yaml lists all."));
        return;
    }
    (this->*place->second)(arguments, std::move(done));
}

void Service::cannot_start(std::string reason) {
    stopped_reason_ = std::move(reason);
    // A configuration may have several errors: each is an entry of its own.
    std::istringstream lines(stopped_reason_);
    for (std::string line; std::getline(lines, line);)
        log::error("service", "the engine cannot start: " + line, {{}, project_, "start"});
    publish_status();
}

KnownPlugins Service::known_plugins() const {
    return host::known_plugins(plugins_);
}

std::optional<RuntimeSettings> Service::load_settings(std::string& problem) {
    auto loaded = load_project_config(options_.paths, project_, known_plugins());
    if (!loaded) {
        problem = to_text(loaded.problems);
        return std::nullopt;
    }
    const auto origin = load_project_origin(options_.paths, project_);
    if (!origin && origin.error().kind != IoErrorKind::not_found) {
        problem = with_remedy(origin.error());
        return std::nullopt;
    }
    RuntimeSettings settings;
    settings.paths = options_.paths;
    settings.station = station_;
    settings.project = std::move(*loaded.value);
    settings.founder = origin && origin->founder;
    settings.run_id = run_id_;
    settings.self = identity_.id();
    for (const Endpoint& endpoint : station_.net.listen)
        settings.listen.push_back(
            {{endpoint.address, endpoint.port}, station_.net.listen_is_default});
    return settings;
}

void Service::start_engine() {
    if (runtime_ || leaving_ || ending_)
        return;
    waits_for_project_ = false;
    const auto choice = load_project_choice(options_.paths);
    if (!choice) {
        cannot_start(with_remedy(choice.error()));
        return;
    }
    project_ = choice->project;
    if (project_.empty()) {
        cannot_start("no project is selected: stationsync project use NAME");
        return;
    }
    if (!choice->active) {
        stopped_reason_ = "project '" + project_ + "' is deactivated: stationsync project activate";
        publish_status();
        return;
    }
    std::string problem;
    auto settings = load_settings(problem);
    if (!settings) {
        cannot_start(problem);
        return;
    }
    project_watch_.watch(settings->project.conditions);
    if (may_run(settings->project))
        run_engine(std::move(*settings));
}

void Service::run_engine(RuntimeSettings settings) {
    settings.clock_stepped = clock_stepped_while_stopped_;
    const auto keys = key_saver_.load(options_.paths.project_key(project_));
    if (!keys) {
        cannot_start(with_remedy(keys.error()));
        return;
    }
    auto runtime = std::make_shared<Runtime>(context_, workers_, plugins_, identity_,
                                             std::make_shared<const KeyRing>(*keys),
                                             std::move(settings), *this);
    runtime_ = runtime;
    const auto started = runtime->start();
    if (runtime->clock_counted())
        clock_stepped_while_stopped_.reset();
    if (!started) {
        leave({});
        cannot_start(with_remedy(started.error()));
        return;
    }
    stopped_reason_.clear();
    tell_unsaved_key();
    if (!clock_step_text_.empty())
        runtime_->raise("clock-step", {}, {{"step", std::exchange(clock_step_text_, {})}});
    log::info("service", "the engine runs for project " + project_);
    tell_stop_by_person();
    publish_pending();
    publish_status();
}

// What a person published while no service ran, before anything is put back.
void Service::publish_pending() {
    const auto pending = load_pending_publishes(options_.paths, project_);
    if (!pending) {
        log::error("service", pending.error().text);
        return;
    }
    if (pending->empty())
        return;
    for (const PendingPublish& each : *pending)
        runtime_->command(core::PublishRequested{{each.provider, each.key}});
    // The wish is in the engine's own state before the file goes, however long the disk is full.
    runtime_->when_stored([this] {
        if (const auto cleared = clear_pending_publishes(options_.paths, project_); !cleared)
            log::error("service", cleared.error().text);
    });
}

void Service::stop_engine(const Runtime::ShutDown& how, std::function<void()> then) {
    run_wanted_ = false;
    waits_for_project_ = false;
    project_watch_.stop();
    if (how.by_person && !runtime_ && !leaving_)
        note_stop_by_person();
    end_engine(how, [this, then = std::move(then)] {
        then();
        tell_starters();
    });
}

// The engine that would have to know does not run: it waits for the plant's project. It is told at
// its next start (rule 8).
void Service::note_stop_by_person() {
    std::error_code ignored; // then there is no state either
    if (project_.empty() ||
        !std::filesystem::is_directory(options_.paths.project_state(project_), ignored))
        return;
    if (const auto noted = save_stop_by_person(options_.paths, project_); !noted)
        log::error("service", noted.error().text);
}

void Service::tell_stop_by_person() {
    const auto noted = was_stopped_by_person(options_.paths, project_);
    if (!noted)
        log::error("service", noted.error().text);
    if (!noted || !*noted)
        return;
    runtime_->command(core::StoppedByPerson{});
    runtime_->when_stored([this] {
        if (const auto cleared = clear_stop_by_person(options_.paths, project_); !cleared)
            log::error("service", cleared.error().text);
    });
}

void Service::end_engine(const Runtime::ShutDown& how, std::function<void()> then) {
    if (!runtime_ && !leaving_) {
        then();
        return;
    }
    after_leaving_.push_back(std::move(then));
    if (!runtime_) {
        leaving_->hasten(how);
        return;
    }
    for (auto& [key, done] : awaited_)
        done(reply_error(ReplyCode::unavailable, "The engine was stopped meanwhile.",
                         "Give the command again when `stationsync status` shows it running."));
    awaited_.clear();
    leave(how);
}

void Service::leave(const Runtime::ShutDown& how) {
    leaving_ = std::move(runtime_);
    runtime_.reset();
    leaving_->shut_down(how, [this] {
        leaving_.reset();
        log::info("service", "the engine has stopped");
        const auto todo = std::move(after_leaving_);
        after_leaving_.clear();
        for (const auto& each : todo)
            each();
    });
}

void Service::restart_engine(const Runtime::ShutDown& how, ReplyFunction done) {
    auto start = [this, done = std::move(done)] {
        if (run_wanted_) // nobody has stopped it while it was leaving
            start_engine();
        if (done)
            starters_.push_back(done);
        if (!waits_for_project_ || project_watch_.last())
            tell_starters();
    };
    run_wanted_ = true;
    end_engine(how, std::move(start));
}

// Whoever has started the engine is told what came of it, as soon as the plant's software was
// asked.
void Service::tell_starters() {
    for (const ReplyFunction& done : std::exchange(starters_, {})) {
        if (runtime_)
            done(reply_ok({{"text", "The engine runs."}}));
        else if (waits_for_project_)
            done(reply_ok({{"text", "The engine waits: " + stopped_reason_ + '.'}}));
        else
            done(reply_error(ReplyCode::refused, "The engine does not run: " + stopped_reason_,
                             "Mend what is named here, then run `stationsync start`."));
    }
}

void Service::end(bool by_person, std::function<void()> ended) {
    if (ending_)
        return;
    ending_ = true;
    clock_timer_.cancel();
    event_timer_.cancel();
    Runtime::ShutDown how;
    how.by_person = by_person;
    how.patience = std::chrono::seconds(4);
    stop_engine(how, std::move(ended));
}

void Service::look_at_clock() {
    if (const auto moved = clock_.sample(wall_now_us(), boot_now_us()))
        clock_stepped(*moved);
}

void Service::watch_clock() {
    look_at_clock();
    clock_timer_.set(clock_every, [this] { watch_clock(); });
}

void Service::clock_stepped(std::int64_t by_us) {
    log::warning("service",
                 "the clock of this computer was set by " + std::to_string(by_us / 1000) + " ms; " +
                     (runtime_ ? "the engine starts anew" : "the engine counts it when it starts"),
                 {{}, {}, "clock-step"});
    clock_step_text_ = std::to_string(std::llround(static_cast<double>(by_us) / 1e6)) + " s";
    if (!runtime_) {
        clock_stepped_while_stopped_ =
            clock_stepped_while_stopped_.value_or(core::Duration{}) + core::Duration{by_us};
        return;
    }
    Runtime::ShutDown how;
    how.clock_stepped = core::Duration{by_us};
    restart_engine(how, {});
}

void Service::publish_status() {
    status_changed_ = true;
    if (!ending_)
        event_timer_.set(events_every, [this] { flush_events(); });
}

void Service::flush_events() {
    if (!events_)
        return;
    if (status_changed_)
        events_->publish("status", {{"engine", runtime_ ? "running" : "stopped"},
                                    {"reason", stopped_reason_},
                                    {"project", project_}});
    status_changed_ = false;
    for (const core::StationId& id : changed_stations_)
        events_->publish("station", {{"id", core::to_text(id)}});
    changed_stations_.clear();
    for (const core::ObjectId& id : changed_objects_) {
        nlohmann::json event = {{"provider", id.provider}, {"key", id.key}};
        if (runtime_)
            if (const auto view = runtime_->engine().object(id)) {
                event["state"] = core::to_text(view->state);
                event["reason"] = view->reason;
                event["progress"] = view->progress;
            }
        events_->publish("object", event);
    }
    changed_objects_.clear();
}

void Service::object_changed(const core::ObjectId& id) {
    const bool first = changed_objects_.empty() && changed_stations_.empty() && !status_changed_;
    changed_objects_.insert(id);
    if (first && !ending_)
        event_timer_.set(events_every, [this] { flush_events(); });
}

void Service::station_changed(const core::StationId& id) {
    changed_stations_.insert(id);
    publish_status();
}

void Service::provider_changed(const std::string&) {
    publish_status();
}

void Service::message_changed(const StoredMessage& message, bool standing) {
    if (!events_)
        return;
    nlohmann::json event = message_json(message);
    event["standing"] = standing;
    events_->publish("message", event);
}

void Service::keys_changed(const KeyRing& keys) {
    key_saver_.save(options_.paths.project_key(project_), keys);
}

void Service::tell_unsaved_key() {
    if (!runtime_)
        return;
    const std::string why = key_saver_.trouble(options_.paths.project_key(project_));
    if (why.empty())
        runtime_->clear_message("key-not-saved", {});
    else
        runtime_->raise("key-not-saved", {}, {{"text", why}});
}

void Service::command_answered(const core::CommandAnswered& answer) {
    log::info("commands", answer.command + ": " + answer.text, {{}, answer.subject, {}});
    const auto place = awaited_.find({answer.command, answer.subject});
    if (place == awaited_.end())
        return;
    const ReplyFunction done = std::move(place->second);
    awaited_.erase(place);
    if (answer.ok || answer.command == "verify")
        done(reply_ok({{"text", answer.text}, {"equal", answer.ok}}));
    else
        done(reply_error(ReplyCode::refused, answer.text));
}

} // namespace stationsync::host
