// Text forms of revisions, of what records are made of, and of the words of the listings.
#include "stationsync/core/event.hpp"
#include "stationsync/core/views.hpp"
#include "text_line.hpp"

#include <charconv>

namespace stationsync::core {

std::string Line::value_text(const PackageInfo& value) {
    return '{' + to_text(value.digest) + ' ' + std::to_string(value.bytes) + ' ' +
           std::to_string(value.modified_100ns) + '}';
}

std::string Line::value_text(const Token& value) {
    std::string_view const kind = value.kind == 0   ? "exact"
                                  : value.kind == 1 ? "minimum"
                                                    : "information";
    return '{' + quoted_text(value.name) + ' ' + quoted_text(value.value) + ' ' +
           std::string(kind) + '}';
}

std::string Line::value_text(const VersionVector& value) {
    std::string text = "{";
    for (const auto& [author, sequence] : value.entries()) {
        if (text.size() > 1)
            text += ' ';
        text += to_text(RevisionId{author, sequence});
    }
    return text + '}';
}

std::string Line::value_text(const SetEntry& value) {
    return '{' + to_text(*value.revision) +
           " rank=" + std::to_string(static_cast<unsigned>(value.rank)) +
           (value.clock_wrong ? " clock_wrong}" : "}");
}

std::string Line::value_text(const LocalPackage& value) {
    return '{' + to_text(value.revision) + ' ' + value_text(value.package) +
           (value.live ? " live}" : "}");
}

std::string to_text(const Revision& revision) {
    Line line(to_text(revision.id()));
    line.field("object", revision.object)
        .field("stamp", revision.stamp)
        .field("seen", revision.seen)
        .field("digest", revision.digest)
        .field("bytes", revision.bytes)
        .field("changed_at", revision.changed_at)
        .field("uncertainty", revision.uncertainty)
        .field("parent", revision.parent);
    if (revision.kind != revision_kind_content)
        line.field("kind", revision.kind);
    if (!revision.tokens.empty())
        line.field("tokens", revision.tokens);
    return std::move(line).str();
}

std::string version_id(const RevisionPtr& revision, const PackageInfo& package) {
    if (!revision)
        return 'p' + to_text(package.digest).substr(0, 16);
    char digits[16];
    const auto end =
        std::to_chars(digits, digits + sizeof digits, revision->author.incarnation, 16).ptr;
    return to_text(revision->author.station).substr(0, 8) + '-' + std::string(digits, end) + '-' +
           std::to_string(revision->sequence);
}

std::string_view to_text(HistoryWhat what) {
    switch (what) {
    case HistoryWhat::published:
        return "published";
    case HistoryWhat::applied:
        return "applied";
    case HistoryWhat::superseded:
        return "superseded";
    case HistoryWhat::restored:
        return "restored";
    case HistoryWhat::conflict_lost:
        return "conflict_lost";
    case HistoryWhat::put_back:
        return "put_back";
    case HistoryWhat::newcomer_replaced:
        return "newcomer_replaced";
    case HistoryWhat::found:
        return "found";
    case HistoryWhat::clock_wrong:
        return "clock_wrong";
    case HistoryWhat::deleted:
        return "deleted";
    }
    return "unknown";
}

std::string_view to_text(KeptReason reason) {
    switch (reason) {
    case KeptReason::superseded:
        return "superseded";
    case KeptReason::conflict_lost:
        return "conflict_lost";
    case KeptReason::put_back:
        return "put_back";
    case KeptReason::newcomer_replaced:
        return "newcomer_replaced";
    case KeptReason::found:
        return "found";
    case KeptReason::clock_wrong:
        return "clock_wrong";
    }
    return "unknown";
}

std::string_view to_text(ObjectState state) {
    switch (state) {
    case ObjectState::in_sync:
        return "in_sync";
    case ObjectState::settling:
        return "settling";
    case ObjectState::exporting:
        return "exporting";
    case ObjectState::waiting:
        return "waiting";
    case ObjectState::fetching:
        return "fetching";
    case ObjectState::applying:
        return "applying";
    case ObjectState::failed:
        return "failed";
    case ObjectState::held:
        return "held";
    }
    return "unknown";
}

std::string_view to_text(StationState state) {
    switch (state) {
    case StationState::connected:
        return "connected";
    case StationState::checking:
        return "checking";
    case StationState::rejected:
        return "rejected";
    case StationState::unreachable:
        return "unreachable";
    case StationState::searching:
        return "searching";
    }
    return "unknown";
}

std::string_view to_text(ProviderState state) {
    switch (state) {
    case ProviderState::ok:
        return "ok";
    case ProviderState::disabled:
        return "disabled";
    case ProviderState::newcomer:
        return "newcomer";
    case ProviderState::suspended:
        return "suspended";
    case ProviderState::fault:
        return "fault";
    case ProviderState::held:
        return "held";
    case ProviderState::waiting:
        return "waiting";
    }
    return "unknown";
}

std::string_view to_text(JobStatus status) {
    switch (status) {
    case JobStatus::ok:
        return "ok";
    case JobStatus::changed:
        return "changed";
    case JobStatus::busy:
        return "busy";
    case JobStatus::no_space:
        return "no_space";
    case JobStatus::denied:
        return "denied";
    case JobStatus::not_found:
        return "not_found";
    case JobStatus::corrupt:
        return "corrupt";
    case JobStatus::incompatible:
        return "incompatible";
    case JobStatus::cancelled:
        return "cancelled";
    case JobStatus::failed:
        return "failed";
    }
    return "unknown";
}

} // namespace stationsync::core
