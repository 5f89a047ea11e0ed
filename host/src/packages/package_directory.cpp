#include "packages/package_directory.hpp"

#include "base/durable.hpp"
#include "base/fault_points.hpp"
#include "base/path_text.hpp"

#include <string_view>

namespace stationsync::host {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view part_suffix = ".part";
constexpr std::string_view description_suffix = ".rev";

fs::path with_suffix(fs::path path, std::string_view suffix) {
    path += path_of(suffix);
    return path;
}

bool ends_in(const fs::path& path, std::string_view suffix) {
    return path_text(path.filename()).ends_with(suffix);
}

fs::path without_description_suffix(const fs::path& path) {
    std::string name = path_text(path.filename());
    name.resize(name.size() - description_suffix.size());
    return path.parent_path() / path_of(name);
}

IoResult<PackageDescription> read_description(const fs::path& path) {
    const auto text = read_whole(path, description_bytes_max);
    if (!text) {
        return text.error();
    }
    auto description = decode_description(std::as_bytes(std::span(*text)));
    if (!description) {
        return IoError{IoErrorKind::other, path_text(path) + ": " + description.error()};
    }
    return std::move(*description);
}

// The package beside a description, when both are whole.
IoResult<StoredPackage> read_stored(const fs::path& description_path) {
    auto description = read_description(description_path);
    if (!description) {
        return description.error();
    }
    StoredPackage stored{without_description_suffix(description_path), std::move(*description)};
    const auto facts = file_facts(stored.file);
    if (!facts) {
        return facts.error();
    }
    if (facts->bytes != stored.description.package.bytes) {
        return IoError{IoErrorKind::not_found,
                       path_text(stored.file) + " does not have the size of its package"};
    }
    return stored;
}

// Calls `call` for each entry; an unreadable or missing folder has none.
template <class Call>
void for_each_entry(const fs::path& folder, Call call) {
    std::error_code code;
    for (fs::directory_iterator entry(folder, code), end; !code && entry != end;
         entry.increment(code)) {
        call(*entry);
    }
}

bool is_real_directory(const fs::directory_entry& entry) {
    std::error_code code;
    return entry.symlink_status(code).type() == fs::file_type::directory;
}

// Calls `call` with each object's folder.
template <class Call>
void for_each_object_folder(const fs::path& folder, Call call) {
    for_each_entry(folder, [&](const fs::directory_entry& provider) {
        if (is_real_directory(provider)) {
            for_each_entry(provider.path(), [&](const fs::directory_entry& object) {
                if (is_real_directory(object)) {
                    call(object.path());
                }
            });
        }
    });
}

} // namespace

fs::path PackageSlot::part() const {
    return with_suffix(file, part_suffix);
}
fs::path PackageSlot::journal() const {
    return with_suffix(file, ".have.part");
}
fs::path PackageSlot::description() const {
    return with_suffix(file, description_suffix);
}

PackageDirectory::PackageDirectory(fs::path folder) : folder_(std::move(folder)) {}

fs::path PackageDirectory::object_path(const core::ObjectId& object) const {
    return folder_ / object_folder(object, path_text(folder_).size());
}

fs::path PackageDirectory::existing_object_path(const core::ObjectId& object) const {
    fs::path path = object_path(object);
    std::error_code code;
    if (fs::exists(path, code)) {
        return path;
    }
    // A directory that was moved keeps names that were cut for another length. Most objects have no
    // folder at all: each is asked for by name, for a plant has tens of thousands of them.
    for (const std::string& name : object_folder_names(object.key)) {
        fs::path other = path.parent_path() / path_of(name);
        if (fs::exists(other, code)) {
            return other;
        }
    }
    return path;
}

IoResult<PackageSlot> PackageDirectory::reserve(const PackageName& name,
                                                const core::Digest& package) const {
    const fs::path folder = object_path(name.object);
    std::error_code code;
    fs::create_directories(folder, code);
    if (code) {
        return io_error("create the folder", folder, code);
    }
    constexpr unsigned copies_max = 1000;
    for (unsigned copy = 1; copy <= copies_max; ++copy) {
        PackageSlot slot{folder / path_of(package_file_name(name, copy)), false};
        if (!fs::exists(slot.file, code)) {
            return slot;
        }
        const auto description = read_description(slot.description());
        if (description && description->package.digest == package) {
            const auto facts = file_facts(slot.file);
            slot.taken = facts && facts->bytes == description->package.bytes;
            return slot;
        }
    }
    return IoError{IoErrorKind::exists,
                   path_text(folder) + " holds too many packages of one revision"};
}

IoResult<StoredPackage> PackageDirectory::place(const fs::path& from, Placement placement,
                                                const PackageName& name,
                                                const PackageDescription& description) const {
    auto slot = reserve(name, description.package.digest);
    if (!slot) {
        return slot.error();
    }
    if (slot->taken) {
        if (placement == Placement::move) {
            static_cast<void>(remove_file(from));
        }
        return describe(description.package.digest, name, description.revision, description.note);
    }
    static_cast<void>(remove_file(slot->part())); // left over from a crash
    bool in_place = false;
    if (placement == Placement::move) {
        in_place = rename_over(from, slot->part()).has_value();
    }
    if (!in_place) {
        auto linked = link_or_copy(from, slot->part(), placement != Placement::copy);
        if (!linked) {
            std::error_code code;
            fs::remove(slot->file.parent_path(), code); // when it is empty
            return linked.error();
        }
    }
    STSYNC_FAULT_POINT("package.placed");
    PendingPackage pending{*slot, description, std::nullopt};
    if (auto results = commit_packages(std::span(&pending, 1)); !results.front()) {
        return results.front().error();
    }
    if (placement == Placement::move && !in_place) {
        static_cast<void>(remove_file(from));
    }
    return StoredPackage{slot->file, description};
}

IoResult<StoredPackage> PackageDirectory::find(const core::ObjectId& object,
                                               const core::Digest& package) const {
    for (StoredPackage& stored : list(object)) {
        if (stored.description.package.digest == package) {
            return std::move(stored);
        }
    }
    return IoError{IoErrorKind::not_found, "the package of " + object.provider + "/" + object.key +
                                               " is not in " + path_text(folder_)};
}

std::vector<StoredPackage> PackageDirectory::list(const core::ObjectId& object) const {
    std::vector<StoredPackage> packages;
    for_each_entry(existing_object_path(object), [&](const fs::directory_entry& entry) {
        if (!ends_in(entry.path(), description_suffix)) {
            return;
        }
        auto stored = read_stored(entry.path());
        if (stored && stored->description.object == object) {
            packages.push_back(std::move(*stored));
        }
    });
    return packages;
}

IoResult<void> PackageDirectory::remove(const core::ObjectId& object,
                                        const core::Digest& package) const {
    const fs::path folder = existing_object_path(object);
    std::vector<PackageSlot> found;
    for_each_entry(folder, [&](const fs::directory_entry& entry) {
        if (!ends_in(entry.path(), description_suffix)) {
            return;
        }
        const auto description = read_description(entry.path());
        if (description && description->object == object &&
            description->package.digest == package) {
            found.push_back({without_description_suffix(entry.path()), true});
        }
    });
    for (const PackageSlot& slot : found) {
        // The package first: a description alone is litter that a sweep recognises.
        if (auto removed = remove_file(slot.file); !removed) {
            return removed;
        }
        STSYNC_FAULT_POINT("package.half_removed");
        if (auto removed = remove_file(slot.description()); !removed) {
            return removed;
        }
    }
    std::error_code code;
    fs::remove(folder, code); // when it is empty
    return {};
}

void PackageDirectory::visit(const Visitor& visitor) const {
    for_each_object_folder(folder_, [&](const fs::path& folder) {
        for_each_entry(folder, [&](const fs::directory_entry& entry) {
            const fs::path& path = entry.path();
            if (ends_in(path, part_suffix)) {
                if (visitor.part && !ends_in(path, ".have.part")) {
                    visitor.part(path);
                }
            } else if (ends_in(path, description_suffix)) {
                auto description = read_description(path);
                const fs::path file = without_description_suffix(path);
                const auto facts = file_facts(file);
                if (!description) {
                    return; // its package is `unknown`
                }
                if (facts && facts->bytes == description->package.bytes) {
                    if (visitor.package) {
                        visitor.package({file, std::move(*description)});
                    }
                } else if (visitor.lost &&
                           // A crash while a package was renamed leaves a second description.
                           !find(description->object, description->package.digest)) {
                    visitor.lost(*description);
                }
            } else if (visitor.unknown) {
                const PackageSlot slot{path, true};
                if (!read_description(slot.description())) {
                    visitor.unknown(path);
                }
            }
        });
    });
}

namespace {

constexpr std::string_view journal_suffix = ".have.part";

// Of a fetch that may go on: its part file, or its journal.
std::optional<fs::path> part_of_fetch(const fs::path& path) {
    std::error_code code;
    if (ends_in(path, journal_suffix)) {
        std::string name = path_text(path);
        name.resize(name.size() - journal_suffix.size());
        return with_suffix(path_of(name), part_suffix);
    }
    std::string name = path_text(path);
    name.resize(name.size() - part_suffix.size());
    return fs::exists(with_suffix(path_of(name), journal_suffix), code) ? std::optional(path)
                                                                        : std::nullopt;
}

} // namespace

std::set<fs::path> PackageDirectory::sweep(const std::set<fs::path>& unwanted) const {
    std::set<fs::path> seen_now;
    for_each_object_folder(folder_, [&](const fs::path& folder) {
        std::vector<fs::path> litter;
        for_each_entry(folder, [&](const fs::directory_entry& entry) {
            const fs::path& path = entry.path();
            std::error_code code;
            const bool is_part = ends_in(path, part_suffix);
            const bool lone_description = ends_in(path, description_suffix) &&
                                          !fs::exists(without_description_suffix(path), code);
            if (!lone_description && !is_part) {
                return;
            }
            const auto fetch = is_part ? part_of_fetch(path) : std::nullopt;
            if (unwanted.contains(fetch.value_or(path))) {
                litter.push_back(path);
            } else if (!fetch) {
                seen_now.insert(path);
            }
        });
        for (const fs::path& path : litter) {
            static_cast<void>(remove_file(path)); // a later sweep tries again
        }
        std::error_code code;
        fs::remove(folder, code); // when it is empty
    });
    return seen_now;
}

} // namespace stationsync::host
