// The host's services, as plugin code sees them.
#pragma once

#include "error.hpp"
#include "host.h"
#include "paths.hpp"
#include "text.hpp"

#include <charconv>
#include <optional>
#include <utility>
#include <vector>

namespace stationsync::sdk {

// A handle to the services of one instance; copies refer to the same host. Valid, on any thread,
// until the instance is destroyed. Services that the host lacks answer "not configured".
class Host {
public:
    explicit Host(const stsync_host* host) noexcept
        : host_(host),
          log_(table<stsync_host_log_v1>(STSYNC_HOST_LOG_V1)),
          config_(table<stsync_host_config_v1>(STSYNC_HOST_CONFIG_V1)),
          secrets_(table<stsync_host_secrets_v1>(STSYNC_HOST_SECRETS_V1)),
          staging_(table<stsync_host_staging_v1>(STSYNC_HOST_STAGING_V1)),
          clock_(table<stsync_host_clock_v1>(STSYNC_HOST_CLOCK_V1)),
          kv_(table<stsync_host_kv_v1>(STSYNC_HOST_KV_V1)) {}

    // The value of a configuration key, nothing when it is not configured. Throws Error when it is
    // a list.
    std::optional<std::string> config(std::string_view name) const {
        if (config_ == nullptr)
            return std::nullopt;
        return single(
            [&](const stsync_text_sink* sink) { return config_->get(host_, to_abi(name), sink); },
            name);
    }

    // The same; throws Error(INVALID_ARG) when it is missing or empty.
    std::string config_required(std::string_view name) const {
        auto value = config(name);
        if (!value || value->empty())
            throw Error(STSYNC_INVALID_ARG, "The setting \"" + std::string(name) +
                                                "\" is missing: add it to the configuration.");
        return *std::move(value);
    }

    // A required absolute path.
    std::filesystem::path config_path(std::string_view name) const {
        std::filesystem::path path = path_from_utf8(config_required(name));
        if (!path.is_absolute())
            throw Error(STSYNC_INVALID_ARG, "The setting \"" + std::string(name) +
                                                "\" must be an absolute path, but is \"" +
                                                utf8_from_path(path) + "\".");
        return path;
    }

    std::int64_t config_integer(std::string_view name, std::int64_t otherwise) const {
        const auto text = config(name);
        if (!text)
            return otherwise;
        std::int64_t value = 0;
        const char* end = text->data() + text->size();
        const auto [stopped, failure] = std::from_chars(text->data(), end, value);
        if (failure != std::errc{} || stopped != end)
            throw Error(STSYNC_INVALID_ARG, "The setting \"" + std::string(name) +
                                                "\" must be a whole number, but is \"" + *text +
                                                "\".");
        return value;
    }

    bool config_flag(std::string_view name, bool otherwise) const {
        const auto text = config(name);
        if (!text)
            return otherwise;
        if (*text == "true" || *text == "1")
            return true;
        if (*text == "false" || *text == "0")
            return false;
        throw Error(STSYNC_INVALID_ARG, "The setting \"" + std::string(name) +
                                            "\" must be true or false, but is \"" + *text + "\".");
    }

    // The elements of a list, empty when it is not configured; a single value is a list of one.
    std::vector<std::string> config_list(std::string_view name) const {
        std::vector<std::string> values;
        if (config_ == nullptr)
            return values;
        Collector collector{&values, nullptr};
        const stsync_text_sink sink = collector.sink();
        collector.done(config_->list(host_, to_abi(name), &sink), name);
        return values;
    }

    // The secret granted to a configuration key; nothing when there is none.
    std::optional<std::string> secret(std::string_view name) const {
        if (secrets_ == nullptr)
            return std::nullopt;
        return single(
            [&](const stsync_text_sink* sink) { return secrets_->get(host_, to_abi(name), sink); },
            name);
    }

    // level is one of STSYNC_LOG_*; code is short and stable; key may be empty.
    void log(std::uint32_t level, std::string_view code, std::string_view key,
             std::string_view text) const noexcept {
        if (log_ != nullptr)
            log_->write(host_, level, to_abi(code), to_abi(key), to_abi(text));
    }

    // A directory for temporary files on the volume of `near`, if the host has one there.
    std::optional<std::filesystem::path> scratch(const std::filesystem::path& near) const {
        if (staging_ == nullptr)
            return std::nullopt;
        const std::string text = utf8_from_path(near);
        return as_path(single(
            [&](const stsync_text_sink* sink) {
                return staging_->scratch(host_, to_abi(text), sink);
            },
            "scratch"));
    }

    // A directory for caches that survive a restart; nothing when the host offers none.
    std::optional<std::filesystem::path> cache() const {
        if (staging_ == nullptr)
            return std::nullopt;
        return as_path(single(
            [&](const stsync_text_sink* sink) { return staging_->cache(host_, sink); }, "cache"));
    }

    std::optional<std::uint64_t> free_space(const std::filesystem::path& path) const {
        if (staging_ == nullptr)
            return std::nullopt;
        const std::string text = utf8_from_path(path);
        std::uint64_t bytes = 0;
        if (staging_->free_space(host_, to_abi(text), &bytes) != STSYNC_OK)
            return std::nullopt;
        return bytes;
    }

    // Wall clock in microseconds UTC; STSYNC_TIME_NONE when the host offers none.
    stsync_time utc_now() const noexcept {
        stsync_time now = STSYNC_TIME_NONE;
        if (clock_ == nullptr || clock_->utc_now(host_, &now) != STSYNC_OK)
            return STSYNC_TIME_NONE;
        return now;
    }

    std::optional<std::string> kv_get(std::string_view key) const {
        if (kv_ == nullptr)
            return std::nullopt;
        return single(
            [&](const stsync_text_sink* sink) { return kv_->get(host_, to_abi(key), sink); }, key);
    }

    // Stores all or nothing; a pair without value removes its key. Throws Error.
    void
    kv_put(const std::vector<std::pair<std::string, std::optional<std::string>>>& values) const {
        if (kv_ == nullptr)
            throw Error(STSYNC_INCOMPATIBLE, "The host offers no " STSYNC_HOST_KV_V1 ".");
        std::vector<stsync_pair> pairs;
        pairs.reserve(values.size());
        for (const auto& [key, value] : values)
            pairs.push_back({to_abi(key), value ? to_abi(*value) : stsync_str{nullptr, 0}});
        const auto count = static_cast<std::uint32_t>(pairs.size());
        if (const stsync_status status = kv_->put(host_, pairs.data(), count); status != STSYNC_OK)
            throw Error(status, "The host did not store the values of the plugin.");
    }

    const stsync_host* raw() const noexcept { return host_; }

private:
    // Collects what a service emits. An allocation failure is remembered and thrown afterwards, for
    // nothing may be thrown through the host.
    struct Collector {
        std::vector<std::string>* values;
        std::exception_ptr failure;

        stsync_text_sink sink() noexcept {
            return {sizeof(stsync_text_sink), 0, this, &Collector::emit};
        }
        static stsync_status STSYNC_CALL emit(void* ctx, stsync_str text) noexcept {
            auto* self = static_cast<Collector*>(ctx);
            try {
                self->values->push_back(copy(text));
                return STSYNC_OK;
            } catch (...) {
                self->failure = std::current_exception();
                return STSYNC_STOPPED_BY_SINK;
            }
        }
        void done(stsync_status status, std::string_view name) const {
            if (failure)
                std::rethrow_exception(failure);
            if (status != STSYNC_OK && status != STSYNC_NOT_FOUND)
                throw Error(status, "The host did not give the value of \"" + std::string(name) +
                                        "\" (status " + std::to_string(status) + ").");
        }
    };

    template <class Table>
    const Table* table(const char* id) const noexcept {
        return static_cast<const Table*>(host_->query(host_, id));
    }

    template <class Call>
    static std::optional<std::string> single(Call&& call, std::string_view name) {
        std::vector<std::string> values;
        Collector collector{&values, nullptr};
        const stsync_text_sink sink = collector.sink();
        collector.done(call(&sink), name);
        if (values.empty())
            return std::nullopt;
        return std::move(values.front());
    }

    static std::optional<std::filesystem::path> as_path(const std::optional<std::string>& text) {
        if (!text)
            return std::nullopt;
        return path_from_utf8(*text);
    }

    const stsync_host* host_;
    const stsync_host_log_v1* log_;
    const stsync_host_config_v1* config_;
    const stsync_host_secrets_v1* secrets_;
    const stsync_host_staging_v1* staging_;
    const stsync_host_clock_v1* clock_;
    const stsync_host_kv_v1* kv_;
};

} // namespace stationsync::sdk
