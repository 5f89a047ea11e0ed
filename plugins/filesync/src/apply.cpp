#include "transfer.hpp"

#include "content.hpp"
#include "root_marker.hpp"

#include <stationsync/testing/fault_point.h>

#include <optional>

namespace filesync {

namespace sdk = stationsync::sdk;

namespace {

// The folders on the way to a file; those that did not exist are taken away again unless kept.
class Parents {
public:
    Parents(const Folder& root, std::string_view path) {
        chain_.push_back(root.open_folder("."));
        while (!path.empty()) {
            const std::size_t slash = path.find('/');
            enter(std::string(path.substr(0, slash)));
            path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
        }
    }
    Parents(const Parents&) = delete;
    Parents& operator=(const Parents&) = delete;
    ~Parents() {
        for (auto made = made_.rbegin(); made != made_.rend(); ++made) {
            try {
                chain_[made->depth].remove_folder(made->name);
            } catch (const sdk::Error&) {
                // An empty folder that stays is not synchronized and does no harm.
            }
        }
    }

    const Folder& last() const noexcept { return chain_.back(); }

    // The new folders stay, and will after a power cut.
    void keep() {
        for (const Made& made : made_)
            chain_[made.depth].sync();
        made_.clear();
    }

private:
    struct Made {
        std::size_t depth;
        std::string name;
    };

    void enter(const std::string& name) {
        const Folder& above = chain_.back();
        if (above.status(name).kind == Kind::absent) {
            above.make_folder(name);
            made_.push_back({chain_.size() - 1, name});
        }
        // Named before it is appended: the append may move what `above` refers to.
        Folder entered = above.open_folder(name);
        chain_.push_back(std::move(entered));
    }

    std::vector<Folder> chain_;
    std::vector<Made> made_;
};

// One apply.
class Apply {
public:
    Apply(Context& context, const sdk::Op& op, const std::string& key,
          const std::filesystem::path& package, const sdk::ApplyInfo& info)
        : context_(context),
          op_(op),
          key_(key),
          name_(name_of(key)),
          info_(info),
          root_(open_marked_root(context.settings)),
          package_(File::open_package(package)) {
        if (!context.settings.contains(key))
            throw sdk::Error(STSYNC_UNSUPPORTED,
                             "\"" + key +
                                 "\" is not among the files that this station synchronizes: see "
                                 "\"include\" and \"exclude\" in its configuration.");
    }

    sdk::ApplyResult run() {
        if (look()) {
            if (live_mark_ != info_.expected)
                return already_there();
        } else if (!info_.expected.is_absent()) {
            throw conflict();
        }
        Parents parents(root_, folder_of(key_));
        replace(parents.last());
        parents.keep();
        parents.last().sync();
        const Evidence now = parents.last().status(name_).evidence;
        // What we have just written is known; it is believed once the file clock has moved on.
        context_.cache.store(now, content_->digest, file_clock_now_ns());
        return {sdk::mark_of_digest(content_->digest), changed_at(now)};
    }

private:
    sdk::Error conflict() const {
        return {STSYNC_CONFLICT, "\"" + key_ +
                                     "\" was changed meanwhile; that change is looked at "
                                     "first."};
    }

    // Finds the live file and its content; false when there is none.
    bool look() {
        try {
            const Folder folder = open_path(root_, folder_of(key_));
            const Status status = folder.status(name_);
            if (status.kind == Kind::absent)
                return false;
            if (status.kind == Kind::folder)
                throw sdk::Error(STSYNC_DENIED, "\"" + key_ +
                                                    "\" is a folder here and a file elsewhere: "
                                                    "rename or move the folder.");
            if (status.kind != Kind::file)
                throw sdk::Error(STSYNC_DENIED, "\"" + key_ +
                                                    "\" is a link or a special file here, which is "
                                                    "never replaced: rename or remove it.");
            live_ = status.evidence;
            looked_at_ns_ = file_clock_now_ns();
            live_mark_ =
                sdk::mark_of_digest(identify(op_, folder, name_, live_, context_.cache, false));
            return true;
        } catch (const sdk::Error& error) {
            if (error.status() == STSYNC_NOT_FOUND)
                return false;
            if (error.status() != STSYNC_UNSUPPORTED)
                throw;
            // A part of the path is a file or a link: it can be put right here, hence not "never".
            throw sdk::Error(STSYNC_DENIED, std::string(error.what()) + " Rename or remove it.");
        }
    }

    // The live content is not the expected one: fine if it is what would have been written.
    sdk::ApplyResult already_there() {
        if (package_.status().evidence.byte_count != live_.byte_count)
            throw conflict();
        const Content content = read_content(op_, package_);
        if (sdk::mark_of_digest(content.digest) != live_mark_)
            throw conflict();
        // A call killed after its rename may have left this to do.
        const Folder folder = open_path(root_, folder_of(key_));
        folder.open_file(name_).sync();
        folder.sync();
        return {live_mark_, changed_at(live_)};
    }

    void replace(const Folder& folder) {
        const std::string temp = context_.settings.temp_name();
        bool is_temp_ours = true; // holds nothing that anybody would miss
        try {
            write_temp(folder, temp);
            STSYNC_FAULT_POINT("filesync.apply.temp_written");
            recheck(folder);
            op_.begin_commit();
            STSYNC_FAULT_POINT("filesync.apply.before_rename");
            const Replaced how = folder.replace(temp, name_, info_.expected.is_absent());
            if (how == Replaced::appeared)
                throw conflict();
            STSYNC_FAULT_POINT("filesync.apply.after_rename");
            if (how == Replaced::old_kept_back) {
                is_temp_ours = false;
                look_at_replaced(folder, temp);
                is_temp_ours = true;
                folder.remove_file(temp);
            }
        } catch (...) {
            if (is_temp_ours)
                folder.remove_file(temp);
            throw;
        }
        STSYNC_FAULT_POINT("filesync.apply.before_folder_sync");
    }

    void write_temp(const Folder& folder, const std::string& temp) {
        File file = folder.create_file(temp);
        STSYNC_FAULT_POINT("filesync.apply.temp_made");
        content_ = copy_content(op_, package_, file);
        if (info_.expected.is_absent())
            file.take_defaults_of(folder);
        else
            take_attributes(file, folder);
        file.set_modified(package_.status().evidence.modified_ns);
        file.sync();
    }

    void take_attributes(File& file, const Folder& folder) const {
        if (folder.status(name_).kind != Kind::file)
            throw conflict();
        file.take_attributes_of(folder.open_file(name_));
    }

    // Compares as late as possible; a file that moved without a change of content is no conflict.
    void recheck(const Folder& folder) {
        const Status status = folder.status(name_);
        if (info_.expected.is_absent()) {
            if (status.kind != Kind::absent)
                throw conflict();
            return;
        }
        if (status.kind != Kind::file)
            throw conflict();
        if (status.evidence == live_ && is_settled(live_, looked_at_ns_))
            return;
        const std::int64_t looked_at_ns = file_clock_now_ns();
        const Digest digest = identify(op_, folder, name_, status.evidence, context_.cache, true);
        if (sdk::mark_of_digest(digest) != info_.expected)
            throw conflict();
        live_ = status.evidence;
        looked_at_ns_ = looked_at_ns;
    }

    // Whoever saved between the check and the exchange has his file under the temporary name now.
    void look_at_replaced(const Folder& folder, const std::string& temp) {
        bool is_expected = false;
        try {
            const Status status = folder.status(temp);
            // The exchange itself moves the time of change.
            is_expected = status.kind == Kind::file && status.evidence.inode == live_.inode &&
                          status.evidence.byte_count == live_.byte_count &&
                          status.evidence.modified_ns == live_.modified_ns &&
                          is_settled(live_, looked_at_ns_);
            if (!is_expected && status.kind == Kind::file) {
                File file = folder.open_file(temp);
                is_expected = sdk::mark_of_digest(read_content(op_, file).digest) == info_.expected;
            }
        } catch (...) {
            folder.undo_replace(temp, name_);
            folder.remove_file(temp);
            throw;
        }
        if (is_expected)
            return;
        folder.undo_replace(temp, name_);
        folder.remove_file(temp);
        throw conflict();
    }

    Context& context_;
    const sdk::Op& op_;
    const std::string& key_;
    const std::string name_;
    const sdk::ApplyInfo& info_;
    const Folder root_;
    File package_;

    Evidence live_;
    std::int64_t looked_at_ns_ = 0;
    sdk::Mark live_mark_;
    std::optional<Content> content_;
};

} // namespace

sdk::ApplyResult apply_file(Context& context, const sdk::Op& op, const std::string& key,
                            const std::filesystem::path& package, const sdk::ApplyInfo& info) {
    return Apply(context, op, key, package, info).run();
}

} // namespace filesync
