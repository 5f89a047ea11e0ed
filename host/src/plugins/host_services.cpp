#include "plugins/host_services.hpp"

#include "base/clock.hpp"
#include "base/durable.hpp"
#include "base/log.hpp"
#include "base/path_text.hpp"
#include "plugins/plugin_library.hpp"

#include <cstring>

namespace stationsync::host {

namespace {

HostServices& services(const stsync_host* host) {
    return *static_cast<HostServices*>(host->ctx);
}

// Nothing may be thrown into the plugin.
template <class Body>
stsync_status guarded(Body body) noexcept {
    try {
        return body();
    } catch (...) {
        return STSYNC_INTERNAL;
    }
}

stsync_status emit(const stsync_text_sink* sink, std::string_view text) {
    return sink->emit(sink->ctx, view_of(text)) == STSYNC_OK ? STSYNC_OK : STSYNC_STOPPED_BY_SINK;
}

std::optional<std::string> scalar_text(const ConfigValue& value) {
    if (const auto* text = value.get<std::string>())
        return *text;
    if (const auto* number = value.get<std::int64_t>())
        return std::to_string(*number);
    if (const auto* truth = value.get<bool>())
        return *truth ? "true" : "false";
    if (const auto* real = value.get<double>()) {
        std::string text = std::to_string(*real);
        return text;
    }
    return std::nullopt;
}

stsync_status STSYNC_CALL write_log(const stsync_host* host, uint32_t level, stsync_str code,
                                    stsync_str key, stsync_str text) noexcept {
    return guarded([&] {
        const InstanceSettings& settings = services(host).settings();
        const log::Level mapped = level == STSYNC_LOG_DEBUG     ? log::Level::debug
                                  : level == STSYNC_LOG_INFO    ? log::Level::info
                                  : level == STSYNC_LOG_WARNING ? log::Level::warning
                                                                : log::Level::error;
        const std::string object =
            key.size == 0 ? settings.name : settings.name + "/" + copy_text(key);
        log::write(mapped, "plugins." + settings.name, copy_text(text),
                   {{}, object, copy_text(code)});
        return STSYNC_OK;
    });
}

stsync_status STSYNC_CALL config_get(const stsync_host* host, stsync_str name,
                                     const stsync_text_sink* sink) noexcept {
    return guarded([&]() -> stsync_status {
        const std::string key = copy_text(name);
        if (const auto added = services(host).added(key))
            return emit(sink, *added);
        const ConfigValue* const value = services(host).find(key);
        if (!value)
            return STSYNC_NOT_FOUND;
        if (value->get<SecretReference>())
            return STSYNC_DENIED;
        const auto text = scalar_text(*value);
        return text ? emit(sink, *text) : STSYNC_INVALID_ARG;
    });
}

stsync_status STSYNC_CALL config_list(const stsync_host* host, stsync_str name,
                                      const stsync_text_sink* sink) noexcept {
    return guarded([&]() -> stsync_status {
        const ConfigValue* const value = services(host).find(copy_text(name));
        if (!value)
            return STSYNC_NOT_FOUND;
        if (value->get<SecretReference>())
            return STSYNC_DENIED;
        if (const auto single = scalar_text(*value))
            return emit(sink, *single);
        const auto* const list = value->get<ConfigValue::List>();
        if (!list)
            return STSYNC_INVALID_ARG;
        for (const ConfigValue& each : *list) {
            const auto text = scalar_text(each);
            if (!text)
                return STSYNC_INVALID_ARG;
            if (const stsync_status status = emit(sink, *text); status != STSYNC_OK)
                return status;
        }
        return STSYNC_OK;
    });
}

stsync_status STSYNC_CALL secret_get(const stsync_host* host, stsync_str name,
                                     const stsync_text_sink* sink) noexcept {
    return guarded([&]() -> stsync_status {
        const ConfigValue* const value = services(host).find(copy_text(name));
        const auto* const reference = value ? value->get<SecretReference>() : nullptr;
        if (!value)
            return STSYNC_NOT_FOUND;
        if (!reference)
            return STSYNC_INVALID_ARG;
        const auto secret = services(host).settings().secret(reference->name);
        return secret ? emit(sink, *secret) : STSYNC_NOT_FOUND;
    });
}

stsync_status STSYNC_CALL staging_scratch(const stsync_host* host, stsync_str,
                                          const stsync_text_sink* sink) noexcept {
    return guarded([&] { return emit(sink, path_text(services(host).settings().scratch)); });
}

stsync_status STSYNC_CALL staging_cache(const stsync_host* host,
                                        const stsync_text_sink* sink) noexcept {
    return guarded([&] { return emit(sink, path_text(services(host).settings().cache)); });
}

stsync_status STSYNC_CALL staging_free(const stsync_host*, stsync_str path,
                                       uint64_t* bytes) noexcept {
    return guarded([&]() -> stsync_status {
        const auto free = free_bytes(path_of(copy_text(path)));
        if (!free)
            return STSYNC_NOT_FOUND;
        *bytes = *free;
        return STSYNC_OK;
    });
}

stsync_status STSYNC_CALL clock_utc(const stsync_host*, stsync_time* out) noexcept {
    *out = wall_now_us();
    return STSYNC_OK;
}

stsync_status STSYNC_CALL clock_monotonic(const stsync_host*, int64_t* out) noexcept {
    *out = monotonic_now_us();
    return STSYNC_OK;
}

stsync_status STSYNC_CALL kv_get(const stsync_host* host, stsync_str key,
                                 const stsync_text_sink* sink) noexcept {
    return guarded([&]() -> stsync_status {
        const InstanceSettings& settings = services(host).settings();
        std::optional<std::string> value;
        std::string error;
        if (!settings.values->get(settings.instance_id, copy_text(key), value, error)) {
            log::error("plugins." + settings.name, error, {{}, settings.name, "kv"});
            return STSYNC_INTERNAL;
        }
        return value ? emit(sink, *value) : STSYNC_NOT_FOUND;
    });
}

stsync_status STSYNC_CALL kv_put(const stsync_host* host, const stsync_pair* pairs,
                                 uint32_t count) noexcept {
    return guarded([&]() -> stsync_status {
        constexpr std::size_t key_bytes_max = 256;
        constexpr std::size_t value_bytes_max = 65'536;
        const InstanceSettings& settings = services(host).settings();
        PluginValueStore::KeyValues values;
        for (uint32_t i = 0; i < count; ++i) {
            if (pairs[i].name.size == 0 || pairs[i].name.size > key_bytes_max ||
                pairs[i].value.size > value_bytes_max)
                return STSYNC_INVALID_ARG;
            std::optional<std::string> value;
            if (pairs[i].value.data)
                value = copy_text(pairs[i].value);
            values.emplace_back(copy_text(pairs[i].name), std::move(value));
        }
        std::string error;
        if (settings.values->put(settings.instance_id, values, error))
            return STSYNC_OK;
        log::error("plugins." + settings.name, error, {{}, settings.name, "kv"});
        return STSYNC_NO_SPACE;
    });
}

constexpr stsync_host_log_v1 log_table{sizeof(stsync_host_log_v1), 0, write_log};
constexpr stsync_host_config_v1 config_table{sizeof(stsync_host_config_v1), 0, config_get,
                                             config_list};
constexpr stsync_host_secrets_v1 secrets_table{sizeof(stsync_host_secrets_v1), 0, secret_get};
constexpr stsync_host_staging_v1 staging_table{sizeof(stsync_host_staging_v1), 0, staging_scratch,
                                               staging_cache, staging_free};
constexpr stsync_host_clock_v1 clock_table{sizeof(stsync_host_clock_v1), 0, clock_utc,
                                           clock_monotonic};
constexpr stsync_host_kv_v1 kv_table{sizeof(stsync_host_kv_v1), 0, kv_get, kv_put};

const void* STSYNC_CALL query(const stsync_host*, const char* id) noexcept {
    const struct {
        const char* id;
        const void* table;
    } tables[] = {
        {STSYNC_HOST_LOG_V1, &log_table},         {STSYNC_HOST_CONFIG_V1, &config_table},
        {STSYNC_HOST_SECRETS_V1, &secrets_table}, {STSYNC_HOST_STAGING_V1, &staging_table},
        {STSYNC_HOST_CLOCK_V1, &clock_table},     {STSYNC_HOST_KV_V1, &kv_table}};
    for (const auto& entry : tables)
        if (std::strcmp(entry.id, id) == 0)
            return entry.table;
    return nullptr;
}

} // namespace

HostServices::HostServices(InstanceSettings settings) : settings_(std::move(settings)) {
    host_.size = sizeof(stsync_host);
    host_.abi_major = STSYNC_ABI_MAJOR;
    host_.abi_minor = STSYNC_ABI_MINOR;
    host_.name = view_of("stationsync");
    host_.version = view_of(STATIONSYNC_VERSION);
    host_.ctx = this;
    host_.query = query;
}

const ConfigValue* HostServices::find(std::string_view key) const {
    if (const ConfigValue* const value = settings_.own.find(key))
        return value;
    // Keys of an inline table are asked for as "table.key".
    const std::size_t dot = key.find('.');
    if (dot == std::string_view::npos)
        return nullptr;
    const ConfigValue* const table = settings_.own.find(key.substr(0, dot));
    return table ? table->find(key.substr(dot + 1)) : nullptr;
}

std::optional<std::string> HostServices::added(std::string_view key) const {
    if (key == "@instance")
        return settings_.instance_id;
    if (key == "@name")
        return settings_.name;
    if (key == "@project")
        return settings_.project;
    if (key == "@first_enable")
        return settings_.first_enable ? "1" : "0";
    if (key == "@accept_root")
        return settings_.accept_root ? "1" : "0";
    if (key == "@packages" && !settings_.packages.empty())
        return path_text(settings_.packages);
    return std::nullopt;
}

} // namespace stationsync::host
