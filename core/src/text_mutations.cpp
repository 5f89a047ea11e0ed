#include "text_mutations.hpp"

#include "text_line.hpp"

namespace stationsync::core {

namespace {

std::string kept_text(const KeptState& kept) {
    return '{' +
           std::move(Line(to_text(kept.reason))
                         .field("package", kept.package)
                         .field("at", kept.kept_at)
                         .field("revision", kept.revision ? kept.revision->id() : RevisionId{}))
               .str() +
           '}';
}

std::string change_text(const SeenChange& change) {
    return '{' +
           std::move(Line(change.change_class == ChangeClass::edit ? "edit" : "restored_old")
                         .flag(mark_text(change.mark), true)
                         .field("known_unchanged", change.known_unchanged_at)
                         .field("first_seen", change.first_seen_at)
                         .field("base", change.base)
                         .field("changed_at", change.changed_at)
                         .field("changed_not_before", change.changed_not_before)
                         .flag("time_uncertain", change.time_uncertain)
                         .flag("before_1990", change.before_1990))
               .str() +
           '}';
}

std::string intent_text(const Intent& intent) {
    std::string text =
        '{' +
        std::move(Line(to_text(intent.id))
                      .field("revision", intent.revision ? intent.revision->id() : RevisionId{})
                      .field("rank", static_cast<unsigned>(intent.rank))
                      .field("package", intent.package)
                      .flag("expected=" + mark_text(intent.expected), true)
                      .field("at", intent.intended_at))
            .str();
    for (const KeptState& kept : intent.replaced)
        text += " replaced=" + kept_text(kept);
    return text + '}';
}

std::string hold_text(const Hold& hold) {
    Line line("hold={");
    line.field("since", hold.since);
    if (hold.until)
        line.field("until", *hold.until).field("length", hold.length);
    if (hold.clock_moved != Duration{})
        line.field("clock_moved", hold.clock_moved);
    return std::move(line).str() + '}';
}

struct MutationText {
    std::string operator()(const PutMeta& put) const {
        const MetaRecord& r = put.record;
        Line line("PutMeta incarnation=" + hex_text(r.incarnation));
        line.field("sequence", r.sequence)
            .field("index", r.index)
            .field("clock_steps", r.clock_steps)
            .flag("clock_moved=" + duration_text(r.clock_moved), r.clock_moved != Duration{})
            .flag("made_by_init", r.made_by_init)
            .flag("first_run_done", r.first_run_done);
        if (r.station != StationId{})
            line.field("station", r.station);
        if (r.aging_since.us != 0)
            line.field("aging_since", r.aging_since)
                .field("aging_clock_steps", r.aging_clock_steps);
        for (std::uint64_t const old : r.old_incarnations)
            line.flag("old=" + hex_text(old), true);
        return std::move(line).str();
    }
    std::string operator()(const PutProvider& put) const {
        const ProviderRecord& r = put.record;
        return std::move(Line("PutProvider")
                             .field("provider", r.provider)
                             .flag("established", r.established)
                             .flag("first_scan_sealed", r.first_scan_sealed)
                             .flag("rebased", r.rebased)
                             .field("last_complete_scan", r.last_complete_scan)
                             .field("identity", r.identity)
                             .field("published", r.published)
                             .field("applied", r.applied)
                             .field("last_applied_at", r.last_applied_at)
                             .flag(r.hold ? hold_text(*r.hold) : std::string(), r.hold.has_value()))
            .str();
    }
    std::string operator()(const PutStation& put) const {
        const StationRecord& r = put.record;
        Line line("PutStation");
        line.field("station", r.id)
            .field("name", r.name)
            .field("addresses", r.addresses)
            .field("last_seen", r.last_seen)
            .flag("incarnation=" + hex_text(r.incarnation), true)
            .field("index_seen", r.index_seen);
        if (r.blocked || r.blocked_stamp != Stamp{})
            line.field("blocked", r.blocked)
                .field("blocked_stamp", r.blocked_stamp)
                .field("blocked_by", r.blocked_by);
        line.flag("forgotten", r.forgotten != 0);
        return std::move(line).str();
    }
    std::string operator()(const EraseStation& erase) const {
        return "EraseStation station=" + to_text(erase.id);
    }
    std::string operator()(const PutObject& put) const {
        const ObjectRecord& r = put.record;
        Line line("PutObject");
        line.field("object", r.id)
            .field("index", r.index)
            .field("set", r.set)
            .field("held", r.held ? r.held->id() : RevisionId{})
            .field("held_rank", static_cast<unsigned>(r.held_rank))
            .flag("mark=" + mark_text(r.mark), true)
            .field("held_time", r.held_time)
            .field("recorded_at", r.recorded_at)
            .field("clean_at", r.clean_at)
            .field("clock_steps", r.clock_steps);
        if (r.seen_change)
            line.flag("seen_change=" + change_text(*r.seen_change), true);
        if (r.replaceable)
            line.flag("replaceable=" + mark_text(*r.replaceable), true);
        if (r.intent)
            line.flag("intent=" + intent_text(*r.intent), true);
        line.field("packages", r.packages);
        for (const KeptState& kept : r.kept)
            line.flag("kept=" + kept_text(kept), true);
        line.flag("publish_requested", r.publish_requested)
            .flag("old_name_unconfirmed", r.old_name_unconfirmed);
        return std::move(line).str();
    }
    std::string operator()(const EraseObject& erase) const {
        return std::move(Line("EraseObject").field("object", erase.id)).str();
    }
    std::string operator()(const AppendHistory& append) const {
        const HistoryEntry& e = append.entry;
        Line line("AppendHistory");
        line.flag(to_text(e.what), true)
            .field("at", e.at)
            .field("object", e.object)
            .field("version", e.version)
            .field("from", e.from)
            .field("stamp", e.stamp)
            .field("replaced_stamp", e.replaced_stamp)
            .field("bytes", e.bytes)
            .field("transferred", e.transferred_bytes);
        if (e.kept)
            line.field("package", e.package);
        if (!e.kept_on.empty())
            line.field("kept_on", e.kept_on);
        return std::move(line).str();
    }
};

} // namespace

std::string to_text(const Mutation& mutation) {
    return std::visit(MutationText{}, mutation);
}

} // namespace stationsync::core
