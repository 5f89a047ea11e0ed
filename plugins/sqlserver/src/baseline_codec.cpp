// The stored form of a baseline.
#include "baseline.hpp"

#include <algorithm>

namespace stationsync::sqlserver {

namespace {

constexpr std::string_view format = "sqlserver-baseline-2";
constexpr std::size_t entries_max = 64;

class Writer {
public:
    void number(std::uint64_t value) {
        for (int shift = 56; shift >= 0; shift -= 8)
            bytes_ += static_cast<char>(value >> shift & 0xffu);
    }
    void signed_number(std::int64_t value) { number(static_cast<std::uint64_t>(value)); }
    void text(std::string_view value) {
        number(value.size());
        bytes_ += value;
    }
    template <std::size_t count>
    void raw(const std::array<std::uint8_t, count>& value) {
        bytes_.append(reinterpret_cast<const char*>(value.data()), count);
    }
    void optional(const std::optional<std::int64_t>& value) {
        number(value ? 1 : 0);
        if (value)
            signed_number(*value);
    }
    void optional(const std::optional<Lsn>& value) {
        number(value ? 1 : 0);
        if (!value)
            return;
        number(value->file);
        number(value->block);
        number(value->slot);
    }
    std::string take() { return std::move(bytes_); }

private:
    std::string bytes_;
};

class Reader {
public:
    explicit Reader(std::string_view bytes) : bytes_(bytes) {}

    bool is_done() const noexcept { return is_good_ && bytes_.empty(); }
    bool is_good() const noexcept { return is_good_; }

    std::uint64_t number() {
        std::uint64_t value = 0;
        for (const char byte : taken(8))
            value = value << 8 | static_cast<unsigned char>(byte);
        return value;
    }
    std::int64_t signed_number() { return static_cast<std::int64_t>(number()); }
    bool flag() { return number() != 0; }
    std::string text() { return std::string(taken(number())); }
    template <std::size_t count>
    std::array<std::uint8_t, count> raw() {
        std::array<std::uint8_t, count> value{};
        const std::string_view bytes = taken(count);
        std::copy(bytes.begin(), bytes.end(), value.begin()); // none where the bytes end early
        return value;
    }
    std::optional<std::int64_t> optional_number() {
        return flag() ? std::optional(signed_number()) : std::nullopt;
    }
    std::optional<Lsn> optional_lsn() {
        if (!flag())
            return std::nullopt;
        Lsn lsn;
        lsn.file = static_cast<std::uint32_t>(number());
        lsn.block = static_cast<std::uint32_t>(number());
        lsn.slot = static_cast<std::uint16_t>(number());
        return lsn;
    }
    // Of a list; a hostile one ends early.
    std::uint64_t count() {
        const std::uint64_t value = number();
        if (value > entries_max)
            is_good_ = false;
        return is_good_ ? value : 0;
    }

private:
    std::string_view taken(std::uint64_t count) {
        if (bytes_.size() < count) {
            is_good_ = false;
            bytes_ = {};
            return {};
        }
        const std::string_view bytes = bytes_.substr(0, count);
        bytes_.remove_prefix(count);
        return bytes;
    }

    std::string_view bytes_;
    bool is_good_ = true;
};

void write(Writer& to, const Fingerprint& fingerprint) {
    to.number(fingerprint.parts.size());
    for (const auto& [name, value] : fingerprint.parts) {
        to.text(name);
        to.text(value);
    }
    to.optional(fingerprint.modifications);
    to.optional(fingerprint.statistics_updated);
    to.optional(fingerprint.newest_object);
    to.number(fingerprint.has_memory_tables ? 1 : 0);
    to.optional(fingerprint.memory_writes);
    to.text(fingerprint.database_guid);
    to.text(fingerprint.family_guid);
    to.text(fingerprint.fork_guid);
}

Fingerprint read_fingerprint(Reader& from) {
    Fingerprint fingerprint;
    for (std::uint64_t left = from.count(); left > 0 && from.is_good(); --left) {
        std::string name = from.text();
        fingerprint.parts[std::move(name)] = from.text();
    }
    fingerprint.modifications = from.optional_number();
    fingerprint.statistics_updated = from.optional_number();
    fingerprint.newest_object = from.optional_number();
    fingerprint.has_memory_tables = from.flag();
    fingerprint.memory_writes = from.optional_number();
    fingerprint.database_guid = from.text();
    fingerprint.family_guid = from.text();
    fingerprint.fork_guid = from.text();
    return fingerprint;
}

void write(Writer& to, const Evidence& evidence) {
    to.signed_number(evidence.created);
    to.text(evidence.options);
    to.signed_number(evidence.started);
    to.optional(evidence.restore_id);
    to.number(evidence.gate ? 1 : 0);
    if (evidence.gate) {
        to.optional(evidence.gate->log_end);
        to.optional(evidence.gate->log_min);
        to.optional(evidence.gate->log_writes);
        to.optional(evidence.gate->log_bytes);
    }
    to.optional(evidence.usage.updates);
    to.optional(evidence.usage.last_update);
    write(to, evidence.fingerprint);
}

Evidence read_evidence(Reader& from) {
    Evidence evidence;
    evidence.created = from.signed_number();
    evidence.options = from.text();
    evidence.started = from.signed_number();
    evidence.restore_id = from.optional_number();
    if (from.flag()) {
        Gate gate;
        gate.log_end = from.optional_lsn();
        gate.log_min = from.optional_lsn();
        gate.log_writes = from.optional_number();
        gate.log_bytes = from.optional_number();
        evidence.gate = gate;
    }
    evidence.usage.updates = from.optional_number();
    evidence.usage.last_update = from.optional_number();
    evidence.fingerprint = read_fingerprint(from);
    return evidence;
}

} // namespace

std::string encode(const Baseline& baseline) {
    Writer to;
    to.text(format);
    to.text(baseline.server);
    to.text(baseline.database);
    to.raw(baseline.content.bytes);
    to.number(static_cast<std::uint64_t>(baseline.origin));
    to.signed_number(baseline.changed_at);
    to.signed_number(baseline.changed_not_before);
    to.number(baseline.flags);
    to.signed_number(baseline.clean_at);
    to.number(baseline.was_closed ? 1 : 0);
    write(to, baseline.evidence);
    to.number(baseline.content_sum ? 1 : 0);
    if (baseline.content_sum)
        to.text(*baseline.content_sum);
    to.number(baseline.past.size());
    for (const Baseline::Past& past : baseline.past) {
        to.raw(past.content.bytes);
        to.text(past.backup_set);
        to.signed_number(past.changed_at);
        to.text(past.inside);
    }
    to.number(baseline.applied.size());
    for (const Baseline::Applied& applied : baseline.applied) {
        to.raw(applied.id);
        to.raw(applied.content.bytes);
        to.signed_number(applied.changed_at);
    }
    return to.take();
}

std::optional<Baseline> decode(std::string_view bytes) {
    Reader from(bytes);
    if (from.text() != format)
        return std::nullopt;
    Baseline baseline;
    baseline.server = from.text();
    baseline.database = from.text();
    baseline.content.bytes = from.raw<16>();
    const std::uint64_t origin = from.number();
    if (origin > static_cast<std::uint64_t>(Origin::restore))
        return std::nullopt;
    baseline.origin = static_cast<Origin>(origin);
    baseline.changed_at = from.signed_number();
    baseline.changed_not_before = from.signed_number();
    baseline.flags = static_cast<std::uint32_t>(from.number());
    baseline.clean_at = from.signed_number();
    baseline.was_closed = from.flag();
    baseline.evidence = read_evidence(from);
    if (from.flag())
        baseline.content_sum = from.text();
    for (std::uint64_t left = from.count(); left > 0 && from.is_good(); --left) {
        Baseline::Past past;
        past.content.bytes = from.raw<16>();
        past.backup_set = from.text();
        past.changed_at = from.signed_number();
        past.inside = from.text();
        baseline.past.push_back(std::move(past));
    }
    for (std::uint64_t left = from.count(); left > 0 && from.is_good(); --left) {
        Baseline::Applied applied;
        applied.id = from.raw<16>();
        applied.content.bytes = from.raw<16>();
        applied.changed_at = from.signed_number();
        baseline.applied.push_back(applied);
    }
    if (!from.is_done())
        return std::nullopt;
    return baseline;
}

} // namespace stationsync::sqlserver
