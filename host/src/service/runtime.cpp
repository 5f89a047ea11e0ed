#include "service/runtime.hpp"

#include "base/clock.hpp"
#include "base/durable.hpp"
#include "base/log.hpp"
#include "base/path_text.hpp"
#include "base/random.hpp"
#include "service/own_protocol.hpp"
#include "service/space_watch.hpp"

#include <algorithm>
#include <utility>

namespace stationsync::host {

namespace {
constexpr std::chrono::milliseconds tick_every{500};
constexpr std::chrono::seconds apply_grace{1}; // for an apply to notice that it was cancelled

core::ProviderMismatch mismatch_policy(const ProjectConfig& project) {
    return project.skip_mismatched_provider ? core::ProviderMismatch::skip_provider
                                            : core::ProviderMismatch::reject_station;
}
} // namespace

Runtime::Runtime(boost::asio::io_context& context, Workers& workers, const PluginRegistry& plugins,
                 const StationIdentity& identity, std::shared_ptr<const KeyRing> keys,
                 RuntimeSettings settings, RuntimeListener& listener)
    : context_(context),
      workers_(workers),
      pool_(workers.shared()),
      plugins_(plugins),
      identity_(identity),
      keys_(std::move(keys)),
      settings_(std::move(settings)),
      listener_(listener),
      secrets_(settings_.paths.secrets()),
      engine_timer_(context),
      tick_timer_(context),
      patience_timer_(context),
      grace_timer_(context),
      house_timer_(context),
      compat_timer_(context) {}

Runtime::~Runtime() = default;

core::Now Runtime::now() const {
    return {core::Instant{monotonic_now_us()}, core::WallTime{wall_now_us()}};
}

// An action that is dropped when the runtime is gone or over.
std::function<void()> Runtime::alive(std::function<void()> action) {
    return [weak = weak_from_this(), action = std::move(action)] {
        if (const auto self = weak.lock(); self && !self->ended_)
            action();
    };
}

IoResult<void> Runtime::open_state() {
    const std::filesystem::path folder = settings_.paths.project_state(settings_.project.name);
    if (auto made = make_directories(folder); !made)
        return made.error();
    const std::filesystem::path file = folder / "state.db";
    auto opened = StateDatabase::open_and_load(file);
    if (!opened)
        return opened.error();
    auto second = StateDatabase::open_again(file);
    if (!second)
        return second.error();
    database_ = std::move(opened->database);
    side_ = std::make_shared<SideDatabase>(std::move(*second));
    auto changed = [this](const StoredMessage& message, bool standing) {
        listener_.message_changed(message, standing);
    };
    messages_ = std::make_unique<OperatorMessages>(side_, pool_, std::move(changed));
    // Only the very first state database of the founder begins established: one that was lost makes
    // a newcomer.
    founded_mark_ = folder / "founded";
    std::error_code error;
    const bool founded_before = std::filesystem::exists(founded_mark_, error);
    if (opened->fresh && settings_.founder && !founded_before)
        opened->state.meta.made_by_init = true;
    if (founded_before)
        founded_mark_.clear();
    if (!opened->moved_aside.empty())
        raise("state-damaged", {}, {{"file", path_text(opened->moved_aside)}});
    if (opened->fresh)
        if (auto found = find_history_again(opened->state); !found)
            return found.error();
    if (settings_.clock_stepped) {
        ++opened->state.meta.clock_steps;
        opened->state.meta.clock_moved += *settings_.clock_stepped;
        if (auto stored = database_->commit({{core::PutMeta{opened->state.meta}}}); !stored)
            return stored.error();
    }
    clock_counted_ = true;
    make_engine(std::move(opened->state));
    return {};
}

// The first state of the engine is durable: a database that is fresh from now on was lost.
void Runtime::mark_founded() {
    if (founded_mark_.empty())
        return;
    if (auto marked = atomic_write(founded_mark_, std::string_view("1\n")); marked)
        founded_mark_.clear();
    else
        log::write_limited("founded", log::Level::error, "service", marked.error().text);
}

void Runtime::make_engine(core::DurableState state) {
    core::EngineConfig config;
    config.self = settings_.self;
    config.run_id = settings_.run_id;
    config.seed = random_u64();
    config.station_name = settings_.station.name;
    config.project = settings_.project.name;
    config.product_version = settings_.project.product_version;
    config.protocol = own_protocol();
    config.on_provider_mismatch = mismatch_policy(settings_.project);
    config.addresses = addresses_;
    config.limits.kept_per_object = settings_.station.history.per_object;
    config.limits.kept_age_max = settings_.station.history.age_max;
    config.limits.kept_bytes_max = settings_.station.history.size_max_bytes;
    config.limits.package_bytes_max = settings_.station.sync.size_max_bytes;
    config.limits.package_age_max = settings_.station.sync.age_max;
    engine_ = std::make_unique<core::Engine>(std::move(config), std::move(state), now());
}

IoResult<void> Runtime::start_links() {
    LinksConfig config;
    config.listen = settings_.listen;
    config.station_name = settings_.station.name;
    config.project = settings_.project.name;
    config.run_id = settings_.run_id;
    const core::ProtocolVersion protocol = own_protocol();
    config.protocol_major = static_cast<std::uint16_t>(protocol.major);
    config.protocol_minor = static_cast<std::uint16_t>(protocol.minor);
    config.addresses = addresses_;
    try {
        links_ = std::make_unique<Links>(context_, std::move(config), identity_, keys_, *this);
    } catch (const std::exception& problem) {
        return IoError{IoErrorKind::other, problem.what()};
    }
    on_listen_tried(links_->start());
    return {};
}

IoResult<void> Runtime::start() {
    const std::string& project = settings_.project.name;
    const std::filesystem::path sync = settings_.station.sync.directory;
    StoreSettings store{sync / path_of(project),
                        settings_.station.history.directory / path_of(project),
                        sync / ".staging" / path_of(project), settings_.self,
                        settings_.station.sync.live_above_bytes};
    addresses_.clear();
    for (const ListenAddress& listen : settings_.listen)
        if (listen.address.host != "0.0.0.0" && listen.address.host != "::")
            addresses_.push_back(to_text(listen.address));
    store_ = std::make_shared<PackageStore>(std::move(store));
    if (auto prepared = store_->prepare(); !prepared)
        return prepared.error();
    if (auto opened = open_state(); !opened)
        return opened.error();
    StateWriter::Events events;
    events.persisted = [this](core::PersistId id) {
        mark_founded();
        feed(core::Persisted{id});
    };
    events.trouble = [this](const IoError* error) {
        if (error)
            raise("state-not-writable", {},
                  {{"text", error->text},
                   {"folder", path_text(settings_.paths.project_state(settings_.project.name))}});
        else
            messages_->clear("state-not-writable", {});
    };
    events.describe = [store = store_](std::span<const DescribedPackage> packages) {
        store->describe(packages);
    };
    writer_ =
        std::make_unique<StateWriter>(context_, database_, workers_.state(), std::move(events));
    TransferOptions transfer;
    transfer.self = settings_.self;
    transfer.packages = sync / path_of(project);
    // A source that has to export and hash a large file first says so; a dead one loses its link.
    transfer.give_up_us = 180'000'000;
    transfer.manifests = settings_.paths.project_state(project) / "blocks";
    live_exports_ = std::make_unique<LiveExports>(
        [this](const core::ObjectId& object, const PackageRef& package, LiveExports::Made made) {
            export_live(object, package, std::move(made));
        },
        pool_);
    transfer_ = std::make_unique<TransferEngine>(std::move(transfer), pool_,
                                                 static_cast<TransferHost&>(*this),
                                                 post_to_io_context(&context_));
    if (auto linked = start_links(); !linked)
        return linked.error();
    for (const ProviderConfig& provider : settings_.project.providers)
        if (provider.enabled)
            start_provider(provider, false);
    forget_holds_of_absent();
    for (const DiscoveryConfig& discovery : settings_.project.discoveries)
        if (discovery.enabled)
            start_discovery(discovery);
    pump();
    tick();
    keep_house();
    return {};
}

// Of a provider that was switched off or taken out while the service was off.
void Runtime::forget_holds_of_absent() {
    constexpr char held[] = "provider-held";
    for (const StoredMessage& message : messages_->standing())
        if (message.id == held && !slot_of(message.subject))
            messages_->clear(held, message.subject);
}

void Runtime::feed(core::Event event) {
    if (ended_ || !engine_)
        return;
    watch_space(event, *messages_, now().wall);
    events_.push_back(std::move(event));
    if (!pumping_)
        pump();
}

// Events that arise while actions are performed wait for their turn: the engine is never
// re-entered.
void Runtime::pump() {
    pumping_ = true;
    while (true) {
        for (core::Action& action : engine_->take_actions())
            perform(action);
        if (events_.empty())
            break;
        const core::Event event = std::move(events_.front());
        events_.pop_front();
        if (log::enabled("engine", log::Level::trace))
            log::write(log::Level::trace, "engine", "event " + core::to_text(event));
        engine_->handle(event, now());
    }
    pumping_ = false;
    set_engine_timer();
    if (ending_)
        end_if_idle();
}

void Runtime::set_engine_timer() {
    if (ended_ || ending_)
        return;
    const auto due = engine_->next_deadline();
    if (!due) {
        engine_timer_.cancel();
        return;
    }
    const core::Duration wait =
        std::max<core::Duration>(*due - now().instant, std::chrono::milliseconds(1));
    engine_timer_.set(wait, alive([this] {
                          engine_->handle_deadline(now());
                          pump();
                      }));
}

void Runtime::tick() {
    if (transfer_->is_busy())
        transfer_->tick();
    live_exports_->tick(monotonic_now_us());
    for (const auto& [name, discovery] : discoveries_)
        discovery->tick(monotonic_now_us());
    messages_->forget_events(now().wall, engine_->in_step());
    tick_timer_.set(tick_every, alive([this] { tick(); }));
}

const std::map<std::string, TransferBytes>& Runtime::transfer_bytes() const {
    return transfer_->bytes_by_provider();
}

void Runtime::rename_station(const std::string& name) {
    settings_.station.name = name;
    links_->set_profile(name, addresses_);
    tell_profile();
}

void Runtime::tell_profile() {
    feed(core::ProfileChanged{settings_.station.name, settings_.project.product_version, addresses_,
                              mismatch_policy(settings_.project)});
    for (const auto& [name, discovery] : discoveries_)
        discovery->announce(own_announcement());
}

void Runtime::set_keys(std::shared_ptr<const KeyRing> keys) {
    keys_ = std::move(keys);
    links_->set_keys(keys_);
    for (const auto& [link, entry] : live_links_)
        tell_keys(link);
}

void Runtime::shut_down(const ShutDown& how, std::function<void()> ended) {
    if (how.by_person && engine_)
        feed(core::StoppedByPerson{});
    ending_ = true;
    clock_stepped_ = how.clock_stepped;
    on_ended_ = std::move(ended);
    engine_timer_.cancel();
    tick_timer_.cancel();
    house_timer_.cancel();
    compat_timer_.cancel();
    discoveries_.clear();
    if (links_)
        links_->stop();
    live_links_.clear();
    // Packages are not served or fetched any more; what is here of them stays.
    transfer_.reset();
    live_exports_.reset();
    for (auto& [name, slot] : providers_) {
        *slot.gate_given_up = true;
        if (slot.instance && !slot.ending) {
            slot.ending = true;
            slot.instance->shut_down(alive([this, name = name] {
                providers_[name].instance.reset();
                end_if_idle();
            }));
        }
    }
    set_patience(how.patience);
    end_if_idle();
}

void Runtime::hasten(const ShutDown& how) {
    if (how.by_person && engine_)
        feed(core::StoppedByPerson{});
    set_patience(how.patience);
}

void Runtime::set_patience(core::Duration patience) {
    patience_timer_.set(patience, alive([this] {
                            for (auto& [name, slot] : providers_)
                                if (slot.instance)
                                    slot.instance->cancel_everything();
                            // The journal makes up for an apply that does not come back.
                            grace_timer_.set(apply_grace, alive([this] { finish_shut_down(); }));
                        }));
}

void Runtime::end_if_idle() {
    if (!ending_ || ended_ || pumping_)
        return;
    for (const auto& [name, slot] : providers_)
        if (slot.instance)
            return;
    finish_shut_down();
}

void Runtime::finish_shut_down() {
    if (ended_ || !writer_) {
        if (!ended_ && on_ended_) {
            ended_ = true;
            const auto post = post_to_io_context(&context_);
            post(std::exchange(on_ended_, {}));
        }
        return;
    }
    patience_timer_.cancel();
    grace_timer_.cancel();
    // Results of the last calls are in the engine now; what it wants stored is stored before the
    // end.
    writer_->flush([this, self = shared_from_this()] {
        if (ended_)
            return;
        ended_ = true;
        if (clock_stepped_ && engine_) {
            core::MetaRecord meta = engine_->meta();
            ++meta.clock_steps;
            meta.clock_moved += *clock_stepped_;
            if (const auto stored = database_->commit({{core::PutMeta{meta}}}); !stored)
                log::error("service", stored.error().text);
        }
        // Later, from the loop: the one who is told destroys this runtime, and the writer with it.
        auto ended = std::move(on_ended_);
        on_ended_ = {};
        if (!ended)
            return;
        const auto post = post_to_io_context(&context_);
        post(std::move(ended));
    });
}

} // namespace stationsync::host
