// What an author of a provider derives from; see provider.h for the full contract of each function.
#pragma once

#include "files.hpp"
#include "host_ref.hpp"
#include "mark.hpp"
#include "op.hpp"
#include "provider.h"
#include "provider_selftest.h"
#include "provider_watch.h"

#include <charconv>
#include <unordered_set>

namespace stationsync::sdk {

// Which objects a scan is asked for.
class Scope {
public:
    explicit Scope(const stsync_scan_scope& scope) : flags_(scope.flags) {
        if (scope.kind != STSYNC_SCOPE_KEYS)
            return;
        keys_.emplace();
        for (std::uint64_t i = 0; i < scope.key_count; ++i)
            keys_->insert(copy(scope.keys[i]));
    }

    bool is_all() const noexcept { return !keys_; }
    bool contains(const std::string& key) const { return !keys_ || keys_->count(key) != 0; }
    // Only when not is_all.
    const std::unordered_set<std::string>& keys() const noexcept { return *keys_; }
    // Content is to be read again, whatever a cache says.
    bool wants_reread() const noexcept { return (flags_ & STSYNC_SCAN_REREAD) != 0; }

private:
    std::optional<std::unordered_set<std::string>> keys_;
    std::uint32_t flags_;
};

struct Object {
    std::string key;
    Mark mark;
    std::uint64_t byte_count = 0;
    stsync_time changed_at = STSYNC_TIME_NONE;
    stsync_time changed_not_before = STSYNC_TIME_NONE;
    std::optional<Digest> content_digest = std::nullopt;
    std::uint32_t flags = 0; // STSYNC_OBJECT_*
    std::string display_name = {};
};

// The object that one file is: content as mark, modification time as time of the change.
inline Object object_of_file(std::string key, const std::filesystem::path& path) {
    const Digest digest = digest_of_file(path);
    return {std::move(key),    mark_of_digest(digest), std::filesystem::file_size(path),
            modified_at(path), STSYNC_TIME_NONE,       digest};
}

// Something that is there but cannot be told; see stsync_fault.
struct Fault {
    std::string key; // for a subtree: ends in '/', or is empty for all
    stsync_status code = STSYNC_INTERNAL;
    std::string text;
    bool is_subtree = false;
    std::uint64_t retry_after_ms = 0;
};

// Receives what a scan finds. Objects outside of the scope are dropped here, so that a provider
// with few objects may emit all of them.
class ObjectSink {
public:
    ObjectSink(const stsync_object_sink* sink, const Scope* scope) : sink_(sink), scope_(scope) {}

    // Throws StoppedBySink when the host wants no more.
    void add(const Object& object) {
        if (!scope_->contains(object.key))
            return;
        stsync_object raw{};
        raw.size = sizeof raw;
        raw.flags = object.flags;
        raw.key = to_abi(object.key);
        raw.mark = object.mark.raw();
        raw.byte_count = object.byte_count;
        raw.changed_at = object.changed_at;
        raw.changed_not_before = object.changed_not_before;
        raw.content_digest = to_abi(object.content_digest);
        raw.display_name = to_abi(object.display_name);
        if (sink_->object(sink_->ctx, &raw) != STSYNC_OK)
            throw StoppedBySink();
    }

    void add(const Fault& fault) {
        if (!fault.is_subtree && !scope_->contains(fault.key))
            return;
        stsync_fault raw{};
        raw.size = sizeof raw;
        raw.flags = fault.is_subtree ? STSYNC_FAULT_SUBTREE : 0;
        raw.key = to_abi(fault.key);
        raw.code = fault.code;
        raw.retry_after_ms = fault.retry_after_ms;
        raw.text = to_abi(fault.text);
        if (sink_->fault(sink_->ctx, &raw) != STSYNC_OK)
            throw StoppedBySink();
    }

private:
    const stsync_object_sink* sink_;
    const Scope* scope_;
};

struct Token {
    std::uint32_t kind = STSYNC_TOKEN_EXACT;
    std::string name;
    std::string value;
};

struct ExportResult {
    Mark mark;
    std::uint64_t byte_count = 0;
    std::optional<Digest> content_digest = std::nullopt;
};

struct ApplyInfo {
    stsync_apply_id apply_id;
    Mark expected; // absent: there must be no live data
    stsync_time changed_at;
};

struct ApplyResult {
    Mark mark;
    stsync_time changed_at = STSYNC_TIME_NONE;
};

// Throws Error(CONFLICT) unless the live data is as expected.
inline void require_mark(const Mark& present, const ApplyInfo& info) {
    if (present == info.expected)
        return;
    throw Error(STSYNC_CONFLICT, present.is_absent()
                                     ? "The object was deleted meanwhile."
                                     : "The object was changed meanwhile by somebody else.");
}

// One configured instance of a provider. Functions run on worker threads, several at a time when
// Options::max_parallel says so, never two for one key. They may throw: Error with a status and a
// sentence, Cancelled by Op, anything else becomes INTERNAL.
class Provider {
public:
    Provider() = default;
    Provider(const Provider&) = delete;
    Provider& operator=(const Provider&) = delete;
    virtual ~Provider() = default;

    // Before anything else: finish or undo what a killed apply left.
    virtual void recover(Op&) {}

    // Facts about the back end; none by default.
    virtual std::vector<Token> compat(Op&) { return {}; }

    // Sentences that say why a station with these tokens cannot be synchronized with; empty = it
    // can. By default tokens judge as their kind says, and one that only one side has is an
    // obstacle.
    virtual std::vector<std::string> check_compat(Op& op, const std::vector<Token>& remote);

    virtual void scan(Op& op, const Scope& scope, ObjectSink& out) = 0;
    virtual ExportResult export_object(Op& op, const std::string& key,
                                       const std::filesystem::path& package) = 0;

    // Digest of the content in the package, where export_object gives one. By default any bytes do.
    virtual std::optional<Digest> verify(Op&, const std::string& /*key*/,
                                         const std::filesystem::path& /*package*/) {
        return std::nullopt;
    }

    virtual ApplyResult apply(Op& op, const std::string& key, const std::filesystem::path& package,
                              const ApplyInfo& info) = 0;
};

// Tells the host that something may have changed. Copies refer to the same sink, which is valid
// until stop_watch returns.
class WatchSink {
public:
    explicit WatchSink(const stsync_watch_sink* sink) noexcept : sink_(sink) {}
    void changed(std::string_view key) const noexcept { sink_->changed(sink_->ctx, to_abi(key)); }
    void rescan() const noexcept { sink_->changed(sink_->ctx, {nullptr, 0}); }
    void lost(std::string_view text) const noexcept { sink_->lost(sink_->ctx, to_abi(text)); }

private:
    const stsync_watch_sink* sink_;
};

// Derive from this too for "stsync.provider.watch/1".
class Watch {
public:
    virtual ~Watch() = default;
    virtual void start_watch(Op& op, WatchSink sink) = 0;
    // Joins; called also when start_watch has thrown or was not called.
    virtual void stop_watch() = 0;
};

struct Finding {
    std::uint32_t severity = STSYNC_FINDING_OK;
    std::string code;
    std::string text;
    std::string remedy;
};

// Derive from this too for "stsync.provider.selftest/1".
class SelfTest {
public:
    virtual ~SelfTest() = default;
    virtual std::vector<Finding> self_test(Op& op) = 0;
};

namespace detail {

// Compares dotted numbers: "15.0.4" < "15.0.10". Parts that are not numbers count as 0.
inline int compare_versions(std::string_view a, std::string_view b) noexcept {
    const auto take = [](std::string_view& text) noexcept {
        const std::size_t dot = text.find('.');
        const std::string_view part = text.substr(0, dot);
        text = dot == std::string_view::npos ? std::string_view{} : text.substr(dot + 1);
        std::uint64_t value = 0;
        std::from_chars(part.data(), part.data() + part.size(), value);
        return value;
    };
    while (!a.empty() || !b.empty()) {
        const std::uint64_t x = take(a);
        const std::uint64_t y = take(b);
        if (x != y)
            return x < y ? -1 : 1;
    }
    return 0;
}

// The value that a side states for a name; MIN tokens are demands, not values.
inline const Token* find_value(const std::vector<Token>& tokens, const std::string& name) noexcept {
    for (const Token& token : tokens)
        if (token.name == name && token.kind != STSYNC_TOKEN_MIN)
            return &token;
    return nullptr;
}

// Judges one side's demands by the other side's values.
inline void check_demands(const std::vector<Token>& demands, const std::vector<Token>& values,
                          const char* where, const char* elsewhere,
                          std::vector<std::string>& reasons) {
    for (const Token& demand : demands) {
        if (demand.kind == STSYNC_TOKEN_INFO)
            continue;
        const Token* value = find_value(values, demand.name);
        if (value == nullptr) {
            reasons.push_back(demand.name + " is " + demand.value + " " + where + " and unknown " +
                              elsewhere);
        } else if (demand.kind == STSYNC_TOKEN_MIN &&
                   compare_versions(value->value, demand.value) < 0) {
            reasons.push_back(demand.name + " is " + value->value + " " + elsewhere +
                              ", at least " + demand.value + " is needed " + where);
        }
    }
}

} // namespace detail

inline std::vector<std::string> Provider::check_compat(Op& op, const std::vector<Token>& remote) {
    const std::vector<Token> local = compat(op);
    std::vector<std::string> reasons;
    for (const Token& ours : local) {
        if (ours.kind != STSYNC_TOKEN_EXACT)
            continue;
        const Token* theirs = detail::find_value(remote, ours.name);
        if (theirs != nullptr && theirs->value != ours.value)
            reasons.push_back(ours.name + " is " + ours.value + " here and " + theirs->value +
                              " there");
    }
    detail::check_demands(local, remote, "here", "there", reasons);
    detail::check_demands(remote, local, "there", "here", reasons);
    return reasons;
}

} // namespace stationsync::sdk
