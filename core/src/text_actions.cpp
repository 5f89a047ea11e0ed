// Names and text forms of actions.
#include "stationsync/core/action.hpp"
#include "text_line.hpp"
#include "text_mutations.hpp"

namespace stationsync::core {

namespace {

struct ActionName {
    std::string_view operator()(Persist const&) const { return "Persist"; }
    std::string_view operator()(SendMessage const&) const { return "SendMessage"; }
    std::string_view operator()(Dial const&) const { return "Dial"; }
    std::string_view operator()(CloseLink const&) const { return "CloseLink"; }
    std::string_view operator()(ProbeLink const&) const { return "ProbeLink"; }
    std::string_view operator()(Recover const&) const { return "Recover"; }
    std::string_view operator()(Scan const&) const { return "Scan"; }
    std::string_view operator()(Export const&) const { return "Export"; }
    std::string_view operator()(DescribePackage const&) const { return "DescribePackage"; }
    std::string_view operator()(StartFetch const&) const { return "StartFetch"; }
    std::string_view operator()(SetFetchSources const&) const { return "SetFetchSources"; }
    std::string_view operator()(CancelJob const&) const { return "CancelJob"; }
    std::string_view operator()(SaveToHistory const&) const { return "SaveToHistory"; }
    std::string_view operator()(StartApply const&) const { return "StartApply"; }
    std::string_view operator()(DropPackage const&) const { return "DropPackage"; }
    std::string_view operator()(AdoptKept const&) const { return "AdoptKept"; }
    std::string_view operator()(JudgeTokens const&) const { return "JudgeTokens"; }
    std::string_view operator()(RaiseMessage const&) const { return "RaiseMessage"; }
    std::string_view operator()(ClearMessage const&) const { return "ClearMessage"; }
    std::string_view operator()(ObjectChanged const&) const { return "ObjectChanged"; }
    std::string_view operator()(StationChanged const&) const { return "StationChanged"; }
    std::string_view operator()(ProviderChanged const&) const { return "ProviderChanged"; }
    std::string_view operator()(CommandAnswered const&) const { return "CommandAnswered"; }
};

std::string_view purpose_text(ExportPurpose purpose) {
    switch (purpose) {
    case ExportPurpose::seal: return "seal";
    case ExportPurpose::put_back: return "put_back";
    case ExportPurpose::repackage: return "repackage";
    case ExportPurpose::verify: return "verify";
    }
    return "unknown";
}

std::string_view severity_text(Severity severity) {
    switch (severity) {
    case Severity::info: return "info";
    case Severity::warning: return "warning";
    case Severity::error: return "error";
    }
    return "unknown";
}

RevisionId id_of(RevisionPtr const& revision) {
    return revision ? revision->id() : RevisionId{};
}

// Adds the fields of one action to its line.
struct ActionFields {
    Line& line;

    void operator()(Persist const& a) const {
        line.field("id", a.id);
        for (Mutation const& mutation : a.mutations)
            line.flag('{' + to_text(mutation) + '}', true);
    }
    void operator()(SendMessage const& a) const {
        line.field("link", a.link).flag(to_text(a.message), true);
    }
    void operator()(Dial const& a) const { line.field("dial", a.dial).field("address", a.address); }
    void operator()(CloseLink const& a) const {
        line.field("link", a.link).text("reason", a.reason);
    }
    void operator()(ProbeLink const& a) const { line.field("link", a.link); }
    void operator()(Recover const& a) const { line.field("provider", a.provider); }
    void operator()(Scan const& a) const {
        line.field("job", a.job).field("provider", a.provider).field("keys", a.keys);
    }
    void operator()(Export const& a) const {
        line.field("job", a.job)
            .field("object", a.object)
            .flag(purpose_text(a.purpose), true)
            .flag("expected=" + mark_text(a.expected), true)
            .flag("live_allowed", a.live_allowed);
    }
    void operator()(DescribePackage const& a) const {
        line.field("object", a.object)
            .field("package", a.package)
            .field("revision", id_of(a.revision))
            .flag("in_history", a.in_history);
    }
    void operator()(StartFetch const& a) const {
        line.field("job", a.job)
            .field("object", a.object)
            .field("revision", id_of(a.revision))
            .field("package", a.package)
            .field("sources", a.sources)
            .field("bases", a.bases);
    }
    void operator()(SetFetchSources const& a) const {
        line.field("job", a.job).field("sources", a.sources);
    }
    void operator()(CancelJob const& a) const { line.field("job", a.job); }
    void operator()(SaveToHistory const& a) const {
        line.field("job", a.job).field("object", a.object);
        for (SaveItem const& item : a.items)
            line.flag('{' +
                          std::move(Line(to_text(item.reason))
                                        .field("revision", id_of(item.revision))
                                        .field("package", item.package)
                                        .flag("from_live", item.from_live)
                                        .flag("mark=" + mark_text(item.mark), true))
                              .str() +
                          '}',
                      true);
    }
    void operator()(StartApply const& a) const {
        line.field("apply", a.apply)
            .field("object", a.object)
            .field("revision", id_of(a.revision))
            .field("package", a.package)
            .flag("expected=" + mark_text(a.expected), true);
    }
    void operator()(DropPackage const& a) const {
        line.field("object", a.object)
            .field("package", a.package)
            .flag("from_history", a.from_history);
    }
    void operator()(AdoptKept const& a) const {
        line.field("object", a.object)
            .field("package", a.package)
            .field("revision", id_of(a.revision));
    }
    void operator()(JudgeTokens const& a) const {
        line.field("job", a.job).field("provider", a.provider).field("tokens", a.tokens);
    }
    void operator()(RaiseMessage const& a) const {
        line.field("id", a.id)
            .flag(severity_text(a.severity), true)
            .field("subject", a.subject)
            .field("text", a.text)
            .text("remedy", a.remedy);
    }
    void operator()(ClearMessage const& a) const {
        line.field("id", a.id).field("subject", a.subject);
    }
    void operator()(ObjectChanged const& a) const { line.field("object", a.object); }
    void operator()(StationChanged const& a) const { line.field("station", a.id); }
    void operator()(ProviderChanged const& a) const { line.field("provider", a.provider); }
    void operator()(CommandAnswered const& a) const {
        line.field("command", a.command)
            .text("subject", a.subject)
            .flag(a.ok ? "ok" : "refused", true)
            .text("text", a.text);
    }
};

} // namespace

std::string_view action_name(Action const& action) {
    return std::visit(ActionName{}, action);
}

std::string to_text(Action const& action) {
    Line line(action_name(action));
    std::visit(ActionFields{line}, action);
    return std::move(line).str();
}

} // namespace stationsync::core
