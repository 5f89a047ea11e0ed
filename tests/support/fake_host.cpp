#include "support/fake_host.hpp"

#include <stationsync/text.hpp>
#include <stationsync/version.h>

#include <chrono>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>

namespace stationsync::test {

namespace fs = std::filesystem;
using sdk::copy;
using sdk::to_abi;

// The C functions, apart from the class so that they can be named in static tables.
struct FakeServices {
    static FakeHost& self(const stsync_host* host) noexcept {
        return *static_cast<FakeHost*>(host->ctx);
    }

    static stsync_status give(const stsync_text_sink* sink, std::string_view text) noexcept {
        return sink->emit(sink->ctx, to_abi(text)) == STSYNC_OK ? STSYNC_OK
                                                                : STSYNC_STOPPED_BY_SINK;
    }

    static stsync_status write(const stsync_host* host, std::uint32_t level, stsync_str code,
                               stsync_str key, stsync_str text) noexcept {
        const std::lock_guard lock(self(host).mutex_);
        self(host).log_.push_back({level, copy(code), copy(key), copy(text)});
        return STSYNC_OK;
    }

    static stsync_status config_get(const stsync_host* host, stsync_str name,
                                    const stsync_text_sink* sink) noexcept {
        const FakeHost& me = self(host);
        {
            const std::lock_guard lock(me.mutex_);
            if (me.secrets.contains(copy(name)))
                return STSYNC_DENIED;
        }
        const auto found = me.config.find(copy(name));
        if (found == me.config.end())
            return STSYNC_NOT_FOUND;
        if (found->second.size() != 1)
            return STSYNC_INVALID_ARG;
        return give(sink, found->second.front());
    }

    static stsync_status config_list(const stsync_host* host, stsync_str name,
                                     const stsync_text_sink* sink) noexcept {
        const auto found = self(host).config.find(copy(name));
        if (found == self(host).config.end())
            return STSYNC_NOT_FOUND;
        for (const std::string& value : found->second)
            if (const stsync_status status = give(sink, value); status != STSYNC_OK)
                return status;
        return STSYNC_OK;
    }

    static stsync_status secret_get(const stsync_host* host, stsync_str name,
                                    const stsync_text_sink* sink) noexcept {
        std::string value;
        {
            const std::lock_guard lock(self(host).mutex_);
            const auto found = self(host).secrets.find(copy(name));
            if (found == self(host).secrets.end())
                return STSYNC_NOT_FOUND;
            value = found->second;
        }
        return give(sink, value);
    }

    static stsync_status scratch(const stsync_host* host, stsync_str,
                                 const stsync_text_sink* sink) noexcept {
        if (self(host).scratch.empty())
            return STSYNC_NOT_FOUND;
        return give(sink, self(host).scratch.string());
    }

    static stsync_status cache(const stsync_host* host, const stsync_text_sink* sink) noexcept {
        if (self(host).cache.empty())
            return STSYNC_NOT_FOUND;
        return give(sink, self(host).cache.string());
    }

    static stsync_status free_space(const stsync_host* host, stsync_str path,
                                    std::uint64_t* bytes) noexcept {
        if (self(host).free_bytes) {
            *bytes = *self(host).free_bytes;
            return STSYNC_OK;
        }
        std::error_code code;
        fs::path existing = fs::path(copy(path));
        while (!fs::exists(existing, code) && existing.has_relative_path())
            existing = existing.parent_path();
        const fs::space_info space = fs::space(existing, code);
        if (code)
            return STSYNC_INTERNAL;
        *bytes = space.available;
        return STSYNC_OK;
    }

    static stsync_status utc_now(const stsync_host* host, stsync_time* out) noexcept {
        const std::lock_guard lock(self(host).mutex_);
        const auto now = std::chrono::system_clock::now().time_since_epoch();
        *out = std::chrono::duration_cast<std::chrono::microseconds>(now).count() +
               self(host).clock_offset_;
        return STSYNC_OK;
    }

    static stsync_status monotonic(const stsync_host*, std::int64_t* out) noexcept {
        const auto now = std::chrono::steady_clock::now().time_since_epoch();
        *out = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
        return STSYNC_OK;
    }

    static stsync_status kv_get(const stsync_host* host, stsync_str key,
                                const stsync_text_sink* sink) noexcept {
        const auto value = self(host).kv(copy(key));
        return value ? give(sink, *value) : STSYNC_NOT_FOUND;
    }

    static stsync_status kv_put(const stsync_host* host, const stsync_pair* pairs,
                                std::uint32_t count) noexcept {
        const std::lock_guard lock(self(host).mutex_);
        self(host).load_kv();
        for (std::uint32_t i = 0; i < count; ++i) {
            if (pairs[i].value.data == nullptr)
                self(host).kv_.erase(copy(pairs[i].name));
            else
                self(host).kv_[copy(pairs[i].name)] = copy(pairs[i].value);
        }
        self(host).save_kv();
        return STSYNC_OK;
    }

    static const void* query(const stsync_host* host, const char* id) noexcept {
        static constexpr stsync_host_log_v1 log{sizeof log, 0, &write};
        static constexpr stsync_host_config_v1 config{sizeof config, 0, &config_get, &config_list};
        static constexpr stsync_host_secrets_v1 secrets{sizeof secrets, 0, &secret_get};
        static constexpr stsync_host_staging_v1 staging{sizeof staging, 0, &scratch, &cache,
                                                        &free_space};
        static constexpr stsync_host_clock_v1 clock{sizeof clock, 0, &utc_now, &monotonic};
        static constexpr stsync_host_kv_v1 kv{sizeof kv, 0, &kv_get, &kv_put};
        if (self(host).missing.contains(id))
            return nullptr;
        const std::string_view wanted(id);
        if (wanted == STSYNC_HOST_LOG_V1)
            return &log;
        if (wanted == STSYNC_HOST_CONFIG_V1)
            return &config;
        if (wanted == STSYNC_HOST_SECRETS_V1)
            return &secrets;
        if (wanted == STSYNC_HOST_STAGING_V1)
            return &staging;
        if (wanted == STSYNC_HOST_CLOCK_V1)
            return &clock;
        if (wanted == STSYNC_HOST_KV_V1)
            return &kv;
        return nullptr;
    }
};

FakeHost::FakeHost() {
    abi_ = {sizeof(stsync_host), STSYNC_ABI_MAJOR, STSYNC_ABI_MINOR,         0,
            to_abi("fake host"), to_abi("1.0.0"),  static_cast<void*>(this), &FakeServices::query};
}

std::vector<LogLine> FakeHost::log() const {
    const std::lock_guard lock(mutex_);
    return log_;
}

std::size_t FakeHost::count_log(const std::string& code) const {
    std::size_t count = 0;
    for (const LogLine& line : log())
        count += line.code == code ? 1u : 0u;
    return count;
}

void FakeHost::spoil_kv(const std::string& prefix) {
    const std::lock_guard lock(mutex_);
    load_kv();
    for (auto& [key, value] : kv_)
        if (key.rfind(prefix, 0) == 0)
            value = "nobody has written this";
    save_kv();
}

std::optional<std::string> FakeHost::kv(const std::string& key) const {
    const std::lock_guard lock(mutex_);
    load_kv();
    const auto found = kv_.find(key);
    if (found == kv_.end())
        return std::nullopt;
    return found->second;
}

// Lengths and bytes; written beside and renamed, so that a process killed here leaves a whole file.
void FakeHost::load_kv() const {
    if (kv_file.empty())
        return;
    kv_.clear();
    std::ifstream file(kv_file, std::ios::binary);
    for (std::size_t name = 0, value = 0; file >> name >> value && file.get() == ' ';) {
        std::string bytes(name + value, '\0');
        file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        kv_[bytes.substr(0, name)] = bytes.substr(name);
    }
}

void FakeHost::save_kv() const {
    if (kv_file.empty())
        return;
    std::filesystem::path beside = kv_file;
    beside += ".new";
    std::ofstream file(beside, std::ios::binary | std::ios::trunc);
    for (const auto& [name, value] : kv_)
        file << name.size() << ' ' << value.size() << ' ' << name << value;
    file.close();
    std::filesystem::rename(beside, kv_file);
}

void FakeHost::set_secret(const std::string& key, const std::string& value) {
    const std::lock_guard lock(mutex_);
    secrets[key] = value;
}

void FakeHost::set_clock_offset(stsync_time offset) {
    const std::lock_guard lock(mutex_);
    clock_offset_ = offset;
}

struct FakeOpCalls {
    static FakeOp& self(const stsync_op* op) noexcept { return *static_cast<FakeOp*>(op->ctx); }

    static stsync_status cancelled(const stsync_op* op) noexcept {
        FakeOp& me = self(op);
        std::function<void()> action;
        stsync_status answer = STSYNC_OK;
        {
            const std::lock_guard lock(me.mutex_);
            ++me.polls_;
            const auto found = me.poll_actions_.find(me.polls_);
            if (found != me.poll_actions_.end())
                action = found->second;
            if (me.cancel_poll_ != 0 && me.polls_ >= me.cancel_poll_ && !me.committed_)
                answer = me.cancel_status_;
        }
        if (action)
            action();
        return answer;
    }

    static stsync_status progress(const stsync_op* op, std::uint64_t done, std::uint64_t total,
                                  std::uint32_t, stsync_str what) noexcept {
        const std::lock_guard lock(self(op).mutex_);
        self(op).progress_.push_back({done, total, copy(what)});
        return STSYNC_OK;
    }

    static stsync_status fail(const stsync_op* op, stsync_status code, std::uint64_t,
                              stsync_str text) noexcept {
        const std::lock_guard lock(self(op).mutex_);
        self(op).failed_code_ = code;
        self(op).failed_text_ = copy(text);
        return STSYNC_OK;
    }

    static stsync_status begin_commit(const stsync_op* op) noexcept {
        FakeOp& me = self(op);
        if (me.commit_action_)
            std::exchange(me.commit_action_, nullptr)();
        const std::lock_guard lock(me.mutex_);
        if (me.cancel_poll_ != 0 && me.polls_ >= me.cancel_poll_ && !me.committed_)
            return me.cancel_status_;
        me.committed_ = true;
        return STSYNC_OK;
    }
};

FakeOp::FakeOp() {
    abi_ = {sizeof(stsync_op),
            0,
            1,
            0,
            static_cast<void*>(this),
            &FakeOpCalls::cancelled,
            &FakeOpCalls::progress,
            &FakeOpCalls::fail,
            &FakeOpCalls::begin_commit};
}

void FakeOp::cancel_at_poll(std::uint64_t n, stsync_status status) {
    const std::lock_guard lock(mutex_);
    cancel_poll_ = n;
    cancel_status_ = status;
}

void FakeOp::at_poll(std::uint64_t n, std::function<void()> action) {
    const std::lock_guard lock(mutex_);
    poll_actions_[n] = std::move(action);
}

void FakeOp::at_commit(std::function<void()> action) {
    commit_action_ = std::move(action);
}

} // namespace stationsync::test
