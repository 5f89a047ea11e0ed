// Text forms of what engines say to each other.
#include "text_line.hpp"

namespace stationsync::core {

namespace {

struct MessageText {
    std::string operator()(const Profile& m) const {
        std::string providers = "[";
        for (const ProviderProfile& provider : m.providers) {
            if (providers.size() > 1)
                providers += ", ";
            providers += std::move(Line(quoted_text(provider.name))
                                       .text("plugin", provider.plugin)
                                       .text("version", provider.plugin_version)
                                       .flag("known", provider.known)
                                       .field("tokens", provider.tokens)
                                       .flag("established", provider.established))
                             .str();
        }
        return std::move(Line("Profile")
                             .field("protocol", m.protocol_major)
                             .field("minor", m.protocol_minor)
                             .field("station", m.station)
                             .field("run", m.run_id)
                             .field("name", m.station_name)
                             .field("project", m.project)
                             .field("product_version", m.product_version)
                             .field("addresses", m.addresses)
                             .flag("skip-provider",
                                   m.on_provider_mismatch == ProviderMismatch::skip_provider))
                   .str() +
               " providers=" + providers + ']';
    }
    std::string operator()(const Verdicts& m) const {
        std::string text = "Verdicts number=" + std::to_string(m.number);
        for (const TokenVerdict& verdict : m.verdicts)
            text += ' ' + std::move(Line(quoted_text(verdict.provider))
                                        .field("compatible", verdict.compatible)
                                        .text("text", verdict.text))
                              .str();
        return text;
    }
    std::string operator()(const TimeReport& m) const {
        return std::move(
                   Line("TimeReport").field("offset", m.offset).field("uncertainty", m.uncertainty))
            .str();
    }
    std::string operator()(const Greeting& m) const {
        std::string text = "Greeting incarnation=" + hex_text(m.incarnation);
        if (m.answer_wanted)
            text += " answer_wanted";
        for (const KnownOfYou& known : m.known)
            text += " known={" + hex_text(known.incarnation) + ' ' +
                    std::to_string(known.sequence) + ' ' + std::to_string(known.index) + '}';
        return text;
    }
    std::string operator()(const IndexRequest& m) const {
        return "IndexRequest incarnation=" + hex_text(m.incarnation) +
               " after=" + std::to_string(m.after);
    }
    std::string operator()(const IndexBatch& m) const {
        std::string text = std::move(Line("IndexBatch incarnation=" + hex_text(m.incarnation))
                                         .field("after", m.after)
                                         .field("last", m.last)
                                         .flag("more", m.more)
                                         .field("established", m.established))
                               .str();
        for (const IndexEntry& entry : m.entries)
            text += " {" +
                    std::move(Line(std::to_string(entry.index))
                                  .field("object", entry.object)
                                  .field("set", entry.set)
                                  .field("held", entry.held)
                                  .field("packages", entry.packages)
                                  .field("kept", entry.kept))
                        .str() +
                    '}';
        return text;
    }
    std::string operator()(const PendingChange& m) const {
        return std::move(Line("PendingChange")
                             .field("object", m.object)
                             .field("active", m.active)
                             .field("since", m.since))
            .str();
    }
    std::string operator()(const PartialPackage& m) const {
        return std::move(Line("PartialPackage")
                             .field("object", m.object)
                             .field("revision", m.revision)
                             .field("package", m.package)
                             .field("active", m.active))
            .str();
    }
    std::string operator()(const Introductions& m) const {
        std::string text = "Introductions";
        for (const Introduction& station : m.stations)
            text += ' ' + std::move(Line(to_text(station.id))
                                        .field("name", station.name)
                                        .field("addresses", station.addresses))
                              .str();
        return text;
    }
    std::string operator()(const BlockList& m) const {
        std::string text = "BlockList";
        for (const BlockEntry& entry : m.entries)
            text += ' ' + std::move(Line(to_text(entry.id))
                                        .field("blocked", entry.blocked)
                                        .field("stamp", entry.stamp)
                                        .field("by", entry.by))
                              .str();
        return text;
    }
    std::string operator()(const KeptQuery& m) const {
        return std::move(Line("KeptQuery").field("object", m.object).field("version", m.version))
            .str();
    }
    std::string operator()(const KeptAnswer& m) const {
        return std::move(Line("KeptAnswer")
                             .field("object", m.object)
                             .field("version", m.version)
                             .field("found", m.found)
                             .field("revision", m.revision)
                             .field("package", m.package))
            .str();
    }
    std::string operator()(const VerifyRequest& m) const {
        return std::move(
                   Line("VerifyRequest").field("request", m.request).field("provider", m.provider))
            .str();
    }
    std::string operator()(const VerifyReport& m) const {
        return std::move(Line("VerifyReport")
                             .field("request", m.request)
                             .field("provider", m.provider)
                             .field("checked", m.checked)
                             .field("different", m.different))
            .str();
    }
    std::string operator()(const ApplyState& m) const {
        return std::move(Line("ApplyState")
                             .field("provider", m.provider)
                             .flag(to_text(m.hindrance), true)
                             .text("text", m.text)
                             .field("since", m.since)
                             .field("until", m.until)
                             .field("number", m.number))
            .str();
    }
};

} // namespace

std::string to_text(const Message& message) {
    return std::visit(MessageText{}, message);
}

} // namespace stationsync::core
