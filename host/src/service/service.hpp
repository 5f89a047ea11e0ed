// The service of one root: the active project's runtime, the commands of the local API, the clock
// watch.
#pragma once

#include "api/service_commands.hpp"
#include "base/clock_steps.hpp"
#include "base/workers.hpp"
#include "config/project_files.hpp"
#include "plugins/plugin_library.hpp"
#include "service/clock_watch.hpp"
#include "service/key_saver.hpp"
#include "service/project_watch.hpp"
#include "service/run_service.hpp"
#include "service/runtime.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>

namespace stationsync::host {

// Engine thread.
class Service final : public ServiceCommands, public RuntimeListener {
public:
    Service(boost::asio::io_context& context, Workers& workers, RunOptions options,
            StationConfig station, StationIdentity identity);
    ~Service() override;

    void set_events(EventSink* events) { events_ = events; }
    // Loads plugins and starts the engine when the project says so; a failure is the reason that
    // `status` shows. The service itself runs on.
    void start();
    // The service ends: `ended` is called when nothing runs any more. `by_person`: not because the
    // computer does.
    void end(bool by_person, std::function<void()> ended);

    void call(const std::string& name, const nlohmann::json& arguments, Access access,
              ReplyFunction done) override;

private:
    using Handler = void (Service::*)(const nlohmann::json& arguments, ReplyFunction done);

    // service.cpp: engine on and off
    void start_engine();
    void leave(const Runtime::ShutDown& how);
    void stop_engine(const Runtime::ShutDown& how, std::function<void()> then);
    void end_engine(const Runtime::ShutDown& how, std::function<void()> then);
    void restart_engine(const Runtime::ShutDown& how, ReplyFunction done);
    void cannot_start(std::string reason);
    void run_engine(RuntimeSettings settings);
    void project_answered(const ProjectAnswer& answer);
    // Nothing that the plant's software says is against it; fills in the product version.
    [[nodiscard]] bool may_run(ProjectConfig& project);
    [[nodiscard]] std::optional<RuntimeSettings> load_settings(std::string& problem);
    [[nodiscard]] KnownPlugins known_plugins() const;
    void watch_clock();
    void look_at_clock();
    void tell_unsaved_key();
    void publish_status();
    void flush_events();
    void publish_pending();
    void note_stop_by_person();
    void tell_stop_by_person();
    void tell_starters();
    bool store_choice(const ProjectChoice& choice, ReplyFunction& done);

    // service_views.cpp
    void view_status(const nlohmann::json& arguments, ReplyFunction done);
    std::vector<StoredMessage> messages_while_stopped() const;
    void view_stations(const nlohmann::json& arguments, ReplyFunction done);
    void view_discover(const nlohmann::json& arguments, ReplyFunction done);
    void view_objects(const nlohmann::json& arguments, ReplyFunction done);
    void view_explain(const nlohmann::json& arguments, ReplyFunction done);
    void view_history(const nlohmann::json& arguments, ReplyFunction done);
    void view_plugins(const nlohmann::json& arguments, ReplyFunction done);
    void view_selftest(const nlohmann::json& arguments, ReplyFunction done);
    void view_projects(const nlohmann::json& arguments, ReplyFunction done);
    void view_keys(const nlohmann::json& arguments, ReplyFunction done);
    void view_message_kinds(const nlohmann::json& arguments, ReplyFunction done);
    void view_secrets(const nlohmann::json& arguments, ReplyFunction done);

    // service_commands.cpp
    void command_send_now(const nlohmann::json& arguments, ReplyFunction done);
    void command_publish(const nlohmann::json& arguments, ReplyFunction done);
    void command_restore(const nlohmann::json& arguments, ReplyFunction done);
    void command_establish(const nlohmann::json& arguments, ReplyFunction done);
    void command_hold(const nlohmann::json& arguments, ReplyFunction done);
    void command_release(const nlohmann::json& arguments, ReplyFunction done);
    void command_verify(const nlohmann::json& arguments, ReplyFunction done);
    void command_start(const nlohmann::json& arguments, ReplyFunction done);
    void command_stop(const nlohmann::json& arguments, ReplyFunction done);
    void command_restart(const nlohmann::json& arguments, ReplyFunction done);
    void command_accept_root(const nlohmann::json& arguments, ReplyFunction done);
    void command_provider_enable(const nlohmann::json& arguments, ReplyFunction done);
    void command_provider_disable(const nlohmann::json& arguments, ReplyFunction done);
    void set_provider_enabled(const nlohmann::json& arguments, bool enabled, ReplyFunction done);
    void command_project_use(const nlohmann::json& arguments, ReplyFunction done);
    void command_project_activate(const nlohmann::json& arguments, ReplyFunction done);
    void command_project_deactivate(const nlohmann::json& arguments, ReplyFunction done);
    void command_key_rotate(const nlohmann::json& arguments, ReplyFunction done);
    void command_key_retire(const nlohmann::json& arguments, ReplyFunction done);
    void command_secret_set(const nlohmann::json& arguments, ReplyFunction done);
    void command_secret_remove(const nlohmann::json& arguments, ReplyFunction done);
    void command_block(const nlohmann::json& arguments, ReplyFunction done);
    void command_unblock(const nlohmann::json& arguments, ReplyFunction done);
    void command_forget(const nlohmann::json& arguments, ReplyFunction done);
    void command_rename(const nlohmann::json& arguments, ReplyFunction done);
    void command_new_identity(const nlohmann::json& arguments, ReplyFunction done);
    void change_keys(bool rotate, ReplyFunction done);

    // service_checks.cpp: false when `done` was told why it cannot be
    bool need_engine(ReplyFunction& done) const;
    bool need_provider(const ProjectConfig& config, const std::string& provider,
                       bool must_be_enabled, ReplyFunction& done) const;
    bool need_object(const core::ObjectId& object, ReplyFunction& done) const; // engine runs
    std::optional<core::ObjectId> object_of(const nlohmann::json& arguments,
                                            ReplyFunction& done) const;
    std::optional<core::StationId> station_of(const nlohmann::json& arguments,
                                              ReplyFunction& done) const;
    void await(const std::string& command, const std::string& subject, ReplyFunction done);

    // RuntimeListener
    void object_changed(const core::ObjectId& id) override;
    void station_changed(const core::StationId& id) override;
    void provider_changed(const std::string& provider) override;
    void message_changed(const StoredMessage& message, bool standing) override;
    void command_answered(const core::CommandAnswered& answer) override;
    void keys_changed(const KeyRing& keys) override;
    void clock_stepped(std::int64_t by_us) override;

    boost::asio::io_context& context_;
    Workers& workers_;
    RunOptions options_;
    StationConfig station_;
    StationIdentity identity_;
    PluginRegistry plugins_;
    std::uint64_t run_id_ = 0;
    EventSink* events_ = nullptr;

    std::shared_ptr<Runtime> runtime_;
    std::shared_ptr<Runtime> leaving_; // is shutting down
    std::vector<std::function<void()>> after_leaving_;
    KeySaver key_saver_;
    std::string project_;        // the selected one
    std::string stopped_reason_; // why the engine does not run
    bool run_wanted_ = false;    // by who was last to say so
    bool ending_ = false;
    ProjectWatch project_watch_;
    bool waits_for_project_ = false; // the engine starts when the plant's software says so
    ClockWatch clock_;
    ClockSteps clock_steps_;
    std::string clock_step_text_; // to be told once the engine runs again
    std::optional<core::Duration> clock_stepped_while_stopped_;
    Timer clock_timer_;
    Timer event_timer_;
    Timer discover_timer_;
    std::vector<ReplyFunction> starters_;      // have started the engine and want to know
    std::vector<ReplyFunction> discovering_;   // answered together when the search is over
    std::set<core::ObjectId> changed_objects_; // told together, a few times a second
    std::set<core::StationId> changed_stations_;
    bool status_changed_ = false;
    std::vector<ReplyFunction> selftest_asked_; // wait for the round that runs
    // Commands whose answer the engine gives later, by command and subject.
    std::multimap<std::pair<std::string, std::string>, ReplyFunction> awaited_;
    std::map<std::string, Handler> handlers_;
};

} // namespace stationsync::host
