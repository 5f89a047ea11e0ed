// Everything that a plugin needs: include this, derive from Provider or Discovery, and end the file
// with one of the macros below.
//
//   STSYNC_PROVIDER(Notes, "org.example.notes", "Notes folder", "1.0.0")
#pragma once

#include "detail/discovery_table.hpp"
#include "detail/provider_table.hpp"
#include "discovery.hpp"
#include "files.hpp"
#include "guarded.hpp"
#include "host_ref.hpp"
#include "mark.hpp"
#include "op.hpp"
#include "options.hpp"
#include "paths.hpp"
#include "provider.hpp"

namespace stationsync::sdk::detail {

constexpr stsync_str static_text(std::string_view text) noexcept {
    return {text.data(), text.size()};
}

constexpr stsync_descriptor make_descriptor(std::uint32_t kind, const Options& options,
                                            std::string_view id, std::string_view name,
                                            std::string_view version) noexcept {
    return {sizeof(stsync_descriptor),
            kind,
            options.flags,
            options.max_parallel,
            options.default_timeout_ms,
            0,
            static_text(id),
            static_text(name),
            static_text(version),
            static_text(options.vendor),
            static_text(options.package_extension),
            static_text(options.config_schema)};
}

// Answers `create` of a module with one descriptor.
template <class Make>
stsync_status create_instance(const stsync_descriptor& descriptor, stsync_str id,
                              const stsync_text_sink* fail, const stsync_instance** out,
                              Make&& make) noexcept {
    const auto report = [fail](stsync_status, std::string_view text, std::uint64_t) noexcept {
        fail->emit(fail->ctx, to_abi(text));
    };
    return guarded_by(report, [&] {
        if (view(id) != view(descriptor.id))
            throw Error(STSYNC_NOT_FOUND, "This plugin has no \"" + copy(id) + "\", only \"" +
                                              copy(descriptor.id) + "\".");
        *out = make();
    });
}

} // namespace stationsync::sdk::detail

#define STSYNC_DETAIL_PLUGIN(Type, kind, make, id, name, version)                                  \
    namespace {                                                                                    \
    constexpr stsync_descriptor stsync_plugin_descriptor =                                         \
        ::stationsync::sdk::detail::make_descriptor(                                               \
            kind, ::stationsync::sdk::detail::OptionsOf<Type>::value, id, name, version);          \
    const stsync_descriptor* STSYNC_CALL stsync_plugin_describe(std::uint32_t index) noexcept {    \
        return index == 0 ? &stsync_plugin_descriptor : nullptr;                                   \
    }                                                                                              \
    stsync_status STSYNC_CALL stsync_plugin_create(const stsync_host* host, stsync_str wanted,     \
                                                   const stsync_text_sink* fail,                   \
                                                   const stsync_instance** out) noexcept {         \
        return ::stationsync::sdk::detail::create_instance(                                        \
            stsync_plugin_descriptor, wanted, fail, out,                                           \
            [host] { return ::stationsync::sdk::detail::make<Type>(host); });                      \
    }                                                                                              \
    constexpr stsync_module stsync_plugin_module = {                                               \
        sizeof(stsync_module),                                                                     \
        STSYNC_ABI_MAJOR,                                                                          \
        STSYNC_ABI_MINOR,                                                                          \
        1,                                                                                         \
        ::stationsync::sdk::detail::static_text(STSYNC_SDK_VERSION),                               \
        &stsync_plugin_describe,                                                                   \
        &stsync_plugin_create};                                                                    \
    }                                                                                              \
    extern "C" STSYNC_EXPORT const stsync_module* STSYNC_CALL stsync_plugin_v1(                    \
        std::uint32_t) noexcept {                                                                  \
        return &stsync_plugin_module;                                                              \
    }

// The plugin consists of one provider: Type is constructed from a sdk::Host and throws sdk::Error
// when its configuration is wrong.
#define STSYNC_PROVIDER(Type, id, name, version)                                                   \
    STSYNC_DETAIL_PLUGIN(Type, STSYNC_KIND_PROVIDER, make_provider, id, name, version)

// The same for one discovery.
#define STSYNC_DISCOVERY(Type, id, name, version)                                                  \
    STSYNC_DETAIL_PLUGIN(Type, STSYNC_KIND_DISCOVERY, make_discovery, id, name, version)
