// Names and text forms of events.
#include "stationsync/core/event.hpp"
#include "text_line.hpp"

namespace stationsync::core {

namespace {

struct EventName {
    std::string_view operator()(const ProviderEnabled&) const { return "ProviderEnabled"; }
    std::string_view operator()(const ProviderDisabled&) const { return "ProviderDisabled"; }
    std::string_view operator()(const ProviderTokens&) const { return "ProviderTokens"; }
    std::string_view operator()(const RecoverFinished&) const { return "RecoverFinished"; }
    std::string_view operator()(const ObjectsObserved&) const { return "ObjectsObserved"; }
    std::string_view operator()(const ScanFinished&) const { return "ScanFinished"; }
    std::string_view operator()(const ChangeHinted&) const { return "ChangeHinted"; }
    std::string_view operator()(const ExportFinished&) const { return "ExportFinished"; }
    std::string_view operator()(const FetchProgressed&) const { return "FetchProgressed"; }
    std::string_view operator()(const FetchFinished&) const { return "FetchFinished"; }
    std::string_view operator()(const FetchSourceFailed&) const { return "FetchSourceFailed"; }
    std::string_view operator()(const HistorySaved&) const { return "HistorySaved"; }
    std::string_view operator()(const ApplyFinished&) const { return "ApplyFinished"; }
    std::string_view operator()(const PackageLost&) const { return "PackageLost"; }
    std::string_view operator()(const KeptFound&) const { return "KeptFound"; }
    std::string_view operator()(const KeptAdopted&) const { return "KeptAdopted"; }
    std::string_view operator()(const TokensJudged&) const { return "TokensJudged"; }
    std::string_view operator()(const ApplyWhenAnswered&) const { return "ApplyWhenAnswered"; }
    std::string_view operator()(const CandidateFound&) const { return "CandidateFound"; }
    std::string_view operator()(const CandidateLost&) const { return "CandidateLost"; }
    std::string_view operator()(const LinkUp&) const { return "LinkUp"; }
    std::string_view operator()(const LinkDown&) const { return "LinkDown"; }
    std::string_view operator()(const DialFailed&) const { return "DialFailed"; }
    std::string_view operator()(const IncomingRefused&) const { return "IncomingRefused"; }
    std::string_view operator()(const LinkAlive&) const { return "LinkAlive"; }
    std::string_view operator()(const ClockMeasured&) const { return "ClockMeasured"; }
    std::string_view operator()(const MessageReceived&) const { return "MessageReceived"; }
    std::string_view operator()(const Persisted&) const { return "Persisted"; }
    std::string_view operator()(const ProfileChanged&) const { return "ProfileChanged"; }
    std::string_view operator()(const SendNowRequested&) const { return "SendNowRequested"; }
    std::string_view operator()(const PublishRequested&) const { return "PublishRequested"; }
    std::string_view operator()(const RestoreRequested&) const { return "RestoreRequested"; }
    std::string_view operator()(const EstablishRequested&) const { return "EstablishRequested"; }
    std::string_view operator()(const BlockRequested&) const { return "BlockRequested"; }
    std::string_view operator()(const ForgetRequested&) const { return "ForgetRequested"; }
    std::string_view operator()(const VerifyRequested&) const { return "VerifyRequested"; }
    std::string_view operator()(const ScanRequested&) const { return "ScanRequested"; }
    std::string_view operator()(const HoldRequested&) const { return "HoldRequested"; }
    std::string_view operator()(const ReleaseRequested&) const { return "ReleaseRequested"; }
    std::string_view operator()(const StoppedByPerson&) const { return "StoppedByPerson"; }
};

std::string observed_text(const ObservedObject& o) {
    return '{' +
           std::move(Line(quoted_text(o.key))
                         .text("folded", o.folded_key == o.key ? std::string() : o.folded_key)
                         .flag(mark_text(o.mark), true)
                         .field("bytes", o.bytes)
                         .field("changed_at", o.changed_at)
                         .field("changed_not_before", o.changed_not_before)
                         .flag("restored", o.restored)
                         .flag("time_uncertain", o.time_uncertain)
                         .flag("read_only", o.read_only))
               .str() +
           '}';
}

std::string_view source_text(CandidateSource source) {
    switch (source) {
    case CandidateSource::configured:
        return "configured";
    case CandidateSource::discovered:
        return "discovered";
    case CandidateSource::introduced:
        return "introduced";
    case CandidateSource::remembered:
        return "remembered";
    }
    return "unknown";
}

// Adds the fields of one event to its line.
struct EventFields {
    Line& line;

    void operator()(const ProviderEnabled& e) const {
        line.field("provider", e.provider)
            .field("plugin", e.plugin)
            .field("version", e.plugin_version)
            .field("identity", e.identity)
            .field("settle", e.settle)
            .field("settle_max", e.settle_max)
            .field("scan_interval", e.scan_interval)
            .flag("keys_are_paths", e.keys_are_paths)
            .flag("export_reproducible", e.export_reproducible)
            .field("live_above", e.live_above)
            .flag("apply_when", e.apply_when);
    }
    void operator()(const ProviderDisabled& e) const { line.field("provider", e.provider); }
    void operator()(const ProviderTokens& e) const {
        line.field("provider", e.provider).field("known", e.known).field("tokens", e.tokens);
    }
    void operator()(const RecoverFinished& e) const {
        line.field("provider", e.provider);
        status(e.status, e.text);
    }
    void operator()(const ObjectsObserved& e) const {
        line.field("job", e.job).field("provider", e.provider);
        for (const ObservedObject& object : e.objects)
            line.flag(observed_text(object), true);
    }
    void operator()(const ScanFinished& e) const {
        line.field("job", e.job).field("provider", e.provider);
        status(e.status, e.text);
        line.text("remedy", e.remedy);
    }
    void operator()(const ChangeHinted& e) const {
        line.field("provider", e.provider).text("key", e.key);
    }
    void operator()(const ExportFinished& e) const {
        line.field("job", e.job);
        status(e.status, e.text);
        line.flag("mark=" + mark_text(e.mark), true)
            .field("bytes", e.bytes)
            .field("digest", e.digest)
            .field("package", e.package)
            .flag("live", e.live)
            .field("changed_at", e.changed_at);
        retry_after(e.retry_after);
    }
    void operator()(const FetchProgressed& e) const {
        line.field("job", e.job).field("done", e.bytes_done).field("received", e.bytes_received);
    }
    void operator()(const FetchFinished& e) const {
        line.field("job", e.job);
        status(e.status, e.text);
        line.field("digest", e.digest).field("received", e.bytes_received);
    }
    void operator()(const FetchSourceFailed& e) const {
        line.field("job", e.job).field("source", e.source).text("text", e.text);
    }
    void operator()(const HistorySaved& e) const {
        line.field("job", e.job);
        status(e.status, e.text);
        for (const SavedItem& item : e.items)
            line.flag(item.saved ? Line::value_text(item.package) : "not_saved", true);
    }
    void operator()(const ApplyFinished& e) const {
        line.field("apply", e.apply);
        status(e.status, e.text);
        line.flag("mark=" + mark_text(e.mark), true).field("changed_at", e.changed_at);
        retry_after(e.retry_after);
    }
    void operator()(const PackageLost& e) const {
        line.field("object", e.object)
            .field("package", e.package)
            .flag("from_history", e.from_history);
    }
    void operator()(const KeptFound& e) const {
        line.field("object", e.object).field("package", e.package);
        if (e.revision)
            line.field("revision", e.revision->id());
    }
    void operator()(const KeptAdopted& e) const {
        line.field("object", e.object).field("package", e.package);
        status(e.status, e.text);
    }
    void operator()(const TokensJudged& e) const {
        line.field("job", e.job).field("compatible", e.compatible).text("text", e.text);
    }
    void operator()(const ApplyWhenAnswered& e) const {
        line.field("job", e.job)
            .field("allowed", e.allowed)
            .text("text", e.text)
            .field("stands_for", e.stands_for);
    }
    void operator()(const CandidateFound& e) const {
        line.flag(source_text(e.source), true)
            .field("origin", e.origin)
            .field("handle", e.handle)
            .field("id", e.id)
            .text("name", e.name)
            .text("project", e.project)
            .text("not_dialled", e.not_dialled)
            .field("addresses", e.addresses)
            .text("protocol", e.protocol)
            .text("product_version", e.product_version);
    }
    void operator()(const CandidateLost& e) const {
        line.field("origin", e.origin).field("handle", e.handle);
    }
    void operator()(const LinkUp& e) const {
        line.field("link", e.link)
            .field("station", e.station)
            .field("run", e.run_id)
            .text("name", e.name)
            .flag(e.dialled ? "dialled" : "accepted", true)
            .field("dial", e.dial)
            .field("address", e.address);
    }
    void operator()(const LinkDown& e) const {
        line.field("link", e.link).text("reason", e.reason);
    }
    void operator()(const DialFailed& e) const {
        line.field("dial", e.dial)
            .text("reason", e.reason)
            .flag("wrong_key", e.wrong_key)
            .flag("is_self", e.is_self);
    }
    void operator()(const IncomingRefused& e) const {
        line.text("host", e.host).text("reason", e.reason).flag("wrong_key", e.wrong_key);
    }
    void operator()(const LinkAlive& e) const { line.field("link", e.link); }
    void operator()(const ClockMeasured& e) const {
        line.field("link", e.link).field("offset", e.offset).field("uncertainty", e.uncertainty);
    }
    void operator()(const MessageReceived& e) const {
        line.field("link", e.link).flag(to_text(e.message), true);
    }
    void operator()(const Persisted& e) const { line.field("id", e.id); }
    void operator()(const ProfileChanged& e) const {
        line.field("name", e.station_name)
            .field("product_version", e.product_version)
            .field("addresses", e.addresses)
            .flag("skip-provider", e.on_provider_mismatch == ProviderMismatch::skip_provider);
    }
    void operator()(const SendNowRequested& e) const { line.field("object", e.object); }
    void operator()(const PublishRequested& e) const { line.field("object", e.object); }
    void operator()(const RestoreRequested& e) const {
        line.field("object", e.object).field("version", e.version);
    }
    void operator()(const EstablishRequested& e) const { line.field("provider", e.provider); }
    void operator()(const BlockRequested& e) const {
        line.field("station", e.id).field("blocked", e.blocked);
    }
    void operator()(const ForgetRequested& e) const { line.field("station", e.id); }
    void operator()(const VerifyRequested& e) const { line.field("provider", e.provider); }
    void operator()(const ScanRequested& e) const { line.field("provider", e.provider); }
    void operator()(const HoldRequested& e) const {
        line.field("provider", e.provider).field("length", e.length);
    }
    void operator()(const ReleaseRequested& e) const { line.field("provider", e.provider); }
    void operator()(const StoppedByPerson&) const {}

    void retry_after(Duration wish) const {
        if (wish > Duration{})
            line.field("retry_after", wish);
    }
    void status(JobStatus value, std::string_view text) const {
        line.flag(to_text(value), true).text("text", text);
    }
};

} // namespace

std::string_view event_name(const Event& event) {
    return std::visit(EventName{}, event);
}

std::string to_text(const Event& event) {
    Line line(event_name(event));
    std::visit(EventFields{line}, event);
    return std::move(line).str();
}

} // namespace stationsync::core
