// The directories against the records: packages that vanished, files that nobody needs, a history
// that is found again after the state database was lost (rules 9, 16, 18).
#include "service/runtime.hpp"

#include "base/durable.hpp"
#include "base/log.hpp"
#include "base/path_text.hpp"

#include <algorithm>

namespace stationsync::host {

namespace {

constexpr std::chrono::seconds look_every{5};
constexpr int rounds_between = 120; // complete comparisons: every ten minutes
constexpr std::size_t lost_at_once_max = 1000;

bool is_referenced(const core::ObjectRecord& record, const core::Digest& package, bool in_history) {
    if (in_history)
        return std::any_of(record.kept.begin(), record.kept.end(),
                           [&](const auto& kept) { return kept.package.digest == package; }) ||
               (record.intent &&
                std::any_of(record.intent->replaced.begin(), record.intent->replaced.end(),
                            [&](const auto& kept) { return kept.package.digest == package; }));
    return std::any_of(record.packages.begin(), record.packages.end(),
                       [&](const auto& local) { return local.package.digest == package; }) ||
           (record.intent && record.intent->package.digest == package);
}

// What a package says of itself; null: a state that was never sealed.
core::RevisionPtr revision_of(const PackageDescription& description) {
    if (description.revision.empty())
        return nullptr;
    auto revision = decode_revision(description.revision);
    return revision ? std::make_shared<const core::Revision>(std::move(*revision)) : nullptr;
}

// Nothing is under way that may be about to need a file.
bool is_quiet(core::ObjectState state) {
    return state == core::ObjectState::in_sync || state == core::ObjectState::held;
}

} // namespace

// Every few seconds: is the directory still there? Now and then: does everything fit?
void Runtime::keep_house() {
    house_timer_.set(look_every, alive([this] { keep_house(); }));
    if (ending_ || house_jobs_ != 0)
        return;
    std::error_code error;
    const bool missing = had_packages_ && !std::filesystem::exists(store_->sync().folder(), error);
    const bool due = missing || more_is_lost_ || !litter_->empty();
    if (!due && ++house_rounds_ < rounds_between && house_done_once_)
        return;
    if (!missing && !house_done_once_ && !engine_->in_step())
        return; // what a fetch or an apply goes on with must stay
    house_rounds_ = 0;
    house_done_once_ = true;
    look_for_lost();
    compare_directories();
}

// Package files that the records name and that are gone: deleted by hand, or with the directory.
void Runtime::look_for_lost() {
    struct Named {
        core::ObjectId object;
        core::Digest package;
        bool in_history = false;
        bool lost = false;
    };
    auto named = std::make_shared<std::vector<Named>>();
    for (const core::ObjectView& view : engine_->objects())
        if (const core::ObjectRecord* const record = engine_->record(view.id)) {
            for (const core::LocalPackage& local : record->packages)
                if (!local.live)
                    named->push_back({view.id, local.package.digest});
            for (const core::KeptState& kept : record->kept)
                named->push_back({view.id, kept.package.digest, true});
        }
    had_packages_ = std::any_of(named->begin(), named->end(),
                                [](const Named& each) { return !each.in_history; });
    ++house_jobs_;
    auto look = [named, store = store_] {
        std::size_t lost = 0;
        for (Named& each : *named)
            if (const auto& directory = each.in_history ? store->history() : store->sync();
                lost < lost_at_once_max && !directory.find(each.object, each.package)) {
                each.lost = true;
                ++lost;
            }
    };
    auto tell = alive([this, named] {
        --house_jobs_;
        more_is_lost_ =
            lost_at_once_max <=
            static_cast<std::size_t>(std::count_if(named->begin(), named->end(),
                                                   [](const Named& each) { return each.lost; }));
        for (const Named& each : *named)
            if (each.lost)
                feed(core::PackageLost{each.object, each.package, each.in_history});
    });
    pool_.submit(std::move(look), std::move(tell));
}

// Files that no record names: a process died between writing a package and recording it, or the
// disk of the history was away for a time.
void Runtime::compare_directories() {
    struct Found {
        PackageDescription description;
        bool in_history = false;
    };
    auto found = std::make_shared<std::vector<Found>>();
    auto parts = std::make_shared<std::vector<UnfinishedPart>>();
    auto walk = [found, parts, store = store_] {
        for (const bool in_history : {false, true}) {
            PackageDirectory::Visitor visitor;
            visitor.package = [&](const StoredPackage& stored) {
                found->push_back({stored.description, in_history});
            };
            if (!in_history)
                visitor.part = [&](const std::filesystem::path& file) {
                    if (const auto facts = file_facts(file))
                        parts->push_back({file, facts->bytes, facts->modified_100ns / 10});
                };
            (in_history ? store->history() : store->sync()).visit(visitor);
        }
    };
    ++house_jobs_;
    auto compare = alive([this, found, parts] {
        --house_jobs_;
        sweep_parts(*parts);
        for (const Found& each : *found) {
            const core::ObjectId& object = each.description.object;
            const core::PackageInfo& package = each.description.package;
            const core::ObjectRecord* const record = engine_->record(object);
            const auto view = engine_->object(object);
            if (!record || !view || !is_quiet(view->state) ||
                is_referenced(*record, package.digest, each.in_history))
                continue;
            if (each.in_history) { // it may have come back with its disk: the engine decides
                feed(core::KeptFound{object, package, revision_of(each.description)});
                continue;
            }
            log::info("packages", "a package that nothing refers to is removed",
                      {{}, core::to_text(object), {}});
            core::DropPackage drop{object, package.digest, false};
            act(drop);
        }
    });
    pool_.submit(std::move(walk), std::move(compare));
}

// A fetch whose sources are away goes on where it stopped once they are back; what nobody has
// continued for long, or what does not fit, goes. What a crash left goes at the second look.
void Runtime::sweep_parts(const std::vector<UnfinishedPart>& parts) {
    const bool in_step = engine_->in_step();
    std::set<std::filesystem::path> litter = std::exchange(*litter_, {});
    if (ending_ || transfer_->is_busy())
        return; // the next round looks again
    const auto& sync = settings_.station.sync;
    auto unwanted = parts_to_drop(parts, {sync.size_max_bytes, sync.age_max}, now().wall.us);
    if (in_step) // else an export may have its unfinished file there
        unwanted.merge(litter);
    auto sweep = [store = store_, unwanted = std::move(unwanted), in_step, seen = litter_] {
        auto now = store->sync().sweep(unwanted);
        if (in_step)
            *seen = std::move(now);
    };
    ++house_jobs_;
    pool_.submit(std::move(sweep), alive([this] { --house_jobs_; }));
}

// The state database was lost: what the packages tell of themselves goes to the history as "found".
IoResult<void> Runtime::find_history_again(core::DurableState& state) {
    std::map<core::ObjectId, core::ObjectRecord> records;
    std::vector<core::Mutation> mutations;
    const core::WallTime at = now().wall;
    const auto take = [&](const PackageDescription& description) {
        core::ObjectRecord& record = records[description.object];
        record.id = description.object;
        const bool known =
            std::any_of(record.kept.begin(), record.kept.end(), [&](const auto& kept) {
                return kept.package.digest == description.package.digest;
            });
        if (known)
            return;
        core::KeptState kept;
        kept.package = description.package;
        kept.reason = core::KeptReason::found;
        kept.kept_at = at;
        kept.bytes = description.package.bytes;
        kept.revision = revision_of(description);
        if (kept.revision) {
            kept.digest = kept.revision->digest;
            kept.bytes = kept.revision->bytes;
        }
        core::HistoryEntry entry;
        entry.at = at;
        entry.object = description.object;
        entry.what = core::HistoryWhat::found;
        entry.version = core::version_id(kept.revision, kept.package);
        entry.from = kept.revision ? kept.revision->author.station : settings_.self;
        entry.stamp = kept.revision ? kept.revision->stamp : core::Stamp{};
        entry.bytes = kept.bytes;
        entry.kept = true;
        entry.package = kept.package.digest;
        mutations.emplace_back(core::AppendHistory{std::move(entry)});
        record.kept.push_back(std::move(kept));
    };
    PackageDirectory::Visitor from_history;
    from_history.package = [&](const StoredPackage& stored) { take(stored.description); };
    store_->history().visit(from_history);
    std::optional<IoError> trouble;
    PackageDirectory::Visitor from_sync;
    from_sync.package = [&](const StoredPackage& stored) {
        const PackageName name =
            store_->name_of(stored.description.object, nullptr, path_text(stored.file.extension()));
        const auto placed =
            store_->history().place(stored.file, Placement::link, name, stored.description);
        if (placed)
            take(stored.description);
        else
            trouble = placed.error();
    };
    store_->sync().visit(from_sync);
    if (trouble) // what is not in the history would be tidied away as nobody's
        return *trouble;
    for (auto& [id, record] : records) {
        mutations.emplace_back(core::PutObject{record});
        state.objects.push_back(std::move(record));
    }
    if (mutations.empty())
        return {};
    log::warning("service",
                 std::to_string(state.objects.size()) +
                     " objects were found again from their packages; they are in the history");
    return database_->commit({mutations});
}

} // namespace stationsync::host
