// The C functions of a provider: views are copied in, keys checked, exceptions kept inside.
#pragma once

#include "../guarded.hpp"
#include "../options.hpp"
#include "../provider.hpp"

#include <memory>

namespace stationsync::sdk::detail {

// Behind stsync_instance.self of a provider.
struct ProviderInstance {
    stsync_instance abi{};
    std::unique_ptr<Provider> provider;
    Watch* watch = nullptr;
    SelfTest* self_test = nullptr;
    std::uint32_t flags = 0;
};

inline ProviderInstance& self(const stsync_instance* instance) noexcept {
    return *static_cast<ProviderInstance*>(instance->self);
}

inline std::string checked_key(const ProviderInstance& instance, stsync_str key) {
    const std::string_view text = view(key);
    const auto problem =
        (instance.flags & STSYNC_KEYS_ARE_PATHS) != 0 ? path_key_problem(text) : key_problem(text);
    if (problem) {
        const std::string shown = is_valid_utf8(text) ? std::string(text.substr(0, 200)) : "?";
        throw Error(STSYNC_INVALID_ARG,
                    "The name \"" + shown + "\" is not allowed: " + *problem + ".");
    }
    return std::string(text);
}

inline std::filesystem::path checked_path(stsync_str path) {
    std::filesystem::path result = path_from_utf8(view(path));
    if (!result.is_absolute())
        throw Error(STSYNC_INVALID_ARG, "The host gave a path that is not absolute.");
    return result;
}

// Copies what both sides know of a struct that the caller sized.
template <class T>
void fill(T* out, T made) noexcept {
    const std::uint32_t size = out->size < sizeof(T) ? out->size : std::uint32_t{sizeof(T)};
    made.size = out->size;
    std::memcpy(static_cast<void*>(out), &made, size);
}

template <class T>
T read(const T* in) noexcept {
    T made{};
    std::memcpy(static_cast<void*>(&made), in, in->size < sizeof(T) ? in->size : sizeof(T));
    return made;
}

inline stsync_status STSYNC_CALL provider_recover(const stsync_instance* instance,
                                                  const stsync_op* op) noexcept {
    return guarded(op, [&] {
        Op call(op);
        self(instance).provider->recover(call);
    });
}

inline stsync_status STSYNC_CALL provider_compat(const stsync_instance* instance,
                                                 const stsync_op* op,
                                                 const stsync_token_sink* sink) noexcept {
    return guarded(op, [&] {
        Op call(op);
        for (const Token& token : self(instance).provider->compat(call)) {
            const stsync_token raw{sizeof raw, token.kind, to_abi(token.name), to_abi(token.value)};
            if (sink->emit(sink->ctx, &raw) != STSYNC_OK)
                throw StoppedBySink();
        }
    });
}

inline stsync_status STSYNC_CALL provider_check_compat(const stsync_instance* instance,
                                                       const stsync_op* op,
                                                       const stsync_token* tokens,
                                                       std::uint32_t count, std::uint32_t stride,
                                                       const stsync_text_sink* sink) noexcept {
    return guarded(op, [&] {
        Op call(op);
        std::vector<Token> remote;
        const auto* at = reinterpret_cast<const unsigned char*>(tokens);
        for (std::uint32_t i = 0; i < count; ++i, at += stride) {
            const stsync_token raw = read(reinterpret_cast<const stsync_token*>(at));
            remote.push_back({raw.kind, copy(raw.name), copy(raw.value)});
        }
        const auto reasons = self(instance).provider->check_compat(call, remote);
        for (const std::string& reason : reasons)
            if (sink->emit(sink->ctx, to_abi(reason)) != STSYNC_OK)
                throw StoppedBySink();
        if (!reasons.empty())
            throw Error(STSYNC_INCOMPATIBLE, reasons.front());
    });
}

inline stsync_status STSYNC_CALL provider_scan(const stsync_instance* instance, const stsync_op* op,
                                               const stsync_scan_scope* raw_scope,
                                               const stsync_object_sink* sink) noexcept {
    return guarded(op, [&] {
        Op call(op);
        const Scope scope(read(raw_scope));
        ObjectSink out(sink, &scope);
        self(instance).provider->scan(call, scope, out);
    });
}

inline stsync_status STSYNC_CALL provider_export(const stsync_instance* instance,
                                                 const stsync_op* op, stsync_str key,
                                                 stsync_str package,
                                                 stsync_export_result* out) noexcept {
    return guarded(op, [&] {
        Op call(op);
        ProviderInstance& me = self(instance);
        const std::filesystem::path path = checked_path(package);
        const ExportResult result = me.provider->export_object(call, checked_key(me, key), path);
        stsync_export_result made{};
        made.mark = result.mark.raw();
        made.byte_count = result.byte_count;
        made.content_digest = to_abi(result.content_digest);
        fill(out, made);
    });
}

inline stsync_status STSYNC_CALL provider_verify(const stsync_instance* instance,
                                                 const stsync_op* op, stsync_str key,
                                                 stsync_str package,
                                                 stsync_verify_result* out) noexcept {
    return guarded(op, [&] {
        Op call(op);
        ProviderInstance& me = self(instance);
        stsync_verify_result made{};
        made.content_digest =
            to_abi(me.provider->verify(call, checked_key(me, key), checked_path(package)));
        fill(out, made);
    });
}

inline stsync_status STSYNC_CALL provider_apply(const stsync_instance* instance,
                                                const stsync_op* op, stsync_str key,
                                                stsync_str package,
                                                const stsync_apply_info* raw_info,
                                                stsync_apply_result* out) noexcept {
    return guarded(op, [&] {
        Op call(op);
        ProviderInstance& me = self(instance);
        const stsync_apply_info raw = read(raw_info);
        if ((raw.flags & 0xFF000000u) != 0)
            throw Error(STSYNC_UNSUPPORTED, "The host asks for a kind of apply that this plugin "
                                            "does not know: update the plugin.");
        const ApplyInfo info{raw.apply_id, Mark(raw.expected), raw.changed_at};
        const ApplyResult result =
            me.provider->apply(call, checked_key(me, key), checked_path(package), info);
        stsync_apply_result made{};
        made.mark = result.mark.raw();
        made.changed_at = result.changed_at;
        fill(out, made);
    });
}

inline const stsync_provider_v1* provider_table() noexcept {
    static constexpr stsync_provider_v1 table{sizeof(stsync_provider_v1),
                                              0,
                                              &provider_recover,
                                              &provider_compat,
                                              &provider_check_compat,
                                              &provider_scan,
                                              &provider_export,
                                              &provider_verify,
                                              &provider_apply};
    return &table;
}

inline stsync_status STSYNC_CALL watch_start(const stsync_instance* instance, const stsync_op* op,
                                             const stsync_watch_sink* sink) noexcept {
    return guarded(op, [&] {
        Op call(op);
        self(instance).watch->start_watch(call, WatchSink(sink));
    });
}

inline stsync_status STSYNC_CALL watch_stop(const stsync_instance* instance) noexcept {
    const auto ignore = [](stsync_status, std::string_view, std::uint64_t) noexcept {};
    return guarded_by(ignore, [&] { self(instance).watch->stop_watch(); });
}

inline const stsync_provider_watch_v1* watch_table() noexcept {
    static constexpr stsync_provider_watch_v1 table{sizeof(stsync_provider_watch_v1), 0,
                                                    &watch_start, &watch_stop};
    return &table;
}

inline stsync_status STSYNC_CALL selftest_run(const stsync_instance* instance, const stsync_op* op,
                                              const stsync_finding_sink* sink) noexcept {
    return guarded(op, [&] {
        Op call(op);
        for (const Finding& finding : self(instance).self_test->self_test(call)) {
            const stsync_finding raw{sizeof raw, finding.severity, to_abi(finding.code),
                                     to_abi(finding.text), to_abi(finding.remedy)};
            if (sink->emit(sink->ctx, &raw) != STSYNC_OK)
                throw StoppedBySink();
        }
    });
}

inline const stsync_provider_selftest_v1* selftest_table() noexcept {
    static constexpr stsync_provider_selftest_v1 table{sizeof(stsync_provider_selftest_v1), 0,
                                                       &selftest_run};
    return &table;
}

inline const void* STSYNC_CALL provider_query(const stsync_instance* instance,
                                              const char* id) noexcept {
    const std::string_view wanted(id);
    if (wanted == STSYNC_PROVIDER_V1)
        return provider_table();
    if (wanted == STSYNC_PROVIDER_WATCH_V1 && self(instance).watch != nullptr)
        return watch_table();
    if (wanted == STSYNC_PROVIDER_SELFTEST_V1 && self(instance).self_test != nullptr)
        return selftest_table();
    return nullptr;
}

inline stsync_status STSYNC_CALL provider_destroy(const stsync_instance* instance) noexcept {
    const auto ignore = [](stsync_status, std::string_view, std::uint64_t) noexcept {};
    return guarded_by(ignore, [&] { delete &self(instance); });
}

// Makes an instance around an author's class.
template <class T>
const stsync_instance* make_provider(const stsync_host* host) {
    auto made = std::make_unique<ProviderInstance>();
    auto provider = std::make_unique<T>(Host(host));
    if constexpr (std::is_base_of_v<Watch, T>)
        made->watch = provider.get();
    if constexpr (std::is_base_of_v<SelfTest, T>)
        made->self_test = provider.get();
    made->provider = std::move(provider);
    made->flags = OptionsOf<T>::value.flags;
    made->abi = {sizeof(stsync_instance), 0, made.get(), &provider_query, &provider_destroy};
    return &made.release()->abi;
}

} // namespace stationsync::sdk::detail
