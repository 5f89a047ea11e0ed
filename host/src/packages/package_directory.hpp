// A folder of packages of one project: the sync directory and the history directory alike.
//
//   FOLDER/PROVIDER/READABLE~HASH/UTC-STATION-REVISION.EXT       the package, as the provider wrote
//   it
//   ....EXT.rev                                                  its description
//   (package_description.hpp)
//   ....EXT.part, ....EXT.have.part                              an unfinished package and its
//   journal
//
// All functions block: worker threads only. The class keeps nothing but the folder's name, so any
// number of threads may use it at once; two of them must not change packages of one object at once.
// Every folder is made again when somebody has deleted it.
#pragma once

#include "base/io_result.hpp"
#include "packages/package_description.hpp"
#include "packages/package_name.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <vector>

namespace stationsync::host {

// Where a new package will lie.
struct PackageSlot {
    std::filesystem::path file;
    bool taken = false; // this very package (same digest) is there already
    [[nodiscard]] std::filesystem::path part() const;        // file + ".part"
    [[nodiscard]] std::filesystem::path journal() const;     // file + ".have.part"
    [[nodiscard]] std::filesystem::path description() const; // file + ".rev"
};

struct StoredPackage {
    std::filesystem::path file;
    PackageDescription description;
};

// A package on its way in: the slot's part file is written completely, or `content` is to become
// it.
struct PendingPackage {
    PackageSlot slot;
    PackageDescription description;
    std::optional<std::vector<std::byte>> content; // for small packages
};

enum class Placement {
    link, // hard link, clone or copy, whichever the file system offers; `from` stays
    copy, // never shares an inode with `from`: for live files that are written in place
    move, // `from` is gone afterwards
};

// Makes all of them durable under their names, with one sync of the file system for many. The
// result of each in order; what failed leaves nothing behind, and without room on the disk the
// class is `no_space`.
[[nodiscard]] std::vector<IoResult<void>> commit_packages(std::span<PendingPackage> packages);

struct DescribeRequest {
    core::Digest package;
    PackageName name;
    std::string revision;
    std::string note;
};

class PackageDirectory {
public:
    // `folder` belongs to one project; it is made when the first package comes.
    explicit PackageDirectory(std::filesystem::path folder);

    [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }

    // The slot for a package of this name, its folder made. The same arguments give the same slot
    // again after a restart, so that a fetch finds its part file. Another package of the same
    // revision gets a slot of its own.
    [[nodiscard]] IoResult<PackageSlot> reserve(const PackageName& name,
                                                const core::Digest& package) const;

    // Brings an existing file in, durable. Answers where it lies.
    [[nodiscard]] IoResult<StoredPackage> place(const std::filesystem::path& from,
                                                Placement placement, const PackageName& name,
                                                const PackageDescription& description) const;

    // Writes the description again, durable: the revision is known once the package is sealed.
    // Renames the package when `name` says so.
    [[nodiscard]] IoResult<StoredPackage> describe(const core::Digest& package,
                                                   const PackageName& name,
                                                   const std::string& revision,
                                                   const std::string& note) const;

    // The same for many, with few syncs; one answer for each. No package twice in one call.
    [[nodiscard]] std::vector<IoResult<StoredPackage>>
    describe(std::span<const DescribeRequest> requests) const;

    // `not_found` when the file or its description is gone or does not have its size any more.
    [[nodiscard]] IoResult<StoredPackage> find(const core::ObjectId& object,
                                               const core::Digest& package) const;
    [[nodiscard]] std::vector<StoredPackage> list(const core::ObjectId& object) const;

    // Removes package and description, and the object's folder when that was the last. Success when
    // there is nothing.
    [[nodiscard]] IoResult<void> remove(const core::ObjectId& object,
                                        const core::Digest& package) const;

    struct Visitor {
        std::function<void(const StoredPackage&)> package;
        // A description whose package is gone (deleted by hand) or has another size.
        std::function<void(const PackageDescription&)> lost;
        // A file without a readable description: content that nobody can assign.
        std::function<void(const std::filesystem::path&)> unknown;
        // An unfinished package.
        std::function<void(const std::filesystem::path&)> part;
    };
    // Walks everything; memory does not grow with the number of packages. Empty functions are not
    // called. A folder that does not exist is empty.
    void visit(const Visitor& visitor) const;

    // Removes those unfinished packages (with their journals) and descriptions without a package
    // that are named. Returns the others that no fetch will continue: the litter of a crash, or
    // what is being written just now, which a second look tells apart.
    std::set<std::filesystem::path> sweep(const std::set<std::filesystem::path>& unwanted) const;

private:
    [[nodiscard]] std::filesystem::path object_path(const core::ObjectId& object) const;
    [[nodiscard]] std::filesystem::path existing_object_path(const core::ObjectId& object) const;

    std::filesystem::path folder_;
};

} // namespace stationsync::host
