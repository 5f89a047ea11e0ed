#include "scanner.hpp"

#include "fold.hpp"
#include "root_marker.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace filesync {

namespace sdk = stationsync::sdk;

namespace {

// The log is a help for people; it need not name ten thousand files.
constexpr std::size_t told_max = 1000;

// Names that have a twin: same folder, different only in case.
class Twins {
public:
    void add(std::string_view name) { hashes_.push_back(folded_hash(name)); }
    void finish() { std::sort(hashes_.begin(), hashes_.end()); }
    bool has(std::string_view name) const {
        const auto [first, last] =
            std::equal_range(hashes_.begin(), hashes_.end(), folded_hash(name));
        return last - first > 1;
    }
    // Asked before `has`: folders without twins are the rule.
    bool any() const { return std::adjacent_find(hashes_.begin(), hashes_.end()) != hashes_.end(); }
    void clear() { hashes_.clear(); }

private:
    std::vector<std::uint64_t> hashes_;
};

} // namespace

class Scanner::Run {
public:
    Run(Scanner& scanner, const sdk::Op& op, const sdk::Scope& scope, sdk::ObjectSink& out)
        : scanner_(scanner),
          settings_(scanner.context_.settings),
          op_(op),
          out_(out),
          root_(open_marked_root(settings_)),
          reread_(scope.wants_reread()) {}

    void all() {
        DigestCache& cache = scanner_.context_.cache;
        cache.begin_scan();
        std::vector<std::string> waiting{std::string()};
        while (!waiting.empty()) {
            op_.check();
            const std::string path = std::move(waiting.back());
            waiting.pop_back();
            folder(path, waiting);
        }
        cache.end_scan();
    }

    void keys(const std::unordered_set<std::string>& wanted) {
        // In order, so that files of one folder come together.
        std::vector<std::string> sorted(wanted.begin(), wanted.end());
        std::sort(sorted.begin(), sorted.end());
        std::optional<Folder> parent;
        std::optional<std::string> parent_path;
        for (const std::string& key : sorted) {
            op_.check();
            if (sdk::path_key_problem(key) || !settings_.contains(key))
                continue;
            if (parent_path != folder_of(key)) {
                parent_path = std::string(folder_of(key));
                parent = open_for_keys(*parent_path);
            }
            if (parent)
                one_key(*parent, key);
            else if (parent_fault_)
                fault(key, *parent_fault_);
        }
    }

private:
    // Nothing when the folder is absent, or with parent_fault_ when it cannot be used.
    std::optional<Folder> open_for_keys(const std::string& path) {
        parent_fault_.reset();
        try {
            Folder opened = open_path(root_, path);
            list(opened, path);
            is_read_only_ = !opened.is_writable();
            return opened;
        } catch (const sdk::Error& error) {
            if (error.status() != STSYNC_NOT_FOUND)
                parent_fault_ = error;
            return std::nullopt;
        }
    }

    void one_key(const Folder& parent, const std::string& key) {
        const std::string name = name_of(key);
        const Status status = parent.status(name);
        if (status.kind == Kind::absent)
            return;
        key_ = key;
        entry(parent, name, status);
    }

    // Emits the files of a folder and adds its folders to `waiting`.
    void folder(const std::string& path, std::vector<std::string>& waiting) {
        try {
            const Folder opened = open_path(root_, path);
            list(opened, path);
            is_read_only_ = !opened.is_writable();
            for (const Entry& found : entries_)
                one_entry(opened, path, found, waiting);
        } catch (const sdk::Error& error) {
            // Removed meanwhile, or replaced by something else: the next scan sees what it is.
            if (path.empty())
                throw;
            if (error.status() != STSYNC_NOT_FOUND)
                subtree_fault(path, error);
        }
    }

    // Reads the names of a folder and finds those with a twin.
    void list(const Folder& opened, const std::string& path) {
        entries_.clear();
        opened.list(entries_);
        twins_.clear();
        for (const Entry& found : entries_) {
            set_key(path, found.name);
            const bool belongs = found.kind == Kind::folder
                                     ? !settings_.patterns.excludes_folder(key_)
                                     : settings_.contains(key_);
            if (belongs)
                twins_.add(found.name);
        }
        twins_.finish();
        has_twins_ = twins_.any();
    }

    void one_entry(const Folder& opened, const std::string& path, const Entry& found,
                   std::vector<std::string>& waiting) {
        set_key(path, found.name);
        const bool may_be_folder = found.kind == Kind::folder || found.kind == Kind::unknown;
        if (!may_be_folder && !settings_.contains(key_))
            return;
        Status status{found.kind, found.evidence};
        const bool needs_status =
            found.kind == Kind::unknown || (found.kind == Kind::file && !found.has_evidence);
        if (needs_status)
            status = opened.status(found.name);
        if (status.kind == Kind::folder) {
            enter(found.name, waiting);
        } else if (status.kind != Kind::absent && settings_.contains(key_)) {
            entry(opened, found.name, status);
        }
    }

    void enter(const std::string& name, std::vector<std::string>& waiting) {
        if (settings_.patterns.excludes_folder(key_))
            return;
        if (const auto problem = sdk::path_name_problem(name)) {
            unusable_name(key_, *problem, true);
        } else if (has_twins_ && twins_.has(name)) {
            subtree_fault(key_, twin_error(name));
        } else {
            waiting.push_back(key_);
        }
    }

    // Emits the file (or whatever it is) at key_.
    void entry(const Folder& opened, const std::string& name, const Status& status) {
        if (const auto problem = sdk::path_name_problem(name)) {
            unusable_name(key_, *problem, false);
            return;
        }
        try {
            if (has_twins_ && twins_.has(name))
                throw twin_error(name);
            if (status.kind != Kind::file)
                throw kind_error(name, status.kind);
            object(opened, name, status.evidence);
        } catch (const sdk::Error& error) {
            if (error.status() != STSYNC_NOT_FOUND)
                fault(key_, error);
        }
    }

    void object(const Folder& opened, const std::string& name, const Evidence& evidence) {
        const Digest digest =
            identify(op_, opened, name, evidence, scanner_.context_.cache, reread_);
        object_.key = key_;
        object_.mark = sdk::mark_of_digest(digest);
        object_.byte_count = evidence.byte_count;
        object_.changed_at = changed_at(evidence);
        object_.content_digest = digest;
        object_.flags = is_read_only_ ? STSYNC_OBJECT_READ_ONLY : 0;
        out_.add(object_);
        if (++emitted_ % 1000 == 0)
            op_.progress(emitted_, 0, STSYNC_UNIT_OBJECTS);
    }

    static sdk::Error twin_error(const std::string& name) {
        return {STSYNC_UNSUPPORTED,
                "Another name beside \"" + name +
                    "\" differs from it only in upper and lower case: rename one of them."};
    }

    static sdk::Error kind_error(const std::string& name, Kind kind) {
        if (kind == Kind::link)
            return {STSYNC_UNSUPPORTED,
                    "\"" + name + "\" is a symbolic link; links are not synchronized."};
        if (kind == Kind::folder)
            return {STSYNC_UNSUPPORTED, "\"" + name +
                                            "\" is a folder here and a file elsewhere: rename or "
                                            "move the folder."};
        return {STSYNC_UNSUPPORTED,
                "\"" + name + "\" is not a regular file; such files are not synchronized."};
    }

    // Names that are no text cannot be told as a key: they are only logged.
    void unusable_name(const std::string& path, const std::string& problem, bool is_folder) {
        const std::string text = "is not synchronized: " + problem + ". Rename it.";
        if (!sdk::key_problem(path)) {
            const sdk::Error error(STSYNC_UNSUPPORTED,
                                   "The name \"" + name_of(path) + "\" " + text);
            if (is_folder)
                subtree_fault(path, error);
            else
                fault(path, error);
        } else if (scanner_.is_news(path)) {
            std::string shown = path;
            for (char& byte : shown)
                if (static_cast<unsigned char>(byte) >= 0x80)
                    byte = '?';
            scanner_.context_.host.log(STSYNC_LOG_WARNING, "filesync.name", {},
                                       "The name \"" + shown + "\" " + text);
        }
    }

    void fault(const std::string& key, const sdk::Error& error) {
        out_.add(sdk::Fault{key, error.status(), error.what(), false, error.retry_after_ms()});
    }

    void subtree_fault(const std::string& path, const sdk::Error& error) {
        out_.add(
            sdk::Fault{path + "/", error.status(), error.what(), true, error.retry_after_ms()});
    }

    // One string for all keys: no allocation per file.
    void set_key(const std::string& path, const std::string& name) {
        key_ = path;
        if (!path.empty())
            key_ += '/';
        key_ += name;
    }

    Scanner& scanner_;
    const Settings& settings_;
    const sdk::Op& op_;
    sdk::ObjectSink& out_;
    const Folder root_;
    const bool reread_;

    std::vector<Entry> entries_; // of the present folder
    Twins twins_;
    bool has_twins_ = false;
    bool is_read_only_ = false;
    std::optional<sdk::Error> parent_fault_;
    std::string key_;
    sdk::Object object_;
    std::uint64_t emitted_ = 0;
};

void Scanner::scan(const sdk::Op& op, const sdk::Scope& scope, sdk::ObjectSink& out) {
    Run run(*this, op, scope, out);
    if (scope.is_all())
        run.all();
    else
        run.keys(scope.keys());
}

bool Scanner::is_news(const std::string& path) {
    const std::lock_guard lock(mutex_);
    return told_.size() < told_max && told_.insert(path).second;
}

} // namespace filesync
