#include "plugins/provider_calls.hpp"

#include "base/path_text.hpp"
#include "plugins/key_rules.hpp"

#include <algorithm>
#include <cstring>

namespace stationsync::host {

namespace {

constexpr std::size_t batch_objects_max = 1000;

core::Mark mark_from(const stsync_mark& mark) {
    return {reinterpret_cast<const char*>(mark.bytes),
            std::min<std::size_t>(mark.len, STSYNC_MARK_MAX)};
}

stsync_mark mark_to(const core::Mark& mark) {
    stsync_mark out{};
    out.len = static_cast<std::uint8_t>(std::min<std::size_t>(mark.size(), STSYNC_MARK_MAX));
    std::memcpy(out.bytes, mark.data(), out.len);
    return out;
}

std::optional<core::Digest> digest_from(const stsync_digest& digest) {
    if (digest.len != 32)
        return std::nullopt;
    core::Digest out;
    std::memcpy(out.bytes.data(), digest.bytes, 32);
    return out;
}

std::optional<core::WallTime> time_from(stsync_time time) {
    return time == STSYNC_TIME_NONE ? std::nullopt : std::optional(core::WallTime{time});
}

// Field of a struct that may be older, and so shorter, than ours.
#define STSYNC_HAS(pointer, field)                                                                 \
    ((pointer)->size >=                                                                            \
     offsetof(std::remove_cvref_t<decltype(*(pointer))>, field) + sizeof((pointer)->field))

struct ScanCollector {
    const PluginKind& kind;
    const ProviderCalls::Batch& batch;
    std::vector<core::ObservedObject> objects;
    std::vector<core::ObservedFault> faults;

    void flush() {
        if (!objects.empty() || !faults.empty())
            batch(std::move(objects), std::move(faults));
        objects.clear();
        faults.clear();
    }
    void flush_if_full() {
        if (objects.size() + faults.size() >= batch_objects_max)
            flush();
    }
};

stsync_status STSYNC_CALL take_object(void* ctx, const stsync_object* object) noexcept {
    try {
        auto& collector = *static_cast<ScanCollector*>(ctx);
        core::ObservedObject seen;
        seen.key = copy_text(object->key);
        if (seen.key.empty() || seen.key.size() > 4096 || object->mark.len == 0)
            return STSYNC_INVALID_ARG;
        seen.mark = mark_from(object->mark);
        seen.bytes = object->byte_count;
        seen.changed_at = time_from(object->changed_at);
        seen.changed_not_before = time_from(object->changed_not_before);
        seen.restored = (object->flags & STSYNC_OBJECT_RESTORED) != 0;
        seen.time_uncertain = (object->flags & STSYNC_OBJECT_TIME_UNCERTAIN) != 0;
        seen.read_only = (object->flags & STSYNC_OBJECT_READ_ONLY) != 0;
        if (collector.kind.keys_are_paths) {
            if (std::string why = why_path_refused(seen.key); !why.empty()) {
                collector.faults.push_back(
                    {seen.key, false,
                     "'" + seen.key + "' is not synchronized: " + why + "; rename it"});
                return STSYNC_OK;
            }
            seen.folded_key = folded_path(seen.key);
        }
        collector.objects.push_back(std::move(seen));
        collector.flush_if_full();
        return STSYNC_OK;
    } catch (...) {
        return STSYNC_INTERNAL;
    }
}

stsync_status STSYNC_CALL take_fault(void* ctx, const stsync_fault* fault) noexcept {
    try {
        auto& collector = *static_cast<ScanCollector*>(ctx);
        collector.faults.push_back({copy_text(fault->key),
                                    (fault->flags & STSYNC_FAULT_SUBTREE) != 0,
                                    copy_text(fault->text)});
        collector.flush_if_full();
        return STSYNC_OK;
    } catch (...) {
        return STSYNC_INTERNAL;
    }
}

stsync_status STSYNC_CALL take_token(void* ctx, const stsync_token* token) noexcept {
    try {
        auto& tokens = *static_cast<std::vector<core::Token>*>(ctx);
        // The engine counts from 0 (exact), the ABI from 1.
        tokens.push_back({copy_text(token->name), copy_text(token->value),
                          token->kind == 0 ? 0 : token->kind - 1});
        return STSYNC_OK;
    } catch (...) {
        return STSYNC_INTERNAL;
    }
}

stsync_status STSYNC_CALL take_text(void* ctx, stsync_str text) noexcept {
    try {
        auto& all = *static_cast<std::string*>(ctx);
        all += (all.empty() ? "" : "; ") + copy_text(text);
        return STSYNC_OK;
    } catch (...) {
        return STSYNC_INTERNAL;
    }
}

stsync_status STSYNC_CALL take_finding(void* ctx, const stsync_finding* finding) noexcept {
    try {
        auto& findings = *static_cast<std::vector<SelfTestFinding>*>(ctx);
        findings.push_back({finding->severity, copy_text(finding->code), copy_text(finding->text),
                            copy_text(finding->remedy)});
        return STSYNC_OK;
    } catch (...) {
        return STSYNC_INTERNAL;
    }
}

stsync_status STSYNC_CALL hint_changed(void* ctx, stsync_str key) noexcept {
    try {
        static_cast<ProviderCalls::Hints*>(ctx)->changed(copy_text(key));
        return STSYNC_OK;
    } catch (...) {
        return STSYNC_INTERNAL;
    }
}

stsync_status STSYNC_CALL hint_lost(void* ctx, stsync_str text) noexcept {
    try {
        static_cast<ProviderCalls::Hints*>(ctx)->lost(copy_text(text));
        return STSYNC_OK;
    } catch (...) {
        return STSYNC_INTERNAL;
    }
}

void conclude(CallOutcome& outcome, stsync_status status, const Operation& op) {
    outcome.status = job_status(status);
    if (status == STSYNC_OK)
        return;
    outcome.text = op.failure(status);
    outcome.retry_after = op.retry_after();
}

} // namespace

core::JobStatus job_status(stsync_status status) {
    switch (status) {
    case STSYNC_OK:
        return core::JobStatus::ok;
    case STSYNC_CANCELLED:
        return core::JobStatus::cancelled;
    case STSYNC_TIMEOUT:
    case STSYNC_BUSY:
        return core::JobStatus::busy;
    case STSYNC_NOT_FOUND:
        return core::JobStatus::not_found;
    case STSYNC_CONFLICT:
        return core::JobStatus::changed;
    case STSYNC_INCOMPATIBLE:
        return core::JobStatus::incompatible;
    case STSYNC_CORRUPT:
        return core::JobStatus::corrupt;
    case STSYNC_NO_SPACE:
        return core::JobStatus::no_space;
    case STSYNC_DENIED:
        return core::JobStatus::denied;
    default:
        return core::JobStatus::failed;
    }
}

ProviderCalls::ProviderCalls(const PluginKind& kind, InstanceSettings settings)
    : kind_(kind), services_(std::move(settings)) {}

std::unique_ptr<ProviderCalls>
ProviderCalls::create(const PluginKind& kind, InstanceSettings settings, std::string& error) {
    std::unique_ptr<ProviderCalls> calls(new ProviderCalls(kind, std::move(settings)));
    std::string reason;
    const stsync_text_sink fail{sizeof(stsync_text_sink), 0, &reason, take_text};
    const stsync_status status =
        kind.module->create(calls->services_.host(), view_of(kind.id), &fail, &calls->instance_);
    if (status != STSYNC_OK || !calls->instance_) {
        calls->instance_ = nullptr;
        error = reason.empty() ? "the plugin '" + kind.id + "' refused to start with status " +
                                     std::to_string(status)
                               : reason;
        return nullptr;
    }
    calls->table_ = static_cast<const stsync_provider_v1*>(
        calls->instance_->query(calls->instance_, STSYNC_PROVIDER_V1));
    calls->watch_ = static_cast<const stsync_provider_watch_v1*>(
        calls->instance_->query(calls->instance_, STSYNC_PROVIDER_WATCH_V1));
    calls->self_test_ = static_cast<const stsync_provider_selftest_v1*>(
        calls->instance_->query(calls->instance_, STSYNC_PROVIDER_SELFTEST_V1));
    const stsync_provider_v1* const table = calls->table_;
    if (!table || !table->recover || !table->compat || !table->check_compat || !table->scan ||
        !table->export_object || !table->verify || !table->apply) {
        error = "the plugin '" + kind.id +
                "' lacks a function of " STSYNC_PROVIDER_V1 "; rebuild it with the SDK";
        return nullptr;
    }
    return calls;
}

ProviderCalls::~ProviderCalls() {
    stop_watch();
    if (instance_)
        instance_->destroy(instance_);
}

CallOutcome ProviderCalls::recover(Operation& op) {
    CallOutcome outcome;
    conclude(outcome, table_->recover(instance_, op.op()), op);
    return outcome;
}

SelfTestOutcome ProviderCalls::self_test(Operation& op) {
    SelfTestOutcome outcome;
    outcome.offered = self_test_ != nullptr && self_test_->run != nullptr;
    if (!outcome.offered)
        return outcome;
    const stsync_finding_sink sink{sizeof(stsync_finding_sink), 0, &outcome.findings, take_finding};
    conclude(outcome, self_test_->run(instance_, op.op(), &sink), op);
    return outcome;
}

CompatOutcome ProviderCalls::compat(Operation& op) {
    CompatOutcome outcome;
    const stsync_token_sink sink{sizeof(stsync_token_sink), 0, &outcome.tokens, take_token};
    conclude(outcome, table_->compat(instance_, op.op(), &sink), op);
    return outcome;
}

CallOutcome ProviderCalls::check_compat(Operation& op, const std::vector<core::Token>& tokens) {
    CallOutcome outcome;
    std::vector<stsync_token> views;
    views.reserve(tokens.size());
    for (const core::Token& token : tokens)
        views.push_back(
            {sizeof(stsync_token), token.kind + 1, view_of(token.name), view_of(token.value)});
    std::string reasons;
    const stsync_text_sink sink{sizeof(stsync_text_sink), 0, &reasons, take_text};
    const stsync_status status =
        table_->check_compat(instance_, op.op(), views.data(),
                             static_cast<std::uint32_t>(views.size()), sizeof(stsync_token), &sink);
    conclude(outcome, status, op);
    if (!reasons.empty())
        outcome.text = reasons;
    return outcome;
}

CallOutcome ProviderCalls::scan(Operation& op, const std::vector<std::string>& keys, bool reread,
                                const Batch& batch) {
    CallOutcome outcome;
    std::vector<stsync_str> views;
    views.reserve(keys.size());
    for (const std::string& key : keys)
        views.push_back(view_of(key));
    const stsync_scan_scope scope{sizeof(stsync_scan_scope),
                                  keys.empty() ? std::uint32_t{STSYNC_SCOPE_ALL}
                                               : STSYNC_SCOPE_KEYS,
                                  reread ? STSYNC_SCAN_REREAD : 0u,
                                  0,
                                  views.data(),
                                  views.size()};
    ScanCollector collector{kind_, batch, {}, {}};
    const stsync_object_sink sink{sizeof(stsync_object_sink), 0, &collector, take_object,
                                  take_fault};
    conclude(outcome, table_->scan(instance_, op.op(), &scope, &sink), op);
    collector.flush();
    return outcome;
}

ExportOutcome ProviderCalls::export_object(Operation& op, const std::string& key,
                                           const std::filesystem::path& package) {
    ExportOutcome outcome;
    stsync_export_result result{};
    result.size = sizeof(result);
    const std::string path = path_text(package);
    conclude(outcome,
             table_->export_object(instance_, op.op(), view_of(key), view_of(path), &result), op);
    outcome.mark = mark_from(result.mark);
    outcome.bytes = result.byte_count;
    outcome.digest = digest_from(result.content_digest);
    return outcome;
}

VerifyOutcome ProviderCalls::verify(Operation& op, const std::string& key,
                                    const std::filesystem::path& package) {
    VerifyOutcome outcome;
    stsync_verify_result result{};
    result.size = sizeof(result);
    const std::string path = path_text(package);
    conclude(outcome, table_->verify(instance_, op.op(), view_of(key), view_of(path), &result), op);
    outcome.digest = digest_from(result.content_digest);
    return outcome;
}

ApplyOutcome ProviderCalls::apply(Operation& op, const std::string& key,
                                  const std::filesystem::path& package, const core::ApplyId& id,
                                  const core::Mark& expected, core::WallTime changed_at) {
    ApplyOutcome outcome;
    stsync_apply_info info{};
    info.size = sizeof(info);
    std::memcpy(info.apply_id.bytes, id.bytes.data(), sizeof(info.apply_id.bytes));
    info.expected = mark_to(expected);
    info.changed_at = changed_at.us;
    stsync_apply_result result{};
    result.size = sizeof(result);
    result.changed_at = STSYNC_TIME_NONE;
    const std::string path = path_text(package);
    conclude(outcome,
             table_->apply(instance_, op.op(), view_of(key), view_of(path), &info, &result), op);
    outcome.mark = mark_from(result.mark);
    outcome.changed_at = time_from(result.changed_at);
    return outcome;
}

bool ProviderCalls::start_watch(Hints hints, std::string& error) {
    if (!watch_ || !watch_->start || !watch_->stop)
        return false;
    stop_watch();
    hints_ = std::move(hints);
    watch_sink_ = {sizeof(stsync_watch_sink), 0, &hints_, hint_changed, hint_lost};
    Operation op;
    const stsync_status status = watch_->start(instance_, op.op(), &watch_sink_);
    watching_ = status == STSYNC_OK;
    if (!watching_)
        error = op.failure(status);
    return watching_;
}

void ProviderCalls::stop_watch() {
    if (watching_)
        watch_->stop(instance_);
    watching_ = false;
}

} // namespace stationsync::host
