#include "transfer.hpp"

#include "content.hpp"
#include "root_marker.hpp"

namespace filesync {

namespace sdk = stationsync::sdk;

namespace {

// Removes the package unless the export was completed.
class Unfinished {
public:
    explicit Unfinished(const std::filesystem::path& path) : path_(path) {}
    Unfinished(const Unfinished&) = delete;
    Unfinished& operator=(const Unfinished&) = delete;
    ~Unfinished() {
        std::error_code ignored;
        if (!is_finished_)
            std::filesystem::remove(path_, ignored);
    }
    void finish() noexcept { is_finished_ = true; }

private:
    const std::filesystem::path& path_;
    bool is_finished_ = false;
};

// Times travel in steps of 100 ns, the finest that all systems store.
std::int64_t rounded(std::int64_t ns) noexcept {
    const std::int64_t rest = ns % 100;
    return ns - (rest < 0 ? rest + 100 : rest);
}

} // namespace

sdk::ExportResult export_file(Context& context, const sdk::Op& op, const std::string& key,
                              const std::filesystem::path& package) {
    const Folder root = open_marked_root(context.settings);
    const Folder folder = open_path(root, folder_of(key));
    const std::string name = name_of(key);
    File live = folder.open_file(name);
    const std::int64_t read_at_ns = file_clock_now_ns();
    const Evidence before = live.status().evidence;

    File made = File::create_package(package);
    Unfinished unfinished(package);
    const Content content = copy_content(op, live, made);
    // The open file must not have moved, and must still be the one with that name.
    const bool is_still = live.status().evidence == before &&
                          folder.status(name).evidence == before &&
                          content.byte_count == before.byte_count;
    if (!is_still)
        throw sdk::Error(STSYNC_BUSY, "The file is being written; it is looked at again.", 1000);
    made.set_modified(rounded(before.modified_ns));
    unfinished.finish();
    context.cache.store(before, content.digest, read_at_ns);
    return {sdk::mark_of_digest(content.digest), content.byte_count, content.digest};
}

} // namespace filesync
