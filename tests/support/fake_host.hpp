// A small host for tests of plugins: gives configuration from a map, collects what the plugin says.
#pragma once

#include <stationsync/host.h>

#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace stationsync::test {

struct LogLine {
    std::uint32_t level;
    std::string code;
    std::string key;
    std::string text;
};

// The services of one instance. Fill the public fields before the instance is made. Thread-safe for
// the plugin; must outlive the instance.
class FakeHost {
public:
    FakeHost();
    FakeHost(const FakeHost&) = delete;
    FakeHost& operator=(const FakeHost&) = delete;

    std::map<std::string, std::vector<std::string>> config; // several values = a list
    std::map<std::string, std::string> secrets;
    std::filesystem::path scratch;           // empty = NOT_FOUND
    std::filesystem::path cache;             // empty = NOT_FOUND
    std::optional<std::uint64_t> free_bytes; // on all disks; nothing = as they are
    std::set<std::string> missing;           // ids of services that this host does not offer
    // Where the values of the key-value service outlive the process; empty = nowhere. Set before
    // the first use.
    std::filesystem::path kv_file;

    const stsync_host* abi() const noexcept { return &abi_; }

    std::vector<LogLine> log() const;
    std::size_t count_log(const std::string& code) const;
    std::optional<std::string> kv(const std::string& key) const;
    // All values whose key begins like this become bytes that nobody has written.
    void spoil_kv(const std::string& prefix);
    // While an instance is at work.
    void set_secret(const std::string& key, const std::string& value);
    // Added to the wall clock, microseconds.
    void set_clock_offset(stsync_time offset);

private:
    friend struct FakeServices;
    void load_kv() const;
    void save_kv() const;

    stsync_host abi_{};
    mutable std::mutex mutex_;
    std::vector<LogLine> log_;
    mutable std::map<std::string, std::string> kv_;
    stsync_time clock_offset_ = 0;
};

// One call. By default it is never cancelled and has no deadline.
class FakeOp {
public:
    FakeOp();
    FakeOp(const FakeOp&) = delete;
    FakeOp& operator=(const FakeOp&) = delete;

    // The n-th time the plugin asks, and from then on, the answer is `status`; 1 = at once.
    void cancel_at_poll(std::uint64_t n, stsync_status status = STSYNC_CANCELLED);
    // Called when the plugin asks for the n-th time, on its thread: to change the world meanwhile.
    void at_poll(std::uint64_t n, std::function<void()> action);
    // Called at begin_commit, before it answers.
    void at_commit(std::function<void()> action);

    const stsync_op* abi() const noexcept { return &abi_; }
    std::uint64_t polls() const noexcept { return polls_; }
    bool is_committed() const noexcept { return committed_; }
    std::uint64_t progress_calls() const noexcept { return progress_.size(); }
    struct Progress {
        std::uint64_t done = 0;
        std::uint64_t total = 0;
        std::string what;
    };
    const std::vector<Progress>& progress() const noexcept { return progress_; }
    // What the plugin said by fail: code, text.
    stsync_status failed_code() const noexcept { return failed_code_; }
    const std::string& failed_text() const noexcept { return failed_text_; }

private:
    friend struct FakeOpCalls;
    stsync_op abi_{};
    mutable std::mutex mutex_;
    std::uint64_t polls_ = 0;
    std::uint64_t cancel_poll_ = 0;
    stsync_status cancel_status_ = STSYNC_OK;
    std::map<std::uint64_t, std::function<void()>> poll_actions_;
    std::function<void()> commit_action_;
    bool committed_ = false;
    std::vector<Progress> progress_;
    stsync_status failed_code_ = STSYNC_OK;
    std::string failed_text_;
};

} // namespace stationsync::test
