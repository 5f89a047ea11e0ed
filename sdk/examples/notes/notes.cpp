// A complete provider: every file in one folder is an object.
#include <stationsync/plugin.hpp>

namespace sdk = stationsync::sdk;
namespace fs = std::filesystem;

class Notes final : public sdk::Provider {
    fs::path root_;
    fs::path file(const std::string& key) const { return root_ / sdk::path_from_utf8(key); }

public:
    static constexpr sdk::Options options{STSYNC_KEYS_ARE_PATHS | STSYNC_EXPORT_REPRODUCIBLE};
    explicit Notes(sdk::Host host) : root_(host.config_path("root")) {}

    void recover(sdk::Op&) override { sdk::remove_temp_files(root_); }
    void scan(sdk::Op& op, const sdk::Scope&, sdk::ObjectSink& out) override {
        for (const auto& entry : fs::directory_iterator(root_)) {
            op.check();
            const std::string key = sdk::utf8_from_path(entry.path().filename());
            if (entry.is_regular_file() && !sdk::is_temp_name(key))
                out.add(sdk::object_of_file(key, entry.path()));
        }
    }
    sdk::ExportResult export_object(sdk::Op&, const std::string& key,
                                    const fs::path& package) override {
        fs::copy_file(file(key), package);
        fs::last_write_time(package, fs::last_write_time(file(key)));
        const sdk::Digest digest = sdk::digest_of_file(package);
        return {sdk::mark_of_digest(digest), fs::file_size(package), digest};
    }
    sdk::ApplyResult apply(sdk::Op& op, const std::string& key, const fs::path& package,
                           const sdk::ApplyInfo& info) override {
        const sdk::Mark present = sdk::mark_of_file(file(key));
        if (present != sdk::mark_of_file(package))
            sdk::require_mark(present, info);
        return {sdk::atomic_replace(op, package, file(key))};
    }
};

STSYNC_PROVIDER(Notes, "org.example.notes", "Notes folder", "1.0.0")
