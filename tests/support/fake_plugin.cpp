#include "support/fake_plugin.hpp"

#include <boost/dll/shared_library.hpp>

#include <algorithm>
#include <memory>
#include <stdexcept>

namespace stationsync::test {

namespace fs = std::filesystem;
using sdk::copy;
using sdk::to_abi;

namespace {

stsync_status collect_text(void* ctx, stsync_str text) noexcept {
    static_cast<std::vector<std::string>*>(ctx)->push_back(copy(text));
    return STSYNC_OK;
}

stsync_text_sink sink_into(std::vector<std::string>& texts) {
    return {sizeof(stsync_text_sink), 0, &texts, &collect_text};
}

std::optional<sdk::Digest> from_abi(const stsync_digest& raw) {
    if (raw.len != 32)
        return std::nullopt;
    sdk::Digest digest;
    std::copy(std::begin(raw.bytes), std::end(raw.bytes), digest.begin());
    return digest;
}

stsync_status collect_object(void* ctx, const stsync_object* raw) noexcept {
    auto& scan = *static_cast<ScanOutcome*>(ctx);
    sdk::Object object{copy(raw->key),  sdk::Mark(raw->mark),    raw->byte_count,
                       raw->changed_at, raw->changed_not_before, from_abi(raw->content_digest),
                       raw->flags,      copy(raw->display_name)};
    const std::string key = object.key;
    if (!scan.objects.emplace(key, std::move(object)).second)
        ++scan.duplicates;
    return STSYNC_OK;
}

stsync_status collect_fault(void* ctx, const stsync_fault* raw) noexcept {
    auto& scan = *static_cast<ScanOutcome*>(ctx);
    sdk::Fault fault{copy(raw->key), raw->code, copy(raw->text),
                     (raw->flags & STSYNC_FAULT_SUBTREE) != 0, raw->retry_after_ms};
    const std::string key = fault.key;
    if (!scan.faults.emplace(key, std::move(fault)).second)
        ++scan.duplicates;
    return STSYNC_OK;
}

stsync_status collect_token(void* ctx, const stsync_token* raw) noexcept {
    static_cast<std::vector<sdk::Token>*>(ctx)->push_back(
        {raw->kind, copy(raw->name), copy(raw->value)});
    return STSYNC_OK;
}

stsync_status collect_finding(void* ctx, const stsync_finding* raw) noexcept {
    static_cast<FindingsOutcome*>(ctx)->findings.push_back(
        {raw->severity, copy(raw->code), copy(raw->text), copy(raw->remedy)});
    return STSYNC_OK;
}

// A failure must say why; the ABI asks for it.
template <class Result>
void take(Result& result, stsync_status status, const FakeOp& op) {
    result.status = status;
    result.text = op.failed_text();
    const bool needs_text = status != STSYNC_OK && status != STSYNC_CANCELLED &&
                            status != STSYNC_TIMEOUT && status != STSYNC_STOPPED_BY_SINK;
    if (needs_text && (result.text.empty() || op.failed_code() != status))
        throw std::runtime_error("status " + std::to_string(status) + " was not explained");
}

} // namespace

FakeLibrary::FakeLibrary(const fs::path& file) {
    namespace dll = boost::dll;
    // Never unloaded, and still found by leak checkers.
    static auto* loaded = new std::vector<std::unique_ptr<dll::shared_library>>();
    dll::shared_library* library =
        loaded->emplace_back(std::make_unique<dll::shared_library>()).get();
    library->load(file, dll::load_mode::rtld_now | dll::load_mode::rtld_local);
    const auto entry = library->get<const stsync_module*(std::uint32_t)>(STSYNC_ENTRY_NAME);
    module_ = entry(STSYNC_ABI_MINOR);
    if (module_ == nullptr)
        throw std::runtime_error("the plugin refuses this host");
}

bool Hints::wait_for(const std::string& key, std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    return arrived_.wait_for(lock, limit, [&] {
        for (const std::string& seen : keys_)
            if (seen == key)
                return true;
        return false;
    });
}

std::size_t Hints::count() const {
    const std::lock_guard lock(mutex_);
    return keys_.size();
}

void Hints::clear() {
    const std::lock_guard lock(mutex_);
    keys_.clear();
}

void Hints::hold() {
    const std::lock_guard lock(mutex_);
    is_held_ = true;
}

void Hints::release() {
    const std::lock_guard lock(mutex_);
    is_held_ = false;
    arrived_.notify_all();
}

void Hints::add(std::string key) {
    std::unique_lock lock(mutex_);
    keys_.push_back(std::move(key));
    arrived_.notify_all();
    arrived_.wait(lock, [this] { return !is_held_; });
}

stsync_status Hints::changed(void* ctx, stsync_str key) noexcept {
    static_cast<Hints*>(ctx)->add(copy(key));
    return STSYNC_OK;
}

stsync_status Hints::lost(void* ctx, stsync_str text) noexcept {
    static_cast<Hints*>(ctx)->add("lost: " + copy(text));
    return STSYNC_OK;
}

FakeProvider::FakeProvider(const FakeLibrary& library, const FakeHost& host) {
    std::vector<std::string> texts;
    const stsync_text_sink sink = sink_into(texts);
    created_.status =
        library.module().create(host.abi(), library.descriptor().id, &sink, &instance_);
    if (!texts.empty())
        created_.text = texts.back();
    if (created_.status != STSYNC_OK) {
        instance_ = nullptr;
        return;
    }
    provider_ = static_cast<const stsync_provider_v1*>(query(STSYNC_PROVIDER_V1));
    watch_ = static_cast<const stsync_provider_watch_v1*>(query(STSYNC_PROVIDER_WATCH_V1));
    self_test_ =
        static_cast<const stsync_provider_selftest_v1*>(query(STSYNC_PROVIDER_SELFTEST_V1));
}

FakeProvider::~FakeProvider() {
    if (instance_ == nullptr)
        return;
    if (watch_ != nullptr)
        watch_->stop(instance_);
    instance_->destroy(instance_);
}

Outcome FakeProvider::recover() {
    FakeOp op;
    return recover(op);
}

Outcome FakeProvider::recover(FakeOp& op) {
    Outcome outcome;
    take(outcome, provider_->recover(instance_, op.abi()), op);
    return outcome;
}

ScanOutcome FakeProvider::scan(std::uint32_t flags) {
    FakeOp op;
    return scan(op, flags);
}

ScanOutcome FakeProvider::scan(FakeOp& op, std::uint32_t flags) {
    return scan(op, {sizeof(stsync_scan_scope), STSYNC_SCOPE_ALL, flags, 0, nullptr, 0});
}

ScanOutcome FakeProvider::scan_keys(const std::vector<std::string>& keys) {
    FakeOp op;
    std::vector<stsync_str> raw;
    for (const std::string& key : keys)
        raw.push_back(to_abi(key));
    return scan(op, {sizeof(stsync_scan_scope), STSYNC_SCOPE_KEYS, 0, 0, raw.data(), raw.size()});
}

ScanOutcome FakeProvider::scan(FakeOp& op, const stsync_scan_scope& scope) {
    ScanOutcome outcome;
    const stsync_object_sink sink{sizeof sink, 0, &outcome, &collect_object, &collect_fault};
    take(outcome, provider_->scan(instance_, op.abi(), &scope, &sink), op);
    return outcome;
}

ExportOutcome FakeProvider::export_object(std::string_view key, const fs::path& package) {
    FakeOp op;
    return export_object(op, key, package);
}

ExportOutcome FakeProvider::export_object(FakeOp& op, std::string_view key,
                                          const fs::path& package) {
    ExportOutcome outcome;
    const std::string path = sdk::utf8_from_path(package);
    stsync_export_result raw{};
    raw.size = sizeof raw;
    take(outcome, provider_->export_object(instance_, op.abi(), to_abi(key), to_abi(path), &raw),
         op);
    outcome.mark = sdk::Mark(raw.mark);
    outcome.byte_count = raw.byte_count;
    outcome.digest = from_abi(raw.content_digest);
    return outcome;
}

VerifyOutcome FakeProvider::verify(std::string_view key, const fs::path& package) {
    FakeOp op;
    return verify(op, key, package);
}

VerifyOutcome FakeProvider::verify(FakeOp& op, std::string_view key, const fs::path& package) {
    VerifyOutcome outcome;
    const std::string path = sdk::utf8_from_path(package);
    stsync_verify_result raw{};
    raw.size = sizeof raw;
    take(outcome, provider_->verify(instance_, op.abi(), to_abi(key), to_abi(path), &raw), op);
    outcome.digest = from_abi(raw.content_digest);
    return outcome;
}

ApplyOutcome FakeProvider::apply(std::string_view key, const fs::path& package,
                                 const sdk::Mark& expected, std::uint8_t apply_id) {
    FakeOp op;
    return apply(op, key, package, expected, apply_id);
}

ApplyOutcome FakeProvider::apply(FakeOp& op, std::string_view key, const fs::path& package,
                                 const sdk::Mark& expected, std::uint8_t apply_id) {
    ApplyOutcome outcome;
    const std::string path = sdk::utf8_from_path(package);
    stsync_apply_info info{};
    info.size = sizeof info;
    info.apply_id.bytes[0] = apply_id;
    info.expected = expected.raw();
    info.changed_at = 1600000000000000;
    stsync_apply_result raw{};
    raw.size = sizeof raw;
    take(outcome, provider_->apply(instance_, op.abi(), to_abi(key), to_abi(path), &info, &raw),
         op);
    outcome.mark = sdk::Mark(raw.mark);
    outcome.changed_at = raw.changed_at;
    return outcome;
}

std::vector<sdk::Token> FakeProvider::compat() {
    FakeOp op;
    std::vector<sdk::Token> tokens;
    const stsync_token_sink sink{sizeof sink, 0, &tokens, &collect_token};
    Outcome outcome;
    take(outcome, provider_->compat(instance_, op.abi(), &sink), op);
    return tokens;
}

std::vector<std::string> FakeProvider::check_compat(const std::vector<sdk::Token>& remote) {
    FakeOp op;
    std::vector<stsync_token> raw;
    for (const sdk::Token& token : remote)
        raw.push_back({sizeof(stsync_token), token.kind, to_abi(token.name), to_abi(token.value)});
    std::vector<std::string> reasons;
    const stsync_text_sink sink = sink_into(reasons);
    Outcome outcome;
    take(outcome,
         provider_->check_compat(instance_, op.abi(), raw.data(),
                                 static_cast<std::uint32_t>(raw.size()), sizeof(stsync_token),
                                 &sink),
         op);
    return reasons;
}

Outcome FakeProvider::start_watch(Hints& hints) {
    FakeOp op;
    Outcome outcome;
    watch_sink_ = {sizeof watch_sink_, 0, &hints, &Hints::changed, &Hints::lost};
    take(outcome, watch_->start(instance_, op.abi(), &watch_sink_), op);
    return outcome;
}

void FakeProvider::stop_watch() {
    watch_->stop(instance_);
}

FindingsOutcome FakeProvider::self_test() {
    FakeOp op;
    FindingsOutcome outcome;
    const stsync_finding_sink sink{sizeof sink, 0, &outcome, &collect_finding};
    take(outcome, self_test_->run(instance_, op.abi(), &sink), op);
    return outcome;
}

} // namespace stationsync::test
