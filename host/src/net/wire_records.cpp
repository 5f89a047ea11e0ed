#include "net/wire_records.hpp"

#include "base/path_text.hpp"

#include <algorithm>

namespace stationsync::host::wire_code {
namespace {

// Times beyond the year 9999, and numbers beyond this, could overflow in sums.
constexpr std::int64_t time_us_max = 253'402'300'800'000'000;
constexpr std::uint64_t number_max = std::uint64_t{1} << 62;
constexpr std::size_t provider_bytes_max = 32;

template <std::size_t Size>
bool read_bytes(const std::string& in, std::array<std::uint8_t, Size>& out) {
    if (in.size() != Size) {
        return false;
    }
    std::copy(in.begin(), in.end(), out.begin());
    return true;
}

template <std::size_t Size>
std::string text_of(const std::array<std::uint8_t, Size>& value) {
    return {reinterpret_cast<const char*>(value.data()), value.size()};
}

} // namespace

void Checks::fail(std::string_view what) {
    if (problem_.empty()) {
        problem_ = "a message of the peer cannot be used: " + std::string(what);
    }
}

std::string Checks::text(const std::string& value, std::size_t bytes_max, std::string_view what) {
    if (value.size() > bytes_max) {
        fail(std::string(what) + " has more than " + std::to_string(bytes_max) + " bytes");
        return {};
    }
    if (!is_valid_utf8(value) || value.find('\0') != std::string::npos) {
        fail(std::string(what) + " is no valid UTF-8 text");
        return {};
    }
    return value;
}

std::string Checks::provider(const std::string& value) {
    const bool is_name = !value.empty() && value.size() <= provider_bytes_max &&
                         std::all_of(value.begin(), value.end(), [](char c) {
                             return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
                         });
    if (!is_name) {
        fail("a provider name is not 1 to 32 of a-z, 0-9 and -");
        return {};
    }
    return value;
}

// A provider, or "/time" and the like: judgements that are of the whole station.
std::string Checks::verdict_subject(const std::string& value) {
    return value.starts_with('/') ? '/' + provider(value.substr(1)) : provider(value);
}

core::WallTime Checks::time(std::int64_t us, std::string_view what) {
    require(us >= -time_us_max && us <= time_us_max, std::string(what) + " is no possible time");
    return {us};
}

core::Duration Checks::duration(std::uint64_t us, std::string_view what) {
    const bool possible = us <= static_cast<std::uint64_t>(time_us_max);
    require(possible, std::string(what) + " is no possible duration");
    return core::Duration{possible ? static_cast<std::int64_t>(us) : 0};
}

std::uint64_t Checks::number(std::uint64_t value, std::string_view what) {
    require(value <= number_max, std::string(what) + " is too large");
    return value;
}

void write(const core::StationId& id, std::string& out) {
    out = text_of(id.bytes);
}

void write(const core::AuthorId& author, wire::Author& out) {
    write(author.station, *out.mutable_station());
    out.set_incarnation(author.incarnation);
}

void write(const core::RevisionId& name, wire::RevisionName& out) {
    write(name.author, *out.mutable_author());
    out.set_sequence(name.sequence);
}

void write(const core::Stamp& stamp, wire::Stamp& out) {
    out.set_wall_us(stamp.wall_us);
    out.set_logical(stamp.logical);
}

void write(const core::ObjectId& object, wire::Object& out) {
    out.set_provider(object.provider);
    out.set_key(object.key);
}

void write(const core::PackageInfo& package, wire::Package& out) {
    out.set_digest(text_of(package.digest.bytes));
    out.set_bytes(package.bytes);
    out.set_modified_100ns(package.modified_100ns);
}

void write(const core::Token& token, wire::Token& out) {
    out.set_name(token.name);
    out.set_value(token.value);
    out.set_kind(token.kind);
}

void write(const core::Revision& revision, bool with_object, wire::Revision& out) {
    if (with_object) {
        write(revision.object, *out.mutable_object());
    }
    write(revision.author, *out.mutable_author());
    out.set_sequence(revision.sequence);
    write(revision.stamp, *out.mutable_stamp());
    for (const auto& [author, sequence] : revision.seen.entries()) {
        write(core::RevisionId{author, sequence}, *out.add_seen());
    }
    if (revision.digest) {
        out.set_digest(text_of(revision.digest->bytes));
    }
    out.set_bytes(revision.bytes);
    out.set_changed_at_us(revision.changed_at.us);
    out.set_uncertainty_us(static_cast<std::uint64_t>(revision.uncertainty.count()));
    if (revision.parent) {
        write(revision.parent, *out.mutable_parent());
    }
    out.set_kind(revision.kind);
    for (const core::Token& token : revision.tokens) {
        write(token, *out.add_tokens());
    }
}

core::StationId read_station(const std::string& in, Checks& checks) {
    core::StationId id;
    checks.require(read_bytes(in, id.bytes), "a station id has not 16 bytes");
    return id;
}

core::AuthorId read(const wire::Author& in, Checks& checks) {
    return {read_station(in.station(), checks), in.incarnation()};
}

core::RevisionId read(const wire::RevisionName& in, Checks& checks) {
    if (!in.has_author()) {
        checks.require(in.sequence() == 0, "a revision has no author");
        return {};
    }
    checks.require(in.sequence() != 0, "a revision has the sequence 0");
    return {read(in.author(), checks), checks.number(in.sequence(), "a sequence")};
}

core::RevisionId read_named(const wire::RevisionName& in, Checks& checks) {
    const core::RevisionId name = read(in, checks);
    checks.require(static_cast<bool>(name), "a revision has no author");
    return name;
}

core::Stamp read(const wire::Stamp& in, Checks& checks) {
    return {checks.time(in.wall_us(), "a stamp").us, in.logical()};
}

core::ObjectId read(const wire::Object& in, Checks& checks) {
    checks.require(!in.key().empty(), "an object has no key");
    core::ObjectId object;
    object.provider = checks.provider(in.provider());
    object.key = checks.text(in.key(), wire_limits::key_bytes, "an object's key");
    return object;
}

core::PackageInfo read(const wire::Package& in, Checks& checks) {
    core::PackageInfo package;
    checks.require(read_bytes(in.digest(), package.digest.bytes), "a digest has not 32 bytes");
    package.bytes = checks.number(in.bytes(), "the size of a package");
    package.modified_100ns = in.modified_100ns();
    return package;
}

core::Token read(const wire::Token& in, Checks& checks) {
    return {checks.text(in.name(), wire_limits::token_name_bytes, "the name of a token"),
            checks.text(in.value(), wire_limits::token_value_bytes, "the value of a token"),
            in.kind()};
}

core::Revision read(const wire::Revision& in, core::ObjectId object, Checks& checks) {
    core::Revision revision;
    revision.object = std::move(object);
    revision.author = read(in.author(), checks);
    revision.sequence = checks.number(in.sequence(), "a sequence");
    checks.require(revision.sequence != 0, "a revision has the sequence 0");
    revision.stamp = read(in.stamp(), checks);
    if (checks.count(in.seen(), wire_limits::authors, "a revision has seen too many authors")) {
        for (const wire::RevisionName& seen : in.seen()) {
            const core::RevisionId name = read_named(seen, checks);
            revision.seen.raise(name.author, name.sequence);
        }
    }
    if (!in.digest().empty()) {
        core::Digest digest;
        checks.require(read_bytes(in.digest(), digest.bytes), "a digest has not 32 bytes");
        revision.digest = digest;
    }
    revision.bytes = checks.number(in.bytes(), "the size of a revision");
    revision.changed_at = checks.time(in.changed_at_us(), "the time of a change");
    revision.uncertainty = checks.duration(in.uncertainty_us(), "the uncertainty of a change");
    revision.parent = read(in.parent(), checks);
    revision.kind = in.kind();
    if (checks.count(in.tokens(), wire_limits::tokens, "a revision has too many tokens")) {
        for (const wire::Token& token : in.tokens()) {
            revision.tokens.push_back(read(token, checks));
        }
    }
    return revision;
}

} // namespace stationsync::host::wire_code
