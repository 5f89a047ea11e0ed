// Writing the descriptions of packages again, many at a time: the revision is known once a package
// is sealed, and a first scan seals thousands.
#include "base/durable.hpp"
#include "base/fault_points.hpp"
#include "base/path_text.hpp"
#include "packages/package_directory.hpp"

namespace stationsync::host {
namespace {

// Below this number a sync per file is cheaper than one of the whole file system.
constexpr std::size_t group_min = 8;

std::filesystem::path part_of(const PackageSlot& slot) {
    std::filesystem::path part = slot.description();
    part += ".part";
    return part;
}

struct Item {
    const DescribeRequest* request = nullptr;
    StoredPackage stored;
    PackageSlot old_slot;
    PackageSlot slot;
    IoResult<void> done;
    [[nodiscard]] bool moves() const { return slot.file != old_slot.file; }
};

class Batch {
public:
    Batch(const PackageDirectory& directory, std::span<const DescribeRequest> requests)
        : directory_(directory), items_(requests.size()), grouped_(requests.size() >= group_min) {
        for (std::size_t i = 0; i < requests.size(); ++i) {
            items_[i].request = &requests[i];
        }
    }

    std::vector<IoResult<StoredPackage>> run() {
        each([&](Item& item) { return prepare(item); });
        sync_all([](const Item& item) { return part_of(item.slot); }, false);
        // The new description before the new name: a package without one would not be found.
        each([](Item& item) { return rename_over(part_of(item.slot), item.slot.description()); });
        sync_all([](const Item& item) { return item.slot.description().parent_path(); }, true);
        STSYNC_FAULT_POINT("package.described");
        bool moved = false;
        each([&](Item& item) {
            moved = moved || item.moves();
            return item.moves() ? rename_over(item.old_slot.file, item.slot.file)
                                : IoResult<void>{};
        });
        if (moved) {
            sync_all([](const Item& item) { return item.slot.file.parent_path(); }, true);
        }
        STSYNC_FAULT_POINT("package.sealed");
        std::vector<IoResult<StoredPackage>> results;
        for (Item& item : items_) {
            if (item.done && item.moves()) {
                static_cast<void>(remove_file(item.old_slot.description())); // a sweep finds it
            }
            item.stored.file = item.slot.file;
            results.push_back(item.done ? IoResult<StoredPackage>(std::move(item.stored))
                                        : IoResult<StoredPackage>(item.done.error()));
        }
        return results;
    }

private:
    template <class Step>
    void each(Step step) {
        for (Item& item : items_) {
            if (item.done) {
                item.done = step(item);
            }
        }
    }

    IoResult<void> prepare(Item& item) {
        const DescribeRequest& request = *item.request;
        auto stored = directory_.find(request.name.object, request.package);
        if (!stored) {
            return stored.error();
        }
        item.stored = std::move(*stored);
        item.stored.description.revision = request.revision;
        item.stored.description.note = request.note;
        item.old_slot = {item.stored.file, true};
        item.slot = item.old_slot;
        // Only a package that was not yet named after its revision, or was named otherwise, moves.
        const PackageName& name = request.name;
        const bool renames = path_text(item.old_slot.file.filename())
                                 .find(package_file_name({name.object, name.changed_at_us,
                                                          name.station, name.sequence, ""})) != 0;
        if (renames) {
            auto found = directory_.reserve(name, request.package);
            if (!found) {
                return found.error();
            }
            item.slot = *found;
        }
        auto part = File::create(part_of(item.slot));
        if (!part) {
            return part.error();
        }
        return part->write_at(encode(item.stored.description), 0);
    }

    // Files, or the folders of names.
    template <class Path>
    void sync_all(Path path_of_item, bool folders) {
        if (grouped_) {
            const auto synced = sync_filesystem(directory_.folder());
            if (synced && *synced) {
                return;
            }
            grouped_ = false; // each by itself: the system has no such call, or it failed
        }
        each([&](const Item& item) -> IoResult<void> {
            const std::filesystem::path path = path_of_item(item);
            if (folders) {
                return sync_directory(path);
            }
            auto file = File::open_update(path);
            return file ? file->sync() : IoResult<void>(file.error());
        });
    }

    const PackageDirectory& directory_;
    std::vector<Item> items_;
    bool grouped_;
};

} // namespace

std::vector<IoResult<StoredPackage>>
PackageDirectory::describe(std::span<const DescribeRequest> requests) const {
    return Batch(*this, requests).run();
}

IoResult<StoredPackage> PackageDirectory::describe(const core::Digest& package,
                                                   const PackageName& name,
                                                   const std::string& revision,
                                                   const std::string& note) const {
    const DescribeRequest request{package, name, revision, note};
    return std::move(describe(std::span(&request, 1)).front());
}

} // namespace stationsync::host
