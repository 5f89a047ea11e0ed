// Names and text forms of events.
#include "stationsync/core/event.hpp"
#include "text_line.hpp"

namespace stationsync::core {

namespace {

struct EventName {
    std::string_view operator()(ProviderEnabled const&) const { return "ProviderEnabled"; }
    std::string_view operator()(ProviderDisabled const&) const { return "ProviderDisabled"; }
    std::string_view operator()(ProviderTokens const&) const { return "ProviderTokens"; }
    std::string_view operator()(RecoverFinished const&) const { return "RecoverFinished"; }
    std::string_view operator()(ObjectsObserved const&) const { return "ObjectsObserved"; }
    std::string_view operator()(ScanFinished const&) const { return "ScanFinished"; }
    std::string_view operator()(ChangeHinted const&) const { return "ChangeHinted"; }
    std::string_view operator()(ExportFinished const&) const { return "ExportFinished"; }
    std::string_view operator()(FetchProgressed const&) const { return "FetchProgressed"; }
    std::string_view operator()(FetchFinished const&) const { return "FetchFinished"; }
    std::string_view operator()(FetchSourceFailed const&) const { return "FetchSourceFailed"; }
    std::string_view operator()(HistorySaved const&) const { return "HistorySaved"; }
    std::string_view operator()(ApplyFinished const&) const { return "ApplyFinished"; }
    std::string_view operator()(PackageLost const&) const { return "PackageLost"; }
    std::string_view operator()(TokensJudged const&) const { return "TokensJudged"; }
    std::string_view operator()(CandidateFound const&) const { return "CandidateFound"; }
    std::string_view operator()(CandidateLost const&) const { return "CandidateLost"; }
    std::string_view operator()(LinkUp const&) const { return "LinkUp"; }
    std::string_view operator()(LinkDown const&) const { return "LinkDown"; }
    std::string_view operator()(DialFailed const&) const { return "DialFailed"; }
    std::string_view operator()(IncomingRefused const&) const { return "IncomingRefused"; }
    std::string_view operator()(LinkAlive const&) const { return "LinkAlive"; }
    std::string_view operator()(ClockMeasured const&) const { return "ClockMeasured"; }
    std::string_view operator()(MessageReceived const&) const { return "MessageReceived"; }
    std::string_view operator()(Persisted const&) const { return "Persisted"; }
    std::string_view operator()(ProfileChanged const&) const { return "ProfileChanged"; }
    std::string_view operator()(SendNowRequested const&) const { return "SendNowRequested"; }
    std::string_view operator()(PublishRequested const&) const { return "PublishRequested"; }
    std::string_view operator()(RestoreRequested const&) const { return "RestoreRequested"; }
    std::string_view operator()(EstablishRequested const&) const { return "EstablishRequested"; }
    std::string_view operator()(BlockRequested const&) const { return "BlockRequested"; }
    std::string_view operator()(ForgetRequested const&) const { return "ForgetRequested"; }
    std::string_view operator()(VerifyRequested const&) const { return "VerifyRequested"; }
    std::string_view operator()(ScanRequested const&) const { return "ScanRequested"; }
    std::string_view operator()(StoppedByPerson const&) const { return "StoppedByPerson"; }
};

std::string observed_text(ObservedObject const& o) {
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
    case CandidateSource::configured: return "configured";
    case CandidateSource::discovered: return "discovered";
    case CandidateSource::introduced: return "introduced";
    case CandidateSource::remembered: return "remembered";
    }
    return "unknown";
}

// Adds the fields of one event to its line.
struct EventFields {
    Line& line;

    void operator()(ProviderEnabled const& e) const {
        line.field("provider", e.provider)
            .field("plugin", e.plugin)
            .field("version", e.plugin_version)
            .field("identity", e.identity)
            .field("settle", e.settle)
            .field("settle_max", e.settle_max)
            .field("scan_interval", e.scan_interval)
            .flag("keys_are_paths", e.keys_are_paths)
            .flag("export_reproducible", e.export_reproducible)
            .field("live_above", e.live_above);
    }
    void operator()(ProviderDisabled const& e) const { line.field("provider", e.provider); }
    void operator()(ProviderTokens const& e) const {
        line.field("provider", e.provider).field("known", e.known).field("tokens", e.tokens);
    }
    void operator()(RecoverFinished const& e) const {
        line.field("provider", e.provider);
        status(e.status, e.text);
    }
    void operator()(ObjectsObserved const& e) const {
        line.field("job", e.job).field("provider", e.provider);
        for (ObservedObject const& object : e.objects)
            line.flag(observed_text(object), true);
    }
    void operator()(ScanFinished const& e) const {
        line.field("job", e.job).field("provider", e.provider);
        status(e.status, e.text);
        line.text("remedy", e.remedy);
    }
    void operator()(ChangeHinted const& e) const {
        line.field("provider", e.provider).text("key", e.key);
    }
    void operator()(ExportFinished const& e) const {
        line.field("job", e.job);
        status(e.status, e.text);
        line.flag("mark=" + mark_text(e.mark), true)
            .field("bytes", e.bytes)
            .field("digest", e.digest)
            .field("package", e.package)
            .flag("live", e.live)
            .field("changed_at", e.changed_at);
    }
    void operator()(FetchProgressed const& e) const {
        line.field("job", e.job).field("done", e.bytes_done).field("received", e.bytes_received);
    }
    void operator()(FetchFinished const& e) const {
        line.field("job", e.job);
        status(e.status, e.text);
        line.field("digest", e.digest).field("received", e.bytes_received);
    }
    void operator()(FetchSourceFailed const& e) const {
        line.field("job", e.job).field("source", e.source).text("text", e.text);
    }
    void operator()(HistorySaved const& e) const {
        line.field("job", e.job);
        status(e.status, e.text);
        for (SavedItem const& item : e.items)
            line.flag(item.saved ? Line::value_text(item.package) : "not_saved", true);
    }
    void operator()(ApplyFinished const& e) const {
        line.field("apply", e.apply);
        status(e.status, e.text);
        line.flag("mark=" + mark_text(e.mark), true).field("changed_at", e.changed_at);
    }
    void operator()(PackageLost const& e) const {
        line.field("object", e.object)
            .field("package", e.package)
            .flag("from_history", e.from_history);
    }
    void operator()(TokensJudged const& e) const {
        line.field("job", e.job).field("compatible", e.compatible).text("text", e.text);
    }
    void operator()(CandidateFound const& e) const {
        line.flag(source_text(e.source), true)
            .field("origin", e.origin)
            .field("handle", e.handle)
            .field("id", e.id)
            .text("name", e.name)
            .text("project", e.project)
            .field("addresses", e.addresses);
    }
    void operator()(CandidateLost const& e) const {
        line.field("origin", e.origin).field("handle", e.handle);
    }
    void operator()(LinkUp const& e) const {
        line.field("link", e.link)
            .field("station", e.station)
            .field("run", e.run_id)
            .text("name", e.name)
            .flag(e.dialled ? "dialled" : "accepted", true)
            .field("dial", e.dial)
            .field("address", e.address);
    }
    void operator()(LinkDown const& e) const {
        line.field("link", e.link).text("reason", e.reason);
    }
    void operator()(DialFailed const& e) const {
        line.field("dial", e.dial)
            .text("reason", e.reason)
            .flag("wrong_key", e.wrong_key)
            .flag("is_self", e.is_self);
    }
    void operator()(IncomingRefused const& e) const {
        line.text("host", e.host).text("reason", e.reason).flag("wrong_key", e.wrong_key);
    }
    void operator()(LinkAlive const& e) const { line.field("link", e.link); }
    void operator()(ClockMeasured const& e) const {
        line.field("link", e.link).field("offset", e.offset).field("uncertainty", e.uncertainty);
    }
    void operator()(MessageReceived const& e) const {
        line.field("link", e.link).flag(to_text(e.message), true);
    }
    void operator()(Persisted const& e) const { line.field("id", e.id); }
    void operator()(ProfileChanged const& e) const {
        line.field("name", e.station_name)
            .field("product_version", e.product_version)
            .field("addresses", e.addresses);
    }
    void operator()(SendNowRequested const& e) const { line.field("object", e.object); }
    void operator()(PublishRequested const& e) const { line.field("object", e.object); }
    void operator()(RestoreRequested const& e) const {
        line.field("object", e.object).field("version", e.version);
    }
    void operator()(EstablishRequested const& e) const { line.field("provider", e.provider); }
    void operator()(BlockRequested const& e) const {
        line.field("station", e.id).field("blocked", e.blocked);
    }
    void operator()(ForgetRequested const& e) const { line.field("station", e.id); }
    void operator()(VerifyRequested const& e) const { line.field("provider", e.provider); }
    void operator()(ScanRequested const& e) const { line.field("provider", e.provider); }
    void operator()(StoppedByPerson const&) const {}

    void status(JobStatus value, std::string_view text) const {
        line.flag(to_text(value), true).text("text", text);
    }
};

} // namespace

std::string_view event_name(Event const& event) {
    return std::visit(EventName{}, event);
}

std::string to_text(Event const& event) {
    Line line(event_name(event));
    std::visit(EventFields{line}, event);
    return std::move(line).str();
}

} // namespace stationsync::core
