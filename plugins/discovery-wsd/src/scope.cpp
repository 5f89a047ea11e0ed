#include "scope.hpp"

#include <stationsync/text.hpp>

#include <algorithm>

namespace stationsync::discovery_wsd {

namespace {

constexpr std::string_view scope_base = "stn://stationsync/";
constexpr std::string_view endpoint_base = "urn:uuid:";

char lowered(char byte) noexcept {
    return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + 32) : byte;
}

std::string lowered(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(),
                   [](char byte) { return lowered(byte); });
    return result;
}

bool is_unreserved(char byte) noexcept {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

int digit_of(char byte) noexcept {
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    const char small = lowered(byte);
    return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

// The bytes only; what they mean is not looked at.
std::optional<std::string> decoded_bytes(std::string_view text) {
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            bytes += text[i];
            continue;
        }
        if (text.size() - i < 3 || digit_of(text[i + 1]) < 0 || digit_of(text[i + 2]) < 0)
            return std::nullopt;
        bytes += static_cast<char>(digit_of(text[i + 1]) * 16 + digit_of(text[i + 2]));
        i += 2;
    }
    return bytes;
}

// A hierarchical URI in the parts that the prefix rule compares.
struct Uri {
    std::string base; // scheme and authority in lower case
    std::vector<std::string> segments;
};

std::optional<Uri> split_uri(std::string_view text) {
    text = text.substr(0, text.find_first_of("?#"));
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos || colon == 0)
        return std::nullopt;
    std::size_t path = colon + 1;
    const bool has_authority = text.substr(path, 2) == "//";
    if (has_authority)
        path = std::min(text.find('/', path + 2), text.size());
    Uri uri;
    uri.base = lowered(text.substr(0, path));
    std::string_view rest = text.substr(path);
    if (!rest.empty() && rest.front() == '/')
        rest.remove_prefix(1);
    while (!rest.empty()) {
        const std::size_t slash = rest.find('/');
        auto segment = decoded_bytes(rest.substr(0, slash));
        if (!segment || *segment == "." || *segment == "..")
            return std::nullopt;
        uri.segments.push_back(std::move(*segment));
        rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
    }
    return uri;
}

bool is_uuid(std::string_view text) noexcept {
    if (text.size() != 36)
        return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (is_dash ? text[i] != '-' : digit_of(text[i]) < 0)
            return false;
    }
    return true;
}

enum class Rule : std::uint8_t { prefix, exact, uuid, none, unknown };

Rule rule_of(std::string_view match_by) noexcept {
    if (match_by.empty())
        return Rule::prefix;
    for (const Version version : all_versions) {
        const std::string_view space = names_of(version).discovery;
        if (match_by.substr(0, space.size()) != space || match_by.size() <= space.size() ||
            match_by[space.size()] != '/')
            continue;
        const std::string_view rule = match_by.substr(space.size() + 1);
        if (rule == "rfc3986" || rule == "rfc2396")
            return Rule::prefix;
        if (rule == "strcmp0")
            return Rule::exact;
        if (rule == "uuid")
            return Rule::uuid;
        if (rule == "none")
            return Rule::none;
    }
    return Rule::unknown;
}

bool is_same_uuid(std::string_view asked, std::string_view own) {
    const auto bare = [](std::string_view text) {
        std::string small = lowered(text);
        if (small.rfind(endpoint_base, 0) == 0)
            small.erase(0, endpoint_base.size());
        else if (small.rfind("uuid:", 0) == 0)
            small.erase(0, 5);
        return small;
    };
    const std::string id = bare(asked);
    return is_uuid(id) && id == bare(own);
}

bool is_scope_match(Rule rule, std::string_view asked, std::string_view own) {
    switch (rule) {
    case Rule::prefix:
        return is_scope_prefix(asked, own);
    case Rule::exact:
        return asked == own;
    case Rule::uuid:
        return is_same_uuid(asked, own);
    default:
        return false;
    }
}

// What follows "stn://stationsync/KEY/" as text, once.
bool take_value(std::string_view rest, std::string_view key, std::string& value, bool& is_broken) {
    if (rest.size() <= key.size() || rest.substr(0, key.size()) != key || rest[key.size()] != '/')
        return false;
    auto decoded = percent_decoded(rest.substr(key.size() + 1));
    is_broken = is_broken || !decoded || decoded->empty() || decoded->size() > name_bytes_max ||
                !value.empty();
    if (!is_broken)
        value = std::move(*decoded);
    return true;
}

} // namespace

std::string percent_encoded(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string result;
    for (const char byte : text) {
        if (is_unreserved(byte)) {
            result += byte;
            continue;
        }
        const auto value = static_cast<unsigned char>(byte);
        result += '%';
        result += digits[value >> 4];
        result += digits[value & 15];
    }
    return result;
}

std::optional<std::string> percent_decoded(std::string_view text) {
    auto bytes = decoded_bytes(text);
    if (!bytes || !sdk::is_valid_utf8(*bytes))
        return std::nullopt;
    for (std::size_t i = 0; i < bytes->size(); ++i) {
        const auto byte = static_cast<unsigned char>((*bytes)[i]);
        const bool is_c1 = byte == 0xC2 && static_cast<unsigned char>((*bytes)[i + 1]) < 0xA0;
        if (byte < 0x20 || byte == 0x7f || is_c1)
            return std::nullopt;
    }
    return bytes;
}

std::string project_scope(std::string_view project) {
    return std::string(scope_base) + "project/" + percent_encoded(project);
}

std::vector<std::string> scopes_of(const StationRecord& record) {
    const std::string base(scope_base);
    std::vector<std::string> scopes{project_scope(record.project),
                                    base + "station/" + record.station_id,
                                    base + "name/" + percent_encoded(record.name),
                                    base + "proto/" + percent_encoded(record.protocol)};
    if (!record.product.empty())
        scopes.push_back(base + "app/" + percent_encoded(record.product));
    return scopes;
}

std::optional<StationRecord> record_of(const Target& target) {
    const auto id = uuid_of(target.endpoint);
    if (!id)
        return std::nullopt;
    StationRecord record;
    bool is_broken = false;
    for (const std::string& scope : target.scopes) {
        const std::string_view text = scope;
        if (text.substr(0, scope_base.size()) != scope_base)
            continue;
        const std::string_view rest = text.substr(scope_base.size());
        if (!take_value(rest, "project", record.project, is_broken) &&
            !take_value(rest, "station", record.station_id, is_broken) &&
            !take_value(rest, "name", record.name, is_broken) &&
            !take_value(rest, "proto", record.protocol, is_broken))
            take_value(rest, "app", record.product, is_broken);
    }
    record.station_id = lowered(record.station_id);
    if (is_broken || record.project.empty() || record.name.empty() || record.protocol.empty() ||
        record.station_id != *id)
        return std::nullopt;
    return record;
}

std::optional<std::string> uuid_of(std::string_view endpoint) {
    const std::string small = lowered(endpoint);
    if (small.rfind(endpoint_base, 0) != 0)
        return std::nullopt;
    std::string id = small.substr(endpoint_base.size());
    if (!is_uuid(id))
        return std::nullopt;
    return id;
}

std::string endpoint_of(std::string_view station_id) {
    return std::string(endpoint_base) + lowered(station_id);
}

bool is_station(const Target& target) {
    return std::any_of(target.types.begin(), target.types.end(), [](const QName& type) {
        return type.space == station_namespace && type.local == station_type;
    });
}

bool is_asked_for(const Target& probe, const std::vector<std::string>& own_scopes) {
    const bool has_types =
        std::all_of(probe.types.begin(), probe.types.end(), [](const QName& type) {
            return type.space == station_namespace && type.local == station_type;
        });
    if (!has_types)
        return false;
    const Rule rule = rule_of(probe.match_by);
    if (rule == Rule::unknown)
        return false;
    if (rule == Rule::none)
        return probe.scopes.empty() && own_scopes.empty();
    return std::all_of(probe.scopes.begin(), probe.scopes.end(), [&](const std::string& asked) {
        return std::any_of(own_scopes.begin(), own_scopes.end(), [&](const std::string& own) {
            return is_scope_match(rule, asked, own);
        });
    });
}

bool is_scope_prefix(std::string_view asked, std::string_view own) {
    const auto wanted = split_uri(asked);
    const auto present = split_uri(own);
    if (!wanted || !present || wanted->base != present->base ||
        wanted->segments.size() > present->segments.size())
        return false;
    return std::equal(wanted->segments.begin(), wanted->segments.end(), present->segments.begin());
}

} // namespace stationsync::discovery_wsd
