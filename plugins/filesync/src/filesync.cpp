// The provider for trees of files: one object per file, its key the path below the root.
#include "live.hpp"
#include "root_marker.hpp"
#include "scanner.hpp"
#include "transfer.hpp"
#include "watcher.hpp"

#include "content.hpp"

#include <stationsync/plugin.hpp>

namespace filesync {

namespace sdk = stationsync::sdk;
namespace fs = std::filesystem;

namespace {

constexpr std::string_view config_schema = R"json({
  "root": {"type": "string", "required": true,
           "help": "absolute path of the folder whose files are kept in step"},
  "include": {"type": "list", "required": false,
              "help": "patterns of the files that belong, e.g. *.rcp or reports/**; all if absent"},
  "exclude": {"type": "list", "required": false,
              "help": "patterns of files and folders that do not belong"}
})json";

class Filesync final : public sdk::Provider, public sdk::Watch, public sdk::SelfTest {
public:
    static constexpr sdk::Options options{
        STSYNC_KEYS_ARE_PATHS | STSYNC_EXPORT_REPRODUCIBLE, 4, 0, "StationSync", "", config_schema};

    explicit Filesync(sdk::Host host) : context_(host), scanner_(context_) {
        if (const auto folder = host.cache()) {
            cache_file_ = *folder / "digests";
            context_.cache.load(cache_file_);
        }
    }

    ~Filesync() override {
        watcher_.reset();
        save_cache();
    }

    void recover(sdk::Op& op) override {
        prepare_root(context_.settings);
        remove_own_temps(op);
    }

    void scan(sdk::Op& op, const sdk::Scope& scope, sdk::ObjectSink& out) override {
        scanner_.scan(op, scope, out);
        if (scope.is_all())
            save_cache();
    }

    sdk::ExportResult export_object(sdk::Op& op, const std::string& key,
                                    const fs::path& package) override {
        return export_file(context_, op, key, package);
    }

    // Any bytes are a file; their digest is what the other stations state.
    std::optional<sdk::Digest> verify(sdk::Op& op, const std::string&,
                                      const fs::path& package) override {
        File file = File::open_package(package);
        return read_content(op, file).digest;
    }

    sdk::ApplyResult apply(sdk::Op& op, const std::string& key, const fs::path& package,
                           const sdk::ApplyInfo& info) override {
        return apply_file(context_, op, key, package, info);
    }

    void start_watch(sdk::Op&, sdk::WatchSink sink) override {
        open_marked_root(context_.settings);
        watcher_ = std::make_unique<Watcher>(context_, sink);
    }

    void stop_watch() override { watcher_.reset(); }

    std::vector<sdk::Finding> self_test(sdk::Op&) override {
        const std::string root = sdk::utf8_from_path(context_.settings.root);
        try {
            if (open_markable_root(context_.settings).is_writable())
                return {{STSYNC_FINDING_OK, "filesync.root",
                         "The folder \"" + root + "\" is there and can be written.", ""}};
            return {{STSYNC_FINDING_ERROR, "filesync.root_read_only",
                     "The service may not write to the folder \"" + root + "\".",
                     "Give the service's account the right to change it."}};
        } catch (const sdk::Error& error) {
            return {{STSYNC_FINDING_ERROR, "filesync.root_unusable", error.what(),
                     "Make the right folder available, or accept this one with: stationsync "
                     "provider accept-root " +
                         context_.settings.provider}};
        }
    }

private:
    void remove_own_temps(const sdk::Op& op) {
        const Folder root = open_marked_root(context_.settings);
        std::vector<std::string> waiting{std::string()};
        while (!waiting.empty()) {
            op.check();
            const std::string path = std::move(waiting.back());
            waiting.pop_back();
            try {
                const Folder folder = open_path(root, path);
                std::vector<Entry> entries;
                folder.list(entries);
                for (const Entry& entry : entries) {
                    if (context_.settings.is_own_temp(entry.name))
                        folder.remove_file(entry.name);
                    else if (entry.kind == Kind::folder)
                        waiting.push_back(path.empty() ? entry.name : path + "/" + entry.name);
                }
            } catch (const sdk::Error& error) {
                // A folder that cannot be read has not been written to either; the scan reports it.
                if (path.empty())
                    throw;
                context_.host.log(STSYNC_LOG_DEBUG, "filesync.recover", {}, error.what());
            }
        }
    }

    void save_cache() noexcept {
        if (!cache_file_.empty())
            context_.cache.save(cache_file_);
    }

    Context context_;
    Scanner scanner_;
    fs::path cache_file_; // empty = none
    std::unique_ptr<Watcher> watcher_;
};

} // namespace
} // namespace filesync

STSYNC_PROVIDER(filesync::Filesync, "filesync", "Trees of files", "1.0.0")
