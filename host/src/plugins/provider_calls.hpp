// The calls of "stsync.provider/1" as plain blocking functions with results in the engine's terms.
#pragma once

#include "plugins/host_services.hpp"
#include "plugins/operation.hpp"
#include "plugins/plugin_library.hpp"
#include "stationsync/core/event.hpp"
#include "stationsync/provider_selftest.h"
#include "stationsync/provider_watch.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace stationsync::host {

struct CallOutcome {
    core::JobStatus status = core::JobStatus::ok;
    std::string text;             // why not
    core::Duration retry_after{}; // the plugin's wish; 0: none
};
struct CompatOutcome : CallOutcome {
    std::vector<core::Token> tokens;
};
struct ExportOutcome : CallOutcome {
    core::Mark mark;
    std::uint64_t bytes = 0;
    std::optional<core::Digest> digest;
};
struct VerifyOutcome : CallOutcome {
    std::optional<core::Digest> digest;
};
struct SelfTestFinding {
    std::uint32_t severity = 0; // STSYNC_FINDING_*
    std::string code;
    std::string text;
    std::string remedy;
};
struct SelfTestOutcome : CallOutcome {
    bool offered = false; // the plugin has a self-test
    std::vector<SelfTestFinding> findings;
};
struct ApplyOutcome : CallOutcome {
    core::Mark mark;
    std::optional<core::WallTime> changed_at;
};

// What the engine does about a status of the ABI.
[[nodiscard]] core::JobStatus job_status(stsync_status status);

// One instance of a provider plugin. Functions marked [worker] may run side by side up to the
// kind's max_parallel, never two for one key; the caller sees to that. Everything else: one at a
// time.
class ProviderCalls {
public:
    // Creates the instance. Null with a sentence in `error` when the plugin refuses. Blocking.
    static std::unique_ptr<ProviderCalls> create(const PluginKind& kind, InstanceSettings settings,
                                                 std::string& error);
    ~ProviderCalls(); // destroy; no other call may be running
    ProviderCalls(const ProviderCalls&) = delete;
    ProviderCalls& operator=(const ProviderCalls&) = delete;

    [[nodiscard]] const PluginKind& kind() const { return kind_; }
    [[nodiscard]] const std::string& name() const { return services_.settings().name; }

    CallOutcome recover(Operation& op);
    // "stsync.provider.selftest/1"; also before recover and after it failed.
    SelfTestOutcome self_test(Operation& op);                                        // [worker]
    CompatOutcome compat(Operation& op);                                             // [worker]
    CallOutcome check_compat(Operation& op, const std::vector<core::Token>& tokens); // [worker]
    // Batches of objects and faults, on the calling thread.
    using Batch =
        std::function<void(std::vector<core::ObservedObject>, std::vector<core::ObservedFault>)>;
    CallOutcome scan(Operation& op, const std::vector<std::string>& keys, bool reread,
                     const Batch& batch); // [worker]
    ExportOutcome export_object(Operation& op, const std::string& key,
                                const std::filesystem::path& package); // [worker]
    VerifyOutcome verify(Operation& op, const std::string& key,
                         const std::filesystem::path& package); // [worker]
    ApplyOutcome apply(Operation& op, const std::string& key, const std::filesystem::path& package,
                       const core::ApplyId& id, const core::Mark& expected,
                       core::WallTime changed_at); // [worker]

    // Hints from any thread until stop_watch returned. False: the plugin cannot watch (`error`
    // empty) or failed to.
    struct Hints {
        std::function<void(std::string key)> changed;
        std::function<void(std::string text)> lost;
    };
    bool start_watch(Hints hints, std::string& error);
    void stop_watch();

private:
    ProviderCalls(const PluginKind& kind, InstanceSettings settings);

    const PluginKind& kind_;
    HostServices services_;
    const stsync_instance* instance_ = nullptr;
    const stsync_provider_v1* table_ = nullptr;
    const stsync_provider_watch_v1* watch_ = nullptr;
    const stsync_provider_selftest_v1* self_test_ = nullptr;
    Hints hints_;
    stsync_watch_sink watch_sink_{};
    bool watching_ = false;
};

} // namespace stationsync::host
