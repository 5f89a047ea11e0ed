// What a person asks for through the local API.
#include "service/service.hpp"

#include "base/clock.hpp"
#include "base/durable.hpp"
#include "config/config_text.hpp"
#include "config/secrets.hpp"
#include "config/toml_reader.hpp"
#include "config/units.hpp"
#include "net/names.hpp"
#include "service/arguments.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace stationsync::host {

namespace {

Reply done_text(const std::string& text) {
    return reply_ok({{"text", text}});
}

} // namespace

void Service::await(const std::string& command, const std::string& subject, ReplyFunction done) {
    awaited_.emplace(std::pair(command, subject), std::move(done));
}

void Service::command_send_now(const nlohmann::json& arguments, ReplyFunction done) {
    if (!need_engine(done))
        return;
    const std::string provider = text_of(arguments, "provider");
    const std::string key = text_of(arguments, "key");
    if (!provider.empty() && !need_provider(runtime_->settings().project, provider, true, done))
        return;
    if (!key.empty() && !need_object({provider, key}, done))
        return;
    if (!provider.empty() && key.empty()) {
        // All of one provider: the engine knows single objects and everything.
        std::size_t sent = 0;
        for (const core::ObjectView& view : runtime_->engine().objects(provider))
            if (view.state == core::ObjectState::settling) {
                runtime_->command(core::SendNowRequested{view.id});
                ++sent;
            }
        done(done_text(sent == 0 ? "Nothing is waiting to be sent."
                                 : std::to_string(sent) + " on the way."));
        return;
    }
    std::optional<core::ObjectId> object;
    if (!provider.empty())
        object = core::ObjectId{provider, key};
    await("send-now", object ? core::to_text(*object) : std::string(), std::move(done));
    runtime_->command(core::SendNowRequested{object});
}

void Service::command_publish(const nlohmann::json& arguments, ReplyFunction done) {
    const auto object = object_of(arguments, done);
    if (!object)
        return;
    if (!runtime_) {
        const auto config = load_project_config(options_.paths, project_);
        if (config && !need_provider(*config.value, object->provider, false, done))
            return;
        // The wish is kept: the next start fulfils it before anything is put back.
        const auto added =
            add_pending_publish(options_.paths, project_, {object->provider, object->key});
        done(added ? done_text("The engine is stopped; it is published at the next start, before "
                               "anything is put back.")
                   : reply_error(added.error()));
        return;
    }
    if (!need_provider(runtime_->settings().project, object->provider, true, done))
        return;
    await("publish", core::to_text(*object), std::move(done));
    runtime_->command(core::PublishRequested{*object});
}

void Service::command_restore(const nlohmann::json& arguments, ReplyFunction done) {
    if (!need_engine(done))
        return;
    const auto object = object_of(arguments, done);
    if (!object)
        return;
    const std::string version = text_of(arguments, "version");
    if (version.empty()) {
        done(reply_error(ReplyCode::bad_request, "The command needs `version`.",
                         "`stationsync history " + core::to_text(*object) +
                             "` shows the versions."));
        return;
    }
    if (!need_provider(runtime_->settings().project, object->provider, true, done))
        return;
    await("restore", core::to_text(*object), std::move(done));
    runtime_->command(core::RestoreRequested{*object, version});
}

void Service::command_establish(const nlohmann::json& arguments, ReplyFunction done) {
    if (!need_engine(done))
        return;
    const std::string provider = text_of(arguments, "provider");
    if (!provider.empty() && !need_provider(runtime_->settings().project, provider, true, done))
        return;
    await("establish", provider, std::move(done));
    runtime_->command(core::EstablishRequested{provider});
}

void Service::command_hold(const nlohmann::json& arguments, ReplyFunction done) {
    if (!need_engine(done))
        return;
    const std::string provider = text_of(arguments, "provider");
    if (!need_provider(runtime_->settings().project, provider, true, done))
        return;
    std::optional<core::Duration> length;
    if (arguments.contains("for")) {
        const auto given = parse_duration(text_of(arguments, "for"));
        if (!given || given->count() <= 0) {
            done(reply_error(ReplyCode::bad_request, "`for` is no duration.",
                             "Write it as \"90s\", \"30m\", \"2h\" or \"1h30m\"."));
            return;
        }
        length = *given;
    }
    await("hold", provider, std::move(done));
    runtime_->command(core::HoldRequested{provider, length});
}

void Service::command_release(const nlohmann::json& arguments, ReplyFunction done) {
    if (!need_engine(done))
        return;
    const std::string provider = text_of(arguments, "provider");
    if (!need_provider(runtime_->settings().project, provider, true, done))
        return;
    await("release", provider, std::move(done));
    runtime_->command(core::ReleaseRequested{provider});
}

void Service::command_verify(const nlohmann::json& arguments, ReplyFunction done) {
    if (!need_engine(done))
        return;
    const std::string provider = text_of(arguments, "provider");
    if (!provider.empty() && !need_provider(runtime_->settings().project, provider, true, done))
        return;
    await("verify", provider, std::move(done));
    runtime_->command(core::VerifyRequested{provider});
}

void Service::command_start(const nlohmann::json&, ReplyFunction done) {
    if (runtime_) {
        done(done_text("The engine runs already."));
        return;
    }
    restart_engine({}, std::move(done));
}

void Service::command_stop(const nlohmann::json&, ReplyFunction done) {
    if (!runtime_ && !leaving_ && !waits_for_project_) {
        done(done_text("The engine is stopped already."));
        return;
    }
    Runtime::ShutDown how;
    how.by_person = true;
    stop_engine(how, [this, done = std::move(done)] {
        stopped_reason_ = "stopped by a person: stationsync start";
        publish_status();
        done(done_text("The engine is stopped."));
    });
}

void Service::command_restart(const nlohmann::json&, ReplyFunction done) {
    restart_engine({}, std::move(done));
}

void Service::command_accept_root(const nlohmann::json& arguments, ReplyFunction done) {
    if (!need_engine(done))
        return;
    const std::string provider = text_of(arguments, "provider");
    if (!need_provider(runtime_->settings().project, provider, true, done))
        return;
    runtime_->accept_root(provider);
    done(done_text("The present root of '" + provider + "' is accepted."));
}

void Service::command_provider_enable(const nlohmann::json& arguments, ReplyFunction done) {
    set_provider_enabled(arguments, true, std::move(done));
}

void Service::command_provider_disable(const nlohmann::json& arguments, ReplyFunction done) {
    set_provider_enabled(arguments, false, std::move(done));
}

// The project file is the truth; the rest of the project goes on.
void Service::set_provider_enabled(const nlohmann::json& arguments, bool enabled,
                                   ReplyFunction done) {
    const std::string provider = text_of(arguments, "provider");
    const auto file = options_.paths.project_file(project_);
    const auto text = read_text_file(file);
    if (!text) {
        done(reply_error(ReplyCode::failed, to_text(text.problems)));
        return;
    }
    const auto edited = with_provider_enabled(*text.value, file, provider, enabled);
    if (!edited) {
        done(reply_error(ReplyCode::refused, to_text(edited.problems)));
        return;
    }
    // Checked before it is written: a wrong setting must not be what the next start finds.
    auto loaded = parse_project_config(*edited.value, file, project_, known_plugins());
    if (!loaded) {
        done(reply_error(ReplyCode::refused, to_text(loaded.problems)));
        return;
    }
    if (const auto written = atomic_write(file, *edited.value); !written) {
        done(reply_error(written.error()));
        return;
    }
    if (runtime_) {
        if (loaded.value->conditions.asks_version())
            loaded.value->product_version = runtime_->settings().project.product_version;
        runtime_->reconfigure(std::move(*loaded.value));
    }
    done(done_text("Provider '" + provider + "' is " + (enabled ? "enabled." : "disabled.")));
}

bool Service::store_choice(const ProjectChoice& choice, ReplyFunction& done) {
    const auto saved = save_project_choice(options_.paths, choice);
    if (!saved)
        done(reply_error(saved.error()));
    return saved.has_value();
}

void Service::command_project_use(const nlohmann::json& arguments, ReplyFunction done) {
    const std::string project = text_of(arguments, "project");
    const auto projects = list_projects(options_.paths);
    if (std::find(projects.begin(), projects.end(), project) == projects.end()) {
        done(reply_error(ReplyCode::not_found, "There is no project '" + project + "' here.",
                         "`stationsync project list` shows all; make it with `stationsync init` or "
                         "join it with `stationsync join`."));
        return;
    }
    if (store_choice({project, true}, done))
        restart_engine({}, std::move(done));
}

void Service::command_project_activate(const nlohmann::json&, ReplyFunction done) {
    if (store_choice({project_, true}, done))
        restart_engine({}, std::move(done));
}

void Service::command_project_deactivate(const nlohmann::json&, ReplyFunction done) {
    if (!store_choice({project_, false}, done))
        return;
    Runtime::ShutDown how;
    how.by_person = true;
    stop_engine(how, [this, done = std::move(done)] {
        start_engine(); // finds it inactive and says so
        done(done_text("Project '" + project_ + "' is not synchronized any more."));
    });
}

void Service::change_keys(bool rotate, ReplyFunction done) {
    if (!need_engine(done))
        return;
    KeyRing keys = runtime_->keys();
    const core::WallTime now{wall_now_us()};
    if (rotate) {
        keys.rotate(now);
    } else if (!keys.retire(now)) {
        done(done_text("Only the current key is accepted already."));
        return;
    }
    const auto saved = key_saver_.save_now(options_.paths.project_key(project_), keys);
    if (!saved) {
        done(reply_error(saved.error()));
        return;
    }
    const std::string fingerprint = keys.current().fingerprint();
    runtime_->set_keys(std::make_shared<const KeyRing>(std::move(keys)));
    done(done_text(rotate
                       ? "The project has the new key " + fingerprint +
                             ". It travels to all linked stations; the old one is accepted until "
                             "`stationsync key retire`, at most 30 days."
                       : "Only the current key is accepted from now on."));
}

void Service::command_key_rotate(const nlohmann::json&, ReplyFunction done) {
    change_keys(true, std::move(done));
}

void Service::command_key_retire(const nlohmann::json&, ReplyFunction done) {
    change_keys(false, std::move(done));
}

// A few bytes, written at once: not worth a worker.
void Service::command_secret_set(const nlohmann::json& arguments, ReplyFunction done) {
    const std::string name = text_of(arguments, "name");
    const auto set = SecretStore(options_.paths.secrets()).set(name, text_of(arguments, "value"));
    done(set ? done_text("The secret '" + name + "' is set.")
             : reply_error(ReplyCode::bad_request, set.error().text, remedy_of(set.error().kind)));
}

void Service::command_secret_remove(const nlohmann::json& arguments, ReplyFunction done) {
    const std::string name = text_of(arguments, "name");
    const auto removed = SecretStore(options_.paths.secrets()).remove(name);
    done(removed ? done_text("The secret '" + name + "' is removed.")
                 : reply_error(removed.error().kind == IoErrorKind::not_found ? ReplyCode::not_found
                                                                              : ReplyCode::failed,
                               removed.error().text));
}

void Service::command_block(const nlohmann::json& arguments, ReplyFunction done) {
    if (!need_engine(done))
        return;
    const auto station = station_of(arguments, done);
    if (!station)
        return;
    if (*station == identity_.id()) {
        done(reply_error(ReplyCode::refused, "A station cannot block itself.",
                         "Run it on another station, or `stationsync stop` here."));
        return;
    }
    runtime_->command(core::BlockRequested{*station, true});
    done(done_text("Blocked " + core::to_text(*station) + "; all stations are told."));
}

void Service::command_unblock(const nlohmann::json& arguments, ReplyFunction done) {
    if (!need_engine(done))
        return;
    const auto station = station_of(arguments, done);
    if (!station)
        return;
    runtime_->command(core::BlockRequested{*station, false});
    done(done_text("Unblocked " + core::to_text(*station) + "; all stations are told."));
}

void Service::command_forget(const nlohmann::json& arguments, ReplyFunction done) {
    if (!need_engine(done))
        return;
    const auto station = station_of(arguments, done);
    if (!station)
        return;
    runtime_->command(core::ForgetRequested{*station});
    done(done_text("Forgotten until it is seen again."));
}

void Service::command_rename(const nlohmann::json& arguments, ReplyFunction done) {
    const std::string name = text_of(arguments, "name");
    if (const auto problem = station_name_problem(name)) {
        done(reply_error(ReplyCode::bad_request, *problem));
        return;
    }
    const auto file = options_.paths.station_file();
    const auto text = read_text_file(file);
    const auto edited = text ? with_station_name(*text.value, file, name) : text;
    if (!edited) {
        done(reply_error(ReplyCode::failed, to_text(edited.problems)));
        return;
    }
    if (const auto written = atomic_write(file, *edited.value); !written) {
        done(reply_error(written.error()));
        return;
    }
    station_.name = name;
    if (runtime_)
        runtime_->rename_station(name);
    publish_status();
    done(done_text("The station is called '" + name + "' now."));
}

void Service::command_new_identity(const nlohmann::json&, ReplyFunction done) {
    stop_engine({}, [this, done = std::move(done)] {
        auto identity = StationIdentity::replace(options_.paths.identity_file());
        if (!identity) {
            done(reply_error(identity.error()));
            return;
        }
        identity_ = std::move(*identity);
        start_engine();
        done(done_text("The station has the new id " + core::to_text(identity_.id()) +
                       ". For the other stations it is a newcomer."));
    });
}

} // namespace stationsync::host
