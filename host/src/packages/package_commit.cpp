// Making packages durable, many at a time.
#include "base/durable.hpp"
#include "base/fault_points.hpp"
#include "packages/package_directory.hpp"

#include <set>

namespace stationsync::host {
namespace {

// Below this number a sync per file is cheaper than one of the whole file system, which also writes
// what other programs have left dirty.
constexpr std::size_t group_min = 8;

IoResult<void> write_file(const std::filesystem::path& path, std::span<const std::byte> bytes,
                          std::optional<std::int64_t> modified_100ns, bool sync) {
    auto file = File::create_new(path);
    if (!file && file.error().kind == IoErrorKind::exists) {
        // Left over from a crash. Not emptied in place: a part may be a hard link to a package.
        if (auto removed = remove_file(path); !removed) {
            return removed;
        }
        file = File::create_new(path);
    }
    if (!file) {
        return file.error();
    }
    if (auto written = file->write_at(bytes, 0); !written) {
        return written;
    }
    if (modified_100ns) {
        if (auto set = file->set_modified(*modified_100ns); !set) {
            return set;
        }
    }
    return sync ? file->sync() : IoResult<void>{};
}

IoResult<void> sync_file(const std::filesystem::path& path) {
    auto file = File::open_update(path);
    return file ? file->sync() : IoResult<void>(file.error());
}

// The folder may have been deleted since the slot was reserved. Its names are synced later.
IoResult<void> ensure_folder(const std::filesystem::path& file) {
    std::error_code code;
    std::filesystem::create_directories(file.parent_path(), code);
    return code ? IoResult<void>(io_error("create the folder", file.parent_path(), code))
                : IoResult<void>{};
}

IoResult<void> write_files(const PendingPackage& package, bool sync) {
    if (auto made = ensure_folder(package.slot.file); !made) {
        return made;
    }
    IoResult<void> done;
    if (package.content) {
        done = write_file(package.slot.part(), *package.content,
                          package.description.package.modified_100ns, sync);
        STSYNC_FAULT_POINT("package.small_written");
    } else if (sync) {
        done = sync_file(package.slot.part());
    }
    if (done) {
        done =
            write_file(package.slot.description(), encode(package.description), std::nullopt, sync);
    }
    return done;
}

void drop_files(const PackageSlot& slot) {
    // The reason of the failure matters, not that of the clean-up.
    static_cast<void>(remove_file(slot.part()));
    static_cast<void>(remove_file(slot.journal()));
    static_cast<void>(remove_file(slot.description()));
    static_cast<void>(remove_file(slot.file)); // not durable, so nobody may rely on it
    std::error_code code;
    std::filesystem::remove(slot.file.parent_path(), code); // when it is empty
}

class Batch {
public:
    explicit Batch(std::span<PendingPackage> packages)
        : packages_(packages), results_(packages.size()) {}

    std::vector<IoResult<void>> run() {
        bool grouped = packages_.size() >= group_min;
        each([&](PendingPackage& package) { return write_files(package, !grouped); });
        if (grouped) {
            grouped = sync_group();
        }
        STSYNC_FAULT_POINT("package.synced");
        each([](PendingPackage& package) {
            auto renamed = rename_over(package.slot.part(), package.slot.file);
            if (renamed) {
                renamed = remove_file(package.slot.journal());
            }
            return renamed;
        });
        STSYNC_FAULT_POINT("package.renamed");
        if (!grouped || !sync_group()) {
            sync_folders();
        }
        for (std::size_t index = 0; index < packages_.size(); ++index) {
            if (!results_[index]) {
                drop_files(packages_[index].slot);
            }
        }
        STSYNC_FAULT_POINT("package.committed");
        return std::move(results_);
    }

private:
    template <class Step>
    void each(Step step) {
        for (std::size_t index = 0; index < packages_.size(); ++index) {
            if (results_[index]) {
                results_[index] = step(packages_[index]);
            }
        }
    }

    // False: the system cannot sync all at once, and each file has been synced by itself.
    bool sync_group() {
        const auto synced = sync_filesystem(packages_.front().slot.file.parent_path());
        if (synced && *synced) {
            return true;
        }
        if (!synced) {
            each([&](PendingPackage&) { return IoResult<void>(synced.error()); });
            return true;
        }
        each([](PendingPackage& package) {
            std::error_code code;
            const auto part = package.slot.part();
            auto done = sync_file(std::filesystem::exists(part, code) ? part : package.slot.file);
            return done ? sync_file(package.slot.description()) : done;
        });
        return false;
    }

    // New names in the object's, the provider's and the project's folder.
    void sync_folders() {
        std::set<std::filesystem::path> synced;
        each([&](PendingPackage& package) {
            std::filesystem::path folder = package.slot.file.parent_path();
            for (int level = 0; level < 3; ++level, folder = folder.parent_path()) {
                if (synced.insert(folder).second) {
                    if (auto done = sync_directory(folder); !done) {
                        return done;
                    }
                }
            }
            return IoResult<void>{};
        });
    }

    std::span<PendingPackage> packages_;
    std::vector<IoResult<void>> results_;
};

} // namespace

std::vector<IoResult<void>> commit_packages(std::span<PendingPackage> packages) {
    if (packages.empty()) {
        return {};
    }
    return Batch(packages).run();
}

} // namespace stationsync::host
