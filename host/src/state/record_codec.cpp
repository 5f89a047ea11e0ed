#include "state/record_codec.hpp"

#include "net/codec.hpp"
#include "records.pb.h"

#include <algorithm>

namespace stationsync::host {

namespace {

template <std::size_t Size>
std::string bytes_of(const std::array<std::uint8_t, Size>& value) {
    return {reinterpret_cast<const char*>(value.data()), value.size()};
}

template <std::size_t Size>
bool read_bytes(const std::string& text, std::array<std::uint8_t, Size>& value) {
    if (text.size() != value.size())
        return false;
    std::copy(text.begin(), text.end(), reinterpret_cast<char*>(value.data()));
    return true;
}

bool read_revision(const std::string& bytes, core::RevisionPtr& revision) {
    if (bytes.empty()) {
        revision.reset();
        return true;
    }
    auto decoded = decode_revision(bytes);
    if (!decoded)
        return false;
    revision = std::make_shared<const core::Revision>(std::move(*decoded));
    return true;
}

void write(const core::PackageInfo& package, state::Package& out) {
    out.set_digest(bytes_of(package.digest.bytes));
    out.set_bytes(package.bytes);
    out.set_modified_100ns(package.modified_100ns);
}

bool read(const state::Package& in, core::PackageInfo& package) {
    package.bytes = in.bytes();
    package.modified_100ns = in.modified_100ns();
    return read_bytes(in.digest(), package.digest.bytes);
}

void write(const core::AuthorId& author, state::Author& out) {
    out.set_station(bytes_of(author.station.bytes));
    out.set_incarnation(author.incarnation);
}

bool read(const state::Author& in, core::AuthorId& author) {
    author.incarnation = in.incarnation();
    return read_bytes(in.station(), author.station.bytes);
}

void write(const core::KeptState& kept, state::KeptState& out) {
    write(kept.package, *out.mutable_package());
    out.set_reason(static_cast<std::uint32_t>(kept.reason));
    out.set_kept_at(kept.kept_at.us);
    if (kept.revision)
        out.set_revision(encode_revision(*kept.revision));
    if (kept.digest)
        out.set_digest(bytes_of(kept.digest->bytes));
    out.set_bytes(kept.bytes);
}

bool read(const state::KeptState& in, core::KeptState& kept) {
    if (!read(in.package(), kept.package) || !read_revision(in.revision(), kept.revision))
        return false;
    kept.reason = static_cast<core::KeptReason>(in.reason());
    kept.kept_at.us = in.kept_at();
    kept.bytes = in.bytes();
    if (in.digest().empty())
        return true;
    kept.digest.emplace();
    return read_bytes(in.digest(), kept.digest->bytes);
}

void write(const core::SeenChange& change, state::SeenChange& out) {
    out.set_mark(change.mark);
    out.set_change_class(static_cast<std::uint32_t>(change.change_class));
    out.set_known_unchanged_at(change.known_unchanged_at.us);
    out.set_first_seen_at(change.first_seen_at.us);
    for (const auto& [author, sequence] : change.base.entries()) {
        state::Seen& seen = *out.add_base();
        write(author, *seen.mutable_author());
        seen.set_sequence(sequence);
    }
    if (change.changed_at)
        out.set_changed_at(change.changed_at->us);
    if (change.changed_not_before)
        out.set_changed_not_before(change.changed_not_before->us);
    out.set_time_uncertain(change.time_uncertain);
    out.set_before_1990(change.before_1990);
}

bool read(const state::SeenChange& in, core::SeenChange& change) {
    change.mark = in.mark();
    change.change_class = static_cast<core::ChangeClass>(in.change_class());
    change.known_unchanged_at.us = in.known_unchanged_at();
    change.first_seen_at.us = in.first_seen_at();
    for (const state::Seen& seen : in.base()) {
        core::AuthorId author;
        if (!read(seen.author(), author))
            return false;
        change.base.raise(author, seen.sequence());
    }
    if (in.has_changed_at())
        change.changed_at = core::WallTime{in.changed_at()};
    if (in.has_changed_not_before())
        change.changed_not_before = core::WallTime{in.changed_not_before()};
    change.time_uncertain = in.time_uncertain();
    change.before_1990 = in.before_1990();
    return true;
}

void write(const core::Intent& intent, state::Intent& out) {
    out.set_id(bytes_of(intent.id.bytes));
    out.set_revision(encode_revision(*intent.revision));
    write(intent.package, *out.mutable_package());
    out.set_expected(intent.expected);
    out.set_intended_at(intent.intended_at.us);
    out.set_rank(static_cast<std::uint32_t>(intent.rank));
    for (const core::KeptState& kept : intent.replaced)
        write(kept, *out.add_replaced());
}

bool read(const state::Intent& in, core::Intent& intent) {
    intent.expected = in.expected();
    intent.intended_at.us = in.intended_at();
    intent.rank = static_cast<core::Rank>(std::min(in.rank(), 2u));
    for (const state::KeptState& kept : in.replaced())
        if (!read(kept, intent.replaced.emplace_back()))
            return false;
    return read_bytes(in.id(), intent.id.bytes) && read_revision(in.revision(), intent.revision) &&
           intent.revision && read(in.package(), intent.package);
}

bool read(const state::LocalPackage& in, core::LocalPackage& local) {
    local.revision.sequence = in.sequence();
    local.live = in.live();
    return read(in.author(), local.revision.author) && read(in.package(), local.package);
}

void write_lists(const core::ObjectRecord& record, state::Object& out) {
    for (const core::SetEntry& entry : record.set) {
        state::SetEntry& each = *out.add_set();
        each.set_revision(encode_revision(*entry.revision));
        each.set_rank(static_cast<std::uint32_t>(entry.rank));
        each.set_clock_wrong(entry.clock_wrong);
    }
    for (const core::LocalPackage& local : record.packages) {
        state::LocalPackage& each = *out.add_packages();
        write(local.revision.author, *each.mutable_author());
        each.set_sequence(local.revision.sequence);
        write(local.package, *each.mutable_package());
        each.set_live(local.live);
    }
    for (const core::KeptState& kept : record.kept)
        write(kept, *out.add_kept());
}

bool read_lists(const state::Object& in, core::ObjectRecord& record) {
    for (const state::SetEntry& each : in.set()) {
        core::SetEntry& entry = record.set.emplace_back();
        if (!read_revision(each.revision(), entry.revision) || !entry.revision)
            return false;
        entry.rank = static_cast<core::Rank>(std::min(each.rank(), 2u));
        entry.clock_wrong = each.clock_wrong();
    }
    for (const state::LocalPackage& each : in.packages())
        if (!read(each, record.packages.emplace_back()))
            return false;
    for (const state::KeptState& each : in.kept())
        if (!read(each, record.kept.emplace_back()))
            return false;
    return true;
}

// Revisions that stand in several places of a record are one object in memory.
void share_revisions(core::ObjectRecord& record) {
    if (!record.held)
        return;
    for (core::SetEntry& entry : record.set)
        if (entry.revision->id() == record.held->id())
            entry.revision = record.held;
}

} // namespace

std::string encode_record(const core::MetaRecord& record) {
    state::Meta out;
    out.set_incarnation(record.incarnation);
    out.set_sequence(record.sequence);
    out.set_index(record.index);
    out.set_clock_steps(record.clock_steps);
    out.set_made_by_init(record.made_by_init);
    out.set_first_run_done(record.first_run_done);
    for (const std::uint64_t old : record.old_incarnations)
        out.add_old_incarnations(old);
    out.set_aging_since(record.aging_since.us);
    out.set_aging_clock_steps(record.aging_clock_steps);
    out.set_station(bytes_of(record.station.bytes));
    out.set_clock_moved_us(record.clock_moved.count());
    return out.SerializeAsString();
}

std::optional<core::MetaRecord> decode_meta(std::string_view bytes) {
    state::Meta in;
    if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
        return std::nullopt;
    core::MetaRecord record;
    record.incarnation = in.incarnation();
    record.sequence = in.sequence();
    record.index = in.index();
    record.clock_steps = in.clock_steps();
    record.made_by_init = in.made_by_init();
    record.first_run_done = in.first_run_done();
    record.old_incarnations.assign(in.old_incarnations().begin(), in.old_incarnations().end());
    record.aging_since.us = in.aging_since();
    record.aging_clock_steps = in.aging_clock_steps();
    record.clock_moved = core::Duration{in.clock_moved_us()};
    if (!in.station().empty() && !read_bytes(in.station(), record.station.bytes))
        return std::nullopt;
    return record;
}

std::string encode_record(const core::ProviderRecord& record) {
    state::Provider out;
    out.set_established(record.established);
    out.set_first_scan_sealed(record.first_scan_sealed);
    out.set_rebased(record.rebased);
    out.set_last_complete_scan(record.last_complete_scan.us);
    out.set_identity(record.identity);
    out.set_published(record.published);
    out.set_applied(record.applied);
    out.set_last_applied_at(record.last_applied_at.us);
    if (record.hold) {
        state::Hold& hold = *out.mutable_hold();
        hold.set_since(record.hold->since.us);
        if (record.hold->until)
            hold.set_until(record.hold->until->us);
        hold.set_length_us(record.hold->length.count());
        hold.set_clock_moved_us(record.hold->clock_moved.count());
    }
    return out.SerializeAsString();
}

std::optional<core::ProviderRecord> decode_provider(std::string provider, std::string_view bytes) {
    state::Provider in;
    if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
        return std::nullopt;
    core::ProviderRecord record;
    record.provider = std::move(provider);
    record.established = in.established();
    record.first_scan_sealed = in.first_scan_sealed();
    record.rebased = in.rebased();
    record.last_complete_scan.us = in.last_complete_scan();
    record.identity = in.identity();
    record.published = in.published();
    record.applied = in.applied();
    record.last_applied_at.us = in.last_applied_at();
    if (in.has_hold()) {
        core::Hold& hold = record.hold.emplace();
        hold.since.us = in.hold().since();
        if (in.hold().has_until())
            hold.until = core::WallTime{in.hold().until()};
        hold.length = core::Duration{in.hold().length_us()};
        hold.clock_moved = core::Duration{in.hold().clock_moved_us()};
    }
    return record;
}

std::string encode_record(const core::StationRecord& record) {
    state::Station out;
    out.set_name(record.name);
    for (const std::string& address : record.addresses)
        out.add_addresses(address);
    out.set_last_seen(record.last_seen.us);
    out.set_incarnation(record.incarnation);
    out.set_index_seen(record.index_seen);
    out.set_blocked(record.blocked);
    out.set_blocked_wall_us(record.blocked_stamp.wall_us);
    out.set_blocked_logical(record.blocked_stamp.logical);
    out.set_blocked_by(bytes_of(record.blocked_by.bytes));
    out.set_forgotten(record.forgotten);
    return out.SerializeAsString();
}

std::optional<core::StationRecord> decode_station(const core::StationId& id,
                                                  std::string_view bytes) {
    state::Station in;
    core::StationRecord record;
    record.id = id;
    if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) ||
        !read_bytes(in.blocked_by(), record.blocked_by.bytes))
        return std::nullopt;
    record.name = in.name();
    record.addresses.assign(in.addresses().begin(), in.addresses().end());
    record.last_seen.us = in.last_seen();
    record.incarnation = in.incarnation();
    record.index_seen = in.index_seen();
    record.blocked = in.blocked();
    record.blocked_stamp = {in.blocked_wall_us(), in.blocked_logical()};
    record.forgotten = in.forgotten();
    return record;
}

std::string encode_record(const core::ObjectRecord& record) {
    state::Object out;
    write_lists(record, out);
    if (record.held)
        out.set_held(encode_revision(*record.held));
    out.set_held_rank(static_cast<std::uint32_t>(record.held_rank));
    out.set_mark(record.mark);
    out.set_held_time(record.held_time.us);
    out.set_recorded_at(record.recorded_at.us);
    out.set_clean_at(record.clean_at.us);
    out.set_clock_steps(record.clock_steps);
    if (record.seen_change)
        write(*record.seen_change, *out.mutable_seen_change());
    if (record.replaceable)
        out.set_replaceable(*record.replaceable);
    if (record.intent)
        write(*record.intent, *out.mutable_intent());
    out.set_publish_requested(record.publish_requested);
    out.set_old_name_unconfirmed(record.old_name_unconfirmed);
    out.set_index(record.index);
    return out.SerializeAsString();
}

std::optional<core::ObjectRecord> decode_object(core::ObjectId id, std::string_view bytes) {
    state::Object in;
    core::ObjectRecord record;
    if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) ||
        !read_lists(in, record) || !read_revision(in.held(), record.held))
        return std::nullopt;
    record.id = std::move(id);
    record.held_rank = static_cast<core::Rank>(std::min(in.held_rank(), 2u));
    record.mark = in.mark();
    record.held_time.us = in.held_time();
    record.recorded_at.us = in.recorded_at();
    record.clean_at.us = in.clean_at();
    record.clock_steps = in.clock_steps();
    if (in.has_seen_change() && !read(in.seen_change(), record.seen_change.emplace()))
        return std::nullopt;
    if (in.has_replaceable())
        record.replaceable = in.replaceable();
    if (in.has_intent() && !read(in.intent(), record.intent.emplace()))
        return std::nullopt;
    record.publish_requested = in.publish_requested();
    record.old_name_unconfirmed = in.old_name_unconfirmed();
    record.index = in.index();
    share_revisions(record);
    return record;
}

} // namespace stationsync::host
