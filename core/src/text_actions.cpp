// Names and text forms of actions.
#include "stationsync/core/action.hpp"
#include "text_line.hpp"
#include "text_mutations.hpp"

namespace stationsync::core {

namespace {

struct ActionName {
    std::string_view operator()(const Persist&) const { return "Persist"; }
    std::string_view operator()(const SendMessage&) const { return "SendMessage"; }
    std::string_view operator()(const Dial&) const { return "Dial"; }
    std::string_view operator()(const CloseLink&) const { return "CloseLink"; }
    std::string_view operator()(const ProbeLink&) const { return "ProbeLink"; }
    std::string_view operator()(const Recover&) const { return "Recover"; }
    std::string_view operator()(const Scan&) const { return "Scan"; }
    std::string_view operator()(const Export&) const { return "Export"; }
    std::string_view operator()(const DescribePackage&) const { return "DescribePackage"; }
    std::string_view operator()(const StartFetch&) const { return "StartFetch"; }
    std::string_view operator()(const SetFetchSources&) const { return "SetFetchSources"; }
    std::string_view operator()(const CancelJob&) const { return "CancelJob"; }
    std::string_view operator()(const SaveToHistory&) const { return "SaveToHistory"; }
    std::string_view operator()(const StartApply&) const { return "StartApply"; }
    std::string_view operator()(const DropPackage&) const { return "DropPackage"; }
    std::string_view operator()(const AdoptKept&) const { return "AdoptKept"; }
    std::string_view operator()(const JudgeTokens&) const { return "JudgeTokens"; }
    std::string_view operator()(const AskApplyWhen&) const { return "AskApplyWhen"; }
    std::string_view operator()(const RaiseMessage&) const { return "RaiseMessage"; }
    std::string_view operator()(const ClearMessage&) const { return "ClearMessage"; }
    std::string_view operator()(const ObjectChanged&) const { return "ObjectChanged"; }
    std::string_view operator()(const StationChanged&) const { return "StationChanged"; }
    std::string_view operator()(const ProviderChanged&) const { return "ProviderChanged"; }
    std::string_view operator()(const CommandAnswered&) const { return "CommandAnswered"; }
};

std::string_view purpose_text(ExportPurpose purpose) {
    switch (purpose) {
    case ExportPurpose::seal:
        return "seal";
    case ExportPurpose::put_back:
        return "put_back";
    case ExportPurpose::repackage:
        return "repackage";
    case ExportPurpose::verify:
        return "verify";
    }
    return "unknown";
}

std::string_view severity_text(Severity severity) {
    switch (severity) {
    case Severity::info:
        return "info";
    case Severity::warning:
        return "warning";
    case Severity::error:
        return "error";
    }
    return "unknown";
}

RevisionId id_of(const RevisionPtr& revision) {
    return revision ? revision->id() : RevisionId{};
}

// Adds the fields of one action to its line.
struct ActionFields {
    Line& line;

    void operator()(const Persist& a) const {
        line.field("id", a.id);
        for (const Mutation& mutation : a.mutations)
            line.flag('{' + to_text(mutation) + '}', true);
    }
    void operator()(const SendMessage& a) const {
        line.field("link", a.link).flag(to_text(a.message), true);
    }
    void operator()(const Dial& a) const { line.field("dial", a.dial).field("address", a.address); }
    void operator()(const CloseLink& a) const {
        line.field("link", a.link).text("reason", a.reason);
    }
    void operator()(const ProbeLink& a) const { line.field("link", a.link); }
    void operator()(const Recover& a) const { line.field("provider", a.provider); }
    void operator()(const Scan& a) const {
        line.field("job", a.job).field("provider", a.provider).field("keys", a.keys);
    }
    void operator()(const Export& a) const {
        line.field("job", a.job)
            .field("object", a.object)
            .flag(purpose_text(a.purpose), true)
            .flag("expected=" + mark_text(a.expected), true)
            .flag("live_allowed", a.live_allowed);
    }
    void operator()(const DescribePackage& a) const {
        line.field("object", a.object)
            .field("package", a.package)
            .field("revision", id_of(a.revision))
            .flag("in_history", a.in_history);
    }
    void operator()(const StartFetch& a) const {
        line.field("job", a.job)
            .field("object", a.object)
            .field("revision", id_of(a.revision))
            .field("package", a.package)
            .field("sources", a.sources)
            .field("bases", a.bases);
    }
    void operator()(const SetFetchSources& a) const {
        line.field("job", a.job).field("sources", a.sources);
    }
    void operator()(const CancelJob& a) const { line.field("job", a.job); }
    void operator()(const SaveToHistory& a) const {
        line.field("job", a.job).field("object", a.object);
        for (const SaveItem& item : a.items)
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
    void operator()(const StartApply& a) const {
        line.field("apply", a.apply)
            .field("object", a.object)
            .field("revision", id_of(a.revision))
            .field("package", a.package)
            .flag("expected=" + mark_text(a.expected), true);
    }
    void operator()(const DropPackage& a) const {
        line.field("object", a.object)
            .field("package", a.package)
            .flag("from_history", a.from_history);
    }
    void operator()(const AdoptKept& a) const {
        line.field("object", a.object)
            .field("package", a.package)
            .field("revision", id_of(a.revision));
    }
    void operator()(const JudgeTokens& a) const {
        line.field("job", a.job).field("provider", a.provider).field("tokens", a.tokens);
    }
    void operator()(const AskApplyWhen& a) const {
        line.field("job", a.job).field("provider", a.provider);
    }
    void operator()(const RaiseMessage& a) const {
        line.field("id", a.id)
            .flag(severity_text(a.severity), true)
            .field("subject", a.subject)
            .field("text", a.text)
            .text("remedy", a.remedy);
    }
    void operator()(const ClearMessage& a) const {
        line.field("id", a.id).field("subject", a.subject);
    }
    void operator()(const ObjectChanged& a) const { line.field("object", a.object); }
    void operator()(const StationChanged& a) const { line.field("station", a.id); }
    void operator()(const ProviderChanged& a) const { line.field("provider", a.provider); }
    void operator()(const CommandAnswered& a) const {
        line.field("command", a.command)
            .text("subject", a.subject)
            .flag(a.ok ? "ok" : "refused", true)
            .text("text", a.text);
    }
};

} // namespace

std::string_view action_name(const Action& action) {
    return std::visit(ActionName{}, action);
}

std::string to_text(const Action& action) {
    Line line(action_name(action));
    std::visit(ActionFields{line}, action);
    return std::move(line).str();
}

} // namespace stationsync::core
