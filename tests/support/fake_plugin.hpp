// Loads a plugin's shared library and calls one provider through the C ABI, as the service does.
#pragma once

#include "support/fake_host.hpp"

#include <stationsync/provider.hpp>

#include <condition_variable>
#include <map>

namespace stationsync::test {

// A loaded library. It is never unloaded, as in the service.
class FakeLibrary {
public:
    // Throws std::runtime_error when the file cannot be loaded or lacks the entry.
    explicit FakeLibrary(const std::filesystem::path& file);
    const stsync_module& module() const noexcept { return *module_; }
    const stsync_descriptor& descriptor() const noexcept { return *module_->describe(0); }

private:
    const stsync_module* module_;
};

struct Outcome {
    stsync_status status = STSYNC_OK;
    std::string text; // what fail said
};

struct ScanOutcome : Outcome {
    std::map<std::string, sdk::Object> objects;
    std::map<std::string, sdk::Fault> faults;
    std::size_t duplicates = 0;
};

struct ExportOutcome : Outcome {
    sdk::Mark mark;
    std::uint64_t byte_count = 0;
    std::optional<sdk::Digest> digest;
};

struct VerifyOutcome : Outcome {
    std::optional<sdk::Digest> digest;
};

struct ApplyOutcome : Outcome {
    sdk::Mark mark;
    stsync_time changed_at = STSYNC_TIME_NONE;
};

struct FindingsOutcome : Outcome {
    std::vector<sdk::Finding> findings;
};

// Collects the hints of a watch.
class Hints {
public:
    // Waits until a hint for `key` (empty = rescan) has come since the last clear.
    bool wait_for(const std::string& key, std::chrono::milliseconds limit);
    std::size_t count() const;
    void clear();
    // Between these the plugin's thread waits in its next hint.
    void hold();
    void release();

private:
    friend class FakeProvider;
    static stsync_status changed(void* ctx, stsync_str key) noexcept;
    static stsync_status lost(void* ctx, stsync_str text) noexcept;
    void add(std::string key);

    mutable std::mutex mutex_;
    std::condition_variable arrived_;
    std::vector<std::string> keys_;
    bool is_held_ = false;
};

// One provider instance; destroyed with this object. The functions are the table's; each takes an
// op of its own unless one is given.
class FakeProvider {
public:
    FakeProvider(const FakeLibrary& library, const FakeHost& host);
    FakeProvider(const FakeProvider&) = delete;
    FakeProvider& operator=(const FakeProvider&) = delete;
    ~FakeProvider();

    // What create said; every other function needs STSYNC_OK here.
    const Outcome& created() const noexcept { return created_; }

    Outcome recover();
    Outcome recover(FakeOp& op);
    ScanOutcome scan(std::uint32_t flags = 0);
    ScanOutcome scan(FakeOp& op, std::uint32_t flags = 0);
    ScanOutcome scan_keys(const std::vector<std::string>& keys);
    ExportOutcome export_object(std::string_view key, const std::filesystem::path& package);
    ExportOutcome export_object(FakeOp& op, std::string_view key,
                                const std::filesystem::path& package);
    VerifyOutcome verify(std::string_view key, const std::filesystem::path& package);
    VerifyOutcome verify(FakeOp& op, std::string_view key, const std::filesystem::path& package);
    ApplyOutcome apply(std::string_view key, const std::filesystem::path& package,
                       const sdk::Mark& expected, std::uint8_t apply_id = 1);
    ApplyOutcome apply(FakeOp& op, std::string_view key, const std::filesystem::path& package,
                       const sdk::Mark& expected, std::uint8_t apply_id = 1);
    std::vector<sdk::Token> compat();
    std::vector<std::string> check_compat(const std::vector<sdk::Token>& remote);

    bool has_watch() const noexcept { return watch_ != nullptr; }
    Outcome start_watch(Hints& hints);
    void stop_watch();
    bool has_self_test() const noexcept { return self_test_ != nullptr; }
    FindingsOutcome self_test();

    const stsync_instance* instance() const noexcept { return instance_; }
    const stsync_provider_v1* table() const noexcept { return provider_; }
    const void* query(const char* id) const noexcept { return instance_->query(instance_, id); }

private:
    ScanOutcome scan(FakeOp& op, const stsync_scan_scope& scope);

    const stsync_instance* instance_ = nullptr;
    const stsync_provider_v1* provider_ = nullptr;
    const stsync_provider_watch_v1* watch_ = nullptr;
    const stsync_provider_selftest_v1* self_test_ = nullptr;
    stsync_watch_sink watch_sink_{};
    Outcome created_;
};

} // namespace stationsync::test
