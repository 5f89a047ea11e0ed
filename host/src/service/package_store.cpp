#include "service/package_store.hpp"

#include "base/clock.hpp"
#include "base/durable.hpp"
#include "base/fault_points.hpp"
#include "base/log.hpp"
#include "base/path_text.hpp"
#include "base/sha256.hpp"
#include "net/codec.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <map>
#include <utility>
#include <vector>

namespace stationsync::host {

namespace {

std::atomic<std::uint64_t> last_staging_file{0};

// SHA-256 and facts of a file in one pass over it.
IoResult<core::PackageInfo> measure(const std::filesystem::path& path, const Operation& operation) {
    auto file = File::open_read(path);
    if (!file)
        return file.error();
    const auto facts = file->facts();
    if (!facts)
        return facts.error();
    Sha256 hash;
    std::vector<std::byte> buffer(std::size_t{1} << 20);
    for (std::uint64_t offset = 0; offset < facts->bytes;) {
        if (operation.is_cancelled())
            return IoError{IoErrorKind::busy, "cancelled"};
        const auto got = file->read_at(buffer, offset);
        if (!got)
            return got.error();
        if (*got == 0)
            return IoError{IoErrorKind::other, "the package became shorter while it was read"};
        hash.update(std::span(buffer).first(*got));
        offset += *got;
    }
    core::PackageInfo package;
    const Sha256Digest digest = hash.finish();
    std::memcpy(package.digest.bytes.data(), digest.data(), digest.size());
    package.bytes = facts->bytes;
    package.modified_100ns = facts->modified_100ns;
    return package;
}

void discard(const std::filesystem::path& file) {
    // Litter in staging is removed at the next start at the latest.
    (void)remove_file(file);
}

} // namespace

core::JobStatus job_status(const IoError& error) {
    switch (error.kind) {
    case IoErrorKind::not_found:
        return core::JobStatus::not_found;
    case IoErrorKind::no_space:
        return core::JobStatus::no_space;
    case IoErrorKind::denied:
        return core::JobStatus::denied;
    case IoErrorKind::busy:
        return core::JobStatus::busy;
    case IoErrorKind::exists:
    case IoErrorKind::other:
        break;
    }
    return core::JobStatus::failed;
}

std::string extension_of(const PluginKind& kind, const std::string& key) {
    if (!kind.package_extension.empty())
        return kind.package_extension;
    const std::size_t name =
        key.find_last_of('/') == std::string::npos ? 0 : key.find_last_of('/') + 1;
    const std::size_t dot = key.find_last_of('.');
    return dot == std::string::npos || dot <= name ? std::string() : key.substr(dot);
}

PackageStore::PackageStore(StoreSettings settings)
    : settings_(std::move(settings)), sync_(settings_.sync), history_(settings_.history) {}

IoResult<void> PackageStore::prepare() {
    // The folder itself stays: rights that somebody gave on it are not to be lost at each start.
    std::error_code ignored; // nothing there yet, or what cannot be removed: the next start tries
    for (std::filesystem::directory_iterator entries(settings_.staging, ignored);
         !ignored && entries != std::filesystem::directory_iterator(); entries.increment(ignored)) {
        std::error_code kept;
        std::filesystem::remove_all(entries->path(), kept);
    }
    return make_directories(settings_.staging);
}

std::filesystem::path PackageStore::staging_file() {
    // The folder may have been deleted with the whole sync directory.
    std::error_code ignored; // the export then says what is wrong
    std::filesystem::create_directories(settings_.staging, ignored);
    return settings_.staging / (std::to_string(++last_staging_file) + ".part");
}

PackageName PackageStore::name_of(const core::ObjectId& object, const core::Revision* revision,
                                  const std::string& extension) const {
    PackageName name;
    name.object = object;
    name.extension = extension;
    name.changed_at_us = revision ? revision->changed_at.us : wall_now_us();
    name.station = revision ? revision->author.station : settings_.self;
    name.sequence = revision ? revision->sequence : 0;
    return name;
}

PackageStore::Exported PackageStore::export_to_staging(ProviderCalls& provider,
                                                       Operation& operation,
                                                       const std::string& key) {
    Exported exported;
    exported.file = staging_file();
    exported.outcome = provider.export_object(operation, key, exported.file);
    if (exported.outcome.status != core::JobStatus::ok) {
        discard(exported.file);
        return exported;
    }
    const auto measured = measure(exported.file, operation);
    if (measured) {
        exported.package = *measured;
        return exported;
    }
    discard(exported.file);
    exported.outcome.status =
        operation.is_cancelled() ? core::JobStatus::cancelled : job_status(measured.error());
    exported.outcome.text = measured.error().text;
    return exported;
}

core::ExportFinished PackageStore::export_object(ProviderCalls& provider, Operation& operation,
                                                 const core::Export& action) {
    core::ExportFinished finished;
    finished.job = action.job;
    const Exported exported = export_to_staging(provider, operation, action.object.key);
    finished.status = exported.outcome.status;
    finished.text = exported.outcome.text;
    finished.retry_after = exported.outcome.retry_after;
    finished.mark = exported.outcome.mark;
    finished.bytes = exported.outcome.bytes;
    finished.digest = exported.outcome.digest;
    finished.package = exported.package;
    if (finished.status != core::JobStatus::ok)
        return finished;
    if (!action.expected.empty() && action.expected != finished.mark) {
        discard(exported.file);
        finished.status = core::JobStatus::changed;
        finished.text = "the live data changed while its package was made";
        return finished;
    }
    finished.live = action.live_allowed && settings_.live_above_bytes != 0 &&
                    exported.package.bytes > settings_.live_above_bytes;
    if (finished.live || action.purpose == core::ExportPurpose::verify) {
        discard(exported.file);
        return finished;
    }
    STSYNC_FAULT_POINT("export.staged");
    const PackageDirectory& target =
        action.purpose == core::ExportPurpose::put_back ? history_ : sync_;
    const auto placed = target.place(
        exported.file, Placement::move,
        name_of(action.object, nullptr, extension_of(provider.kind(), action.object.key)),
        {exported.package, action.object, {}, {}});
    STSYNC_FAULT_POINT("export.placed");
    if (!placed) {
        discard(exported.file);
        finished.status = job_status(placed.error());
        finished.text = placed.error().text;
    }
    return finished;
}

core::HistorySaved PackageStore::save_to_history(ProviderCalls& provider, Operation& operation,
                                                 const core::SaveToHistory& action) {
    core::HistorySaved saved;
    saved.job = action.job;
    const auto fail = [&](core::JobStatus status, std::string text) {
        saved.status = status;
        saved.text = std::move(text);
        return saved;
    };
    const std::string extension = extension_of(provider.kind(), action.object.key);
    for (const core::SaveItem& item : action.items) {
        const PackageName name = name_of(action.object, item.revision.get(), extension);
        PackageDescription description;
        description.object = action.object;
        description.note = core::to_text(item.reason);
        if (item.revision)
            description.revision = encode_revision(*item.revision);
        STSYNC_FAULT_POINT("history.before_save");
        if (item.package) {
            if (const auto kept = history_.find(action.object, item.package->digest)) {
                saved.items.push_back({true, kept->description.package});
                continue;
            }
            if (const auto stored = sync_.find(action.object, item.package->digest)) {
                description.package = stored->description.package;
                const auto placed =
                    history_.place(stored->file, Placement::link, name, description);
                if (!placed)
                    return fail(job_status(placed.error()), placed.error().text);
                saved.items.push_back({true, description.package});
                continue;
            }
        }
        if (!item.from_live) {
            saved.items.push_back({false, {}});
            continue;
        }
        const Exported exported = export_to_staging(provider, operation, action.object.key);
        if (exported.outcome.status != core::JobStatus::ok)
            return fail(exported.outcome.status == core::JobStatus::not_found
                            ? core::JobStatus::changed
                            : exported.outcome.status,
                        exported.outcome.text);
        if (exported.outcome.mark != item.mark) {
            discard(exported.file);
            return fail(core::JobStatus::changed, "the live data changed meanwhile");
        }
        description.package = exported.package;
        const auto placed = history_.place(exported.file, Placement::move, name, description);
        if (!placed) {
            discard(exported.file);
            return fail(job_status(placed.error()), placed.error().text);
        }
        saved.items.push_back({true, exported.package});
    }
    STSYNC_FAULT_POINT("history.saved");
    return saved;
}

void PackageStore::describe(std::span<const DescribedPackage> packages) {
    for (const bool in_history : {false, true}) {
        const PackageDirectory& directory = in_history ? history_ : sync_;
        // Two of one object could be given the same name: one at a time.
        std::map<core::ObjectId, DescribeRequest> group;
        const auto write = [&] {
            std::vector<DescribeRequest> requests;
            for (auto& [object, request] : std::exchange(group, {}))
                requests.push_back(std::move(request));
            for (const auto& described : directory.describe(requests))
                if (!described)
                    log::write_limited("describe", log::Level::warning, "packages",
                                       described.error().text);
        };
        for (const DescribedPackage& each : packages) {
            const core::DescribePackage& action = each.action;
            if (action.in_history != in_history)
                continue;
            const auto place = group.find(action.object);
            if (place != group.end() && place->second.package != action.package)
                write();
            group[action.object] = {action.package,
                                    name_of(action.object, action.revision.get(), each.extension),
                                    action.revision ? encode_revision(*action.revision)
                                                    : std::string(),
                                    {}};
        }
        write();
    }
}

IoResult<void> PackageStore::drop(const core::DropPackage& action) {
    return (action.from_history ? history_ : sync_).remove(action.object, action.package);
}

IoResult<void> PackageStore::adopt_kept(const core::AdoptKept& action,
                                        const std::string& extension) {
    const auto kept = history_.find(action.object, action.package.digest);
    if (!kept)
        return kept.error();
    const auto placed = sync_.place(
        kept->file, Placement::link, name_of(action.object, action.revision.get(), extension),
        {action.package,
         action.object,
         action.revision ? encode_revision(*action.revision) : std::string(),
         {}});
    if (placed)
        return {};
    IoError error = placed.error();
    if (error.kind == IoErrorKind::not_found) // of the sync directory: the kept file is there
        error.kind = IoErrorKind::other;
    return error;
}

IoResult<std::filesystem::path> PackageStore::find(const core::ObjectId& object,
                                                   const core::Digest& package) const {
    if (auto stored = sync_.find(object, package))
        return stored->file;
    auto kept = history_.find(object, package);
    if (!kept)
        return kept.error();
    return kept->file;
}

IoResult<std::filesystem::path> PackageStore::export_live(ProviderCalls& provider,
                                                          Operation& operation,
                                                          const core::ObjectId& object,
                                                          const core::Digest& package) {
    const Exported exported = export_to_staging(provider, operation, object.key);
    if (exported.outcome.status != core::JobStatus::ok)
        return IoError{IoErrorKind::not_found, exported.outcome.text};
    if (exported.package.digest == package)
        return exported.file;
    discard(exported.file);
    return IoError{IoErrorKind::not_found, "the live data is not that package any more"};
}

} // namespace stationsync::host
