// Provider instances of a runtime: made, recovered, watched, changed, ended.
#include "service/runtime.hpp"

#include "base/durable.hpp"
#include "base/log.hpp"
#include "base/path_text.hpp"
#include "base/random.hpp"
#include "base/sha256.hpp"
#include "base/text_codes.hpp"
#include "net/address.hpp"

#include <algorithm>
#include <array>

namespace stationsync::host {

namespace {

constexpr std::chrono::seconds compat_every{15};

std::string hash_text(const std::string& text) {
    const Sha256Digest digest = sha256(text);
    return to_hex(std::span(digest).first(16));
}

} // namespace

Runtime::ProviderSlot* Runtime::slot_of(const std::string& provider) {
    const auto place = providers_.find(provider);
    return place == providers_.end() ? nullptr : &place->second;
}

std::shared_ptr<ProviderInstance> Runtime::instance_of(const std::string& provider) {
    ProviderSlot* const slot = slot_of(provider);
    const bool usable =
        slot && slot->instance && slot->instance->is_ready() && !slot->ending && !ending_;
    return usable ? slot->instance : nullptr;
}

// The same on every start of this station, also under a new identity, and another one elsewhere.
std::string Runtime::instance_id(const std::string& kind_of, const std::string& name) const {
    const std::filesystem::path file = settings_.paths.project_state(settings_.project.name) /
                                       "instances" / (kind_of + "-" + name + ".id");
    constexpr std::size_t id_digits = 32;
    if (const auto stored = read_whole(file, 2 * id_digits); stored && stored->size() == id_digits)
        return *stored;
    std::array<std::byte, id_digits / 2> fresh;
    fill_random(fresh);
    std::string id = to_hex(fresh);
    if (const auto made = make_directories(file.parent_path()); !made)
        log::error("plugins." + name, made.error().text);
    if (const auto written = atomic_write(file, id); !written)
        log::error("plugins." + name, written.error().text);
    return id;
}

std::filesystem::path Runtime::enabled_marker(const std::string& provider) const {
    return settings_.paths.project_state(settings_.project.name) / "instances" /
           (provider + ".enabled");
}

InstanceSettings Runtime::instance_settings(const std::string& kind_of, const std::string& name,
                                            const ConfigValue& own, bool accept_root) const {
    InstanceSettings instance;
    instance.name = name;
    instance.instance_id = instance_id(kind_of, name);
    instance.project = settings_.project.name;
    instance.packages = settings_.station.sync.directory;
    instance.own = own;
    std::error_code error;
    instance.first_enable = !std::filesystem::exists(enabled_marker(name), error);
    instance.accept_root = accept_root;
    const std::filesystem::path folder = settings_.paths.project_state(settings_.project.name) /
                                         "instances" / (kind_of + "-" + name);
    instance.scratch = folder / "scratch";
    instance.cache = folder / "cache";
    std::filesystem::remove_all(instance.scratch, error);
    for (const auto& each : {instance.scratch, instance.cache})
        if (const auto made = make_directories(each); !made)
            log::error("plugins." + name, made.error().text);
    instance.secret = [secrets =
                           secrets_](const std::string& wanted) -> std::optional<std::string> {
        auto value = secrets.get(wanted);
        return value ? std::optional(std::move(*value)) : std::nullopt;
    };
    instance.values = side_;
    return instance;
}

const std::string& Runtime::provider_digest(const std::string& provider) const {
    const auto [place, added] = digests_.try_emplace(provider);
    if (!added)
        return place->second;
    Sha256 hash;
    for (const core::ObjectView& view : engine_->objects(provider)) {
        const core::ObjectRecord* const record = engine_->record(view.id);
        if (!record || !record->held || record->mark.empty())
            continue;
        const std::string content = record->held->digest ? core::to_text(*record->held->digest)
                                                         : core::to_text(record->held->id());
        const std::string line = view.id.key + '\0' + content + '\n';
        hash.update(std::as_bytes(std::span(line)));
    }
    const Sha256Digest digest = hash.finish();
    place->second = to_hex(digest);
    return place->second;
}

core::ProviderEnabled Runtime::enabled_event(const ProviderSlot& slot) const {
    core::ProviderEnabled event;
    event.provider = slot.config.name;
    event.plugin = slot.config.plugin;
    event.plugin_version = slot.kind ? slot.kind->version : std::string();
    event.identity = hash_text(slot.config.plugin + "\n" + to_json_text(slot.config.own));
    event.settle = slot.config.settle;
    event.settle_max = slot.config.settle_max;
    event.scan_interval = slot.config.scan_interval;
    event.keys_are_paths = slot.kind && slot.kind->keys_are_paths;
    event.export_reproducible = slot.kind && slot.kind->export_reproducible;
    event.live_above = settings_.station.sync.live_above_bytes;
    event.apply_when = slot.config.apply_when.asks_anything();
    return event;
}

void Runtime::start_provider(const ProviderConfig& config, bool accept_root) {
    ProviderSlot& slot = providers_[config.name];
    slot = {};
    digests_.erase(config.name);
    slot.config = config;
    slot.accept_root = accept_root;
    slot.kind = plugins_.find(config.plugin);
    if (slot.kind && !slot.kind->is_provider)
        slot.kind = nullptr;
    if (!slot.kind)
        slot.failure =
            "no plugin '" + config.plugin +
            "' is installed: put it into the plugin folder (stationsync plugin list), or "
            "correct 'plugin' of [providers." +
            config.name + "]";
    feed(enabled_event(slot));
}

void Runtime::announce_missing(const std::string& provider, const std::string& text) {
    feed(core::ProviderTokens{provider, false, {}});
    feed(core::RecoverFinished{provider, core::JobStatus::failed, text});
}

// Answered by RecoverFinished, after the tokens are known and the watch has begun.
void Runtime::act(core::Recover& action) {
    const std::string name = action.provider;
    ProviderSlot* const slot = slot_of(name);
    if (!slot || ending_ || slot->ending)
        return;
    if (!slot->kind) {
        announce_missing(name, slot->failure);
        return;
    }
    if (!slot->instance) {
        make_instance(*slot);
        return;
    }
    if (!slot->instance->is_ready())
        return; // is being made; this follows
    auto outcome = std::make_shared<CallOutcome>();
    auto compat = std::make_shared<CompatOutcome>();
    auto work = [outcome, compat](ProviderCalls& calls, Operation& operation) {
        *outcome = calls.recover(operation);
        if (outcome->status != core::JobStatus::ok)
            return;
        *compat = calls.compat(operation);
    };
    auto done = alive([this, name, outcome, compat] { recovered(name, *outcome, *compat); });
    slot->instance->call(0, std::move(work), std::move(done), true);
}

// Creating may block; it is a worker's. The recover follows.
void Runtime::make_instance(ProviderSlot& slot) {
    const std::string name = slot.config.name;
    slot.instance =
        std::make_shared<ProviderInstance>(*slot.kind, workers_.of_plugin(slot.kind->max_parallel));
    auto made = [weak = weak_from_this(), name](const std::string& error) {
        if (const auto self = weak.lock(); self && !self->ended_)
            self->instance_made(name, error);
    };
    slot.instance->create(instance_settings("provider", name, slot.config.own, slot.accept_root),
                          std::move(made));
}

void Runtime::instance_made(const std::string& name, const std::string& error) {
    ProviderSlot* const slot = slot_of(name);
    if (!slot || slot->ending || ending_)
        return;
    slot->failure = error;
    if (!slot->instance->is_ready()) {
        slot->instance.reset();
        announce_missing(name, error);
        return;
    }
    core::Recover again{name};
    act(again);
}

void Runtime::recovered(const std::string& provider, const CallOutcome& outcome,
                        const CompatOutcome& compat) {
    ProviderSlot* const slot = slot_of(provider);
    if (!slot || ending_ || slot->ending)
        return;
    if (outcome.status != core::JobStatus::ok) {
        announce_missing(provider, outcome.text);
        return;
    }
    const bool known = compat.status == core::JobStatus::ok;
    slot->recovered = true;
    slot->compat_known = known;
    slot->compat_tokens = compat.tokens;
    if (!known)
        log::warning("plugins." + provider, compat.text, {{}, provider, "compat"});
    ask_compat_later();
    std::error_code ignored; // the marker is written again at the next start
    std::filesystem::create_directories(enabled_marker(provider).parent_path(), ignored);
    if (!std::filesystem::exists(enabled_marker(provider), ignored))
        if (const auto marked = atomic_write(enabled_marker(provider), std::string_view("1\n"));
            !marked)
            log::error("plugins." + provider, marked.error().text);
    slot->accept_root = false;
    // Whatever it was, it is over; the scan that follows tells of a new fault.
    messages_->clear("provider-fault", provider);
    feed(core::ProviderTokens{provider, known, compat.tokens});
    feed(core::RecoverFinished{provider, core::JobStatus::ok, {}});
    start_watch(provider);
}

void Runtime::start_watch(const std::string& provider) {
    const auto instance = instance_of(provider);
    if (!instance)
        return;
    auto weak = weak_from_this();
    auto post = post_to_io_context(&context_);
    ProviderCalls::Hints hints;
    hints.changed = [weak, post, provider](std::string key) {
        post([weak, provider, key = std::move(key)] {
            if (const auto self = weak.lock(); self && !self->ending_)
                self->feed(core::ChangeHinted{provider, key});
        });
    };
    hints.lost = [provider](const std::string& text) {
        log::warning("plugins." + provider, "watching ended: " + text, {{}, provider, "watch"});
    };
    auto error = std::make_shared<std::string>();
    auto work = [hints, error](ProviderCalls& calls, Operation&) {
        calls.start_watch(hints, *error);
    };
    auto done = [provider, error] {
        if (!error->empty())
            log::warning("plugins." + provider, *error, {{}, provider, "watch"});
    };
    instance->call(0, std::move(work), std::move(done), true);
}

void Runtime::ask_compat(const std::string& provider) {
    const auto instance = instance_of(provider);
    if (!instance)
        return;
    slot_of(provider)->compat_asked = true;
    auto compat = std::make_shared<CompatOutcome>();
    auto work = [compat](ProviderCalls& calls, Operation& operation) {
        *compat = calls.compat(operation);
    };
    auto done = alive([this, provider, compat] {
        ProviderSlot* const slot = slot_of(provider);
        const bool known = compat->status == core::JobStatus::ok;
        if (!slot || slot->ending)
            return;
        slot->compat_asked = false;
        const bool news = !slot->compat_known || slot->compat_tokens != compat->tokens;
        slot->compat_known = known;
        if (!known || !news)
            return;
        slot->compat_tokens = compat->tokens;
        feed(core::ProviderTokens{provider, true, compat->tokens});
    });
    instance->call(0, std::move(work), std::move(done));
}

// While the tokens of a back end are not known (its server is away) its provider is suspended; when
// its server was updated they are other ones.
void Runtime::ask_compat_later() {
    auto ask = [this] {
        std::vector<std::string> due;
        for (const auto& [name, slot] : providers_)
            if (slot.recovered && !slot.ending && !slot.compat_asked)
                due.push_back(name);
        for (const std::string& name : due)
            ask_compat(name);
        ask_compat_later();
    };
    compat_timer_.set(compat_every, alive(std::move(ask)));
}

// What the settings want of a provider, nothing when it is to be off: at once, or, the latest wish
// only, when the present instance has ended.
void Runtime::set_provider(const std::string& name, std::optional<WantedProvider> wanted) {
    ProviderSlot* const slot = slot_of(name);
    if (!slot) {
        if (wanted)
            start_provider(wanted->config, wanted->accept_root);
        return;
    }
    if (wanted && slot->next && slot->next->config == wanted->config)
        wanted->accept_root = wanted->accept_root || slot->next->accept_root;
    slot->next = std::move(wanted);
    if (slot->ending)
        return;
    slot->ending = true;
    *slot->gate_given_up = true;
    feed(core::ProviderDisabled{name});
    messages_->clear("provider-fault", name);
    if (slot->instance)
        slot->instance->shut_down(alive([this, name] { provider_gone(name); }));
    else
        provider_gone(name);
}

void Runtime::provider_gone(const std::string& name) {
    const auto slot = providers_.extract(name);
    if (ending_)
        end_if_idle();
    else if (slot && slot.mapped().next)
        start_provider(slot.mapped().next->config, slot.mapped().next->accept_root);
}

void Runtime::accept_root(const std::string& provider) {
    const ProviderSlot* const slot = slot_of(provider);
    if (!slot)
        return;
    // Of an instance that ends, the one that follows is meant.
    if (!slot->ending)
        set_provider(provider, WantedProvider{slot->config, true});
    else if (slot->next)
        set_provider(provider, WantedProvider{slot->next->config, true});
}

void Runtime::reconfigure(ProjectConfig project) {
    const ProjectConfig before = std::move(settings_.project);
    settings_.project = std::move(project);
    if (before.product_version != settings_.project.product_version ||
        before.skip_mismatched_provider != settings_.project.skip_mismatched_provider)
        tell_profile();
    std::set<std::string> wanted;
    for (const ProviderConfig& config : settings_.project.providers) {
        if (!config.enabled)
            continue;
        wanted.insert(config.name);
        const ProviderSlot* const slot = slot_of(config.name);
        if (!slot || slot->ending || !(slot->config == config))
            set_provider(config.name, WantedProvider{config, false});
    }
    std::vector<std::string> unwanted;
    for (const auto& [name, slot] : providers_)
        if (!wanted.contains(name))
            unwanted.push_back(name);
    for (const std::string& name : unwanted)
        set_provider(name, std::nullopt);
    const auto has = [](const ProjectConfig& of, const DiscoveryConfig& config) {
        return std::find(of.discoveries.begin(), of.discoveries.end(), config) !=
               of.discoveries.end();
    };
    for (const DiscoveryConfig& config : before.discoveries)
        if (!has(settings_.project, config))
            stop_discovery(config.name);
    for (const DiscoveryConfig& config : settings_.project.discoveries)
        if (config.enabled && !has(before, config))
            start_discovery(config);
}

} // namespace stationsync::host
