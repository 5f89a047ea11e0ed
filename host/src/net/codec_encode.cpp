#include "net/codec.hpp"

#include "net/wire_records.hpp"

#include <algorithm>

namespace stationsync::host {

using namespace wire_code;

namespace {

void write(const core::Profile& in, wire::EngineMessage& message) {
    wire::Profile& out = *message.mutable_profile();
    out.set_protocol_major(in.protocol_major);
    out.set_protocol_minor(in.protocol_minor);
    wire_code::write(in.station, *out.mutable_station());
    out.set_run_id(in.run_id);
    out.set_station_name(in.station_name);
    out.set_project(in.project);
    out.set_product_version(in.product_version);
    out.set_on_provider_mismatch(static_cast<std::uint32_t>(in.on_provider_mismatch));
    for (const core::ProviderProfile& provider : in.providers) {
        wire::ProviderProfile& each = *out.add_providers();
        each.set_name(provider.name);
        each.set_plugin(provider.plugin);
        each.set_plugin_version(provider.plugin_version);
        each.set_known(provider.known);
        each.set_established(provider.established);
        for (const core::Token& token : provider.tokens) {
            wire_code::write(token, *each.add_tokens());
        }
    }
    for (const std::string& address : in.addresses) {
        out.add_addresses(address);
    }
}

void write(const core::Verdicts& in, wire::EngineMessage& message) {
    wire::Verdicts& out = *message.mutable_verdicts();
    for (const core::TokenVerdict& verdict : in.verdicts) {
        wire::TokenVerdict& each = *out.add_verdicts();
        each.set_provider(verdict.provider);
        each.set_compatible(verdict.compatible);
        each.set_text(verdict.text);
    }
    out.set_number(in.number);
}

void write(const core::TimeReport& in, wire::EngineMessage& message) {
    wire::TimeReport& out = *message.mutable_time_report();
    out.set_offset_us(in.offset.count());
    out.set_uncertainty_us(static_cast<std::uint64_t>(in.uncertainty.count()));
}

void write(const core::Greeting& in, wire::EngineMessage& message) {
    wire::Greeting& out = *message.mutable_greeting();
    out.set_incarnation(in.incarnation);
    out.set_answer_wanted(in.answer_wanted);
    for (const core::KnownOfYou& known : in.known) {
        wire::KnownOfYou& each = *out.add_known();
        each.set_incarnation(known.incarnation);
        each.set_sequence(known.sequence);
        each.set_index(known.index);
    }
}

void write(const core::IndexRequest& in, wire::EngineMessage& message) {
    wire::IndexRequest& out = *message.mutable_index_request();
    out.set_incarnation(in.incarnation);
    out.set_after(in.after);
    out.set_only_acknowledges(!in.wants_answer);
}

void write(const core::IndexEntry& in, wire::IndexEntry& out) {
    wire_code::write(in.object, *out.mutable_object());
    for (const core::SetEntry& entry : in.set) {
        wire::SetEntry& each = *out.add_set();
        wire_code::write(*entry.revision, false, *each.mutable_revision());
        each.set_rank(static_cast<std::uint32_t>(entry.rank));
        each.set_clock_wrong(entry.clock_wrong);
    }
    if (in.held) {
        wire_code::write(in.held, *out.mutable_held());
    }
    for (const core::LocalPackage& package : in.packages) {
        wire::LocalPackage& each = *out.add_packages();
        wire_code::write(package.revision, *each.mutable_revision());
        wire_code::write(package.package, *each.mutable_package());
        each.set_live(package.live);
    }
    for (const core::RevisionId& kept : in.kept) {
        wire_code::write(kept, *out.add_kept());
    }
    out.set_index(in.index);
}

void write(const core::IndexBatch& in, wire::EngineMessage& message) {
    wire::IndexBatch& out = *message.mutable_index_batch();
    out.set_incarnation(in.incarnation);
    out.set_after(in.after);
    out.set_last(in.last);
    out.set_more(in.more);
    for (const core::IndexEntry& entry : in.entries) {
        write(entry, *out.add_entries());
    }
    for (const std::string& provider : in.established) {
        out.add_established(provider);
    }
}

void write(const core::PendingChange& in, wire::EngineMessage& message) {
    wire::PendingChange& out = *message.mutable_pending_change();
    wire_code::write(in.object, *out.mutable_object());
    out.set_active(in.active);
    out.set_since_us(in.since.us);
}

void write(const core::PartialPackage& in, wire::EngineMessage& message) {
    wire::PartialPackage& out = *message.mutable_partial_package();
    wire_code::write(in.object, *out.mutable_object());
    if (in.revision) {
        wire_code::write(in.revision, *out.mutable_revision());
    }
    wire_code::write(in.package, *out.mutable_package());
    out.set_active(in.active);
}

void write(const core::Introductions& in, wire::EngineMessage& message) {
    wire::Introductions& out = *message.mutable_introductions();
    for (const core::Introduction& station : in.stations) {
        wire::Introduction& each = *out.add_stations();
        wire_code::write(station.id, *each.mutable_id());
        each.set_name(station.name);
        for (const std::string& address : station.addresses) {
            each.add_addresses(address);
        }
    }
}

void write(const core::BlockList& in, wire::EngineMessage& message) {
    wire::BlockList& out = *message.mutable_block_list();
    for (const core::BlockEntry& entry : in.entries) {
        wire::BlockEntry& each = *out.add_entries();
        wire_code::write(entry.id, *each.mutable_id());
        each.set_blocked(entry.blocked);
        wire_code::write(entry.stamp, *each.mutable_stamp());
        wire_code::write(entry.by, *each.mutable_by());
    }
}

void write(const core::KeptQuery& in, wire::EngineMessage& message) {
    wire::KeptQuery& out = *message.mutable_kept_query();
    wire_code::write(in.object, *out.mutable_object());
    out.set_version(in.version);
}

void write(const core::KeptAnswer& in, wire::EngineMessage& message) {
    wire::KeptAnswer& out = *message.mutable_kept_answer();
    wire_code::write(in.object, *out.mutable_object());
    out.set_version(in.version);
    out.set_found(in.found);
    if (in.revision) {
        wire_code::write(*in.revision, false, *out.mutable_revision());
    }
    if (in.found) {
        wire_code::write(in.package, *out.mutable_package());
    }
}

void write(const core::VerifyRequest& in, wire::EngineMessage& message) {
    wire::VerifyRequest& out = *message.mutable_verify_request();
    out.set_request(in.request);
    out.set_provider(in.provider);
}

void write(const core::VerifyReport& in, wire::EngineMessage& message) {
    wire::VerifyReport& out = *message.mutable_verify_report();
    out.set_request(in.request);
    out.set_provider(in.provider);
    out.set_checked(in.checked);
    for (const std::string& key : in.different) {
        out.add_different(key);
    }
}

void write(const core::ApplyState& in, wire::EngineMessage& message) {
    wire::ApplyState& out = *message.mutable_apply_state();
    out.set_provider(in.provider);
    out.set_hindrance(static_cast<std::uint32_t>(in.hindrance));
    out.set_text(in.text);
    out.set_since_us(in.since.us);
    if (in.until) {
        out.set_until_us(in.until->us);
    }
    out.set_number(in.number);
}

template <class Message>
Bytes serialize(const Message& message) {
    Bytes bytes(message.ByteSizeLong());
    message.SerializeToArray(bytes.data(), static_cast<int>(bytes.size()));
    return bytes;
}

Bytes encode_one(const core::Message& message) {
    wire::EngineMessage out;
    std::visit([&](const auto& body) { write(body, out); }, message);
    return serialize(out);
}

// Halves of a batch that is too large, each complete in itself.
std::pair<core::IndexBatch, core::IndexBatch> halves_of(core::IndexBatch batch) {
    std::sort(batch.entries.begin(), batch.entries.end(),
              [](const auto& a, const auto& b) { return a.index < b.index; });
    const auto middle =
        batch.entries.begin() + static_cast<std::ptrdiff_t>(batch.entries.size() / 2);
    core::IndexBatch first = batch;
    first.entries.assign(batch.entries.begin(), middle);
    first.last = first.entries.back().index;
    first.more = true;
    core::IndexBatch second = batch;
    second.entries.assign(middle, batch.entries.end());
    second.after = first.last;
    return {std::move(first), std::move(second)};
}

bool encode_parts(const core::Message& message, std::vector<Bytes>& parts) {
    const auto* batch = std::get_if<core::IndexBatch>(&message);
    const bool may_split = batch != nullptr && batch->entries.size() > 1;
    Bytes bytes = encode_one(message);
    const bool too_many =
        batch != nullptr && batch->entries.size() > static_cast<std::size_t>(wire_limits::entries);
    if (bytes.size() <= engine_bytes_max && !too_many) {
        parts.push_back(std::move(bytes));
        return true;
    }
    if (!may_split) {
        return false;
    }
    auto [first, second] = halves_of(*batch);
    return encode_parts(first, parts) && encode_parts(second, parts);
}

} // namespace

Checked<std::vector<Bytes>> encode_message(const core::Message& message) {
    std::vector<Bytes> parts;
    if (!encode_parts(message, parts)) {
        return BadInput{"A message to another station is larger than " +
                        std::to_string(engine_bytes_max) + " bytes and cannot be sent."};
    }
    return parts;
}

Bytes encode_host_message(const HostMessage& message) {
    const auto& update = std::get<KeyUpdate>(message);
    wire::HostMessage out;
    wire::KeyUpdate& body = *out.mutable_key_update();
    body.set_key(update.key.bytes.data(), update.key.bytes.size());
    body.set_made_at_us(update.made_at.us);
    body.set_retired_at_us(update.retired_at.us);
    return serialize(out);
}

std::string encode_revision(const core::Revision& revision) {
    wire::Revision out;
    wire_code::write(revision, true, out);
    return out.SerializeAsString();
}

} // namespace stationsync::host
