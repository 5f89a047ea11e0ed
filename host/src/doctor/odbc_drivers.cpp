#include "doctor/odbc_drivers.hpp"

#include "doctor/packet_filter.hpp"

#include <algorithm>

namespace stationsync::host::doctor {
namespace {

std::string lower(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(), [](unsigned char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : static_cast<char>(c);
    });
    return result;
}

std::string_view trimmed(std::string_view text) {
    const auto begin = std::min(text.find_first_not_of(" \t\r"), text.size());
    const auto end = text.find_last_not_of(" \t\r");
    return end == std::string_view::npos ? std::string_view() : text.substr(begin, end + 1 - begin);
}

// The value of an attribute of a connection string, "{ODBC Driver 18 for SQL Server}" unpacked.
std::string attribute(std::string_view connection, std::string_view name) {
    for (const auto part : split(connection, ";")) {
        const auto equals = part.find('=');
        if (equals == std::string_view::npos || lower(trimmed(part.substr(0, equals))) != name) {
            continue;
        }
        auto value = trimmed(part.substr(equals + 1));
        if (value.starts_with('{') && value.ends_with('}')) {
            value = value.substr(1, value.size() - 2);
        }
        return std::string(value);
    }
    return {};
}

// Keys under which plugins take a connection string, also when it is a secret and cannot be read.
bool is_odbc_key(std::string_view key) {
    const auto name = lower(key);
    return name.find("odbc") != std::string::npos || name == "dsn" || name == "connection" ||
           name == "connection_string";
}

} // namespace

bool is_same_odbc_name(std::string_view a, std::string_view b) {
    return lower(a) == lower(b);
}

IniFile parse_ini(std::string_view text) {
    IniFile file;
    std::string section;
    for (const auto raw : split(text, "\n")) {
        const auto line = trimmed(raw);
        if (line.empty() || line.front() == ';' || line.front() == '#') {
            continue;
        }
        if (line.front() == '[') {
            section = std::string(trimmed(line.substr(1, line.find(']') - 1)));
            file[section];
            continue;
        }
        const auto equals = line.find('=');
        if (equals != std::string_view::npos && !section.empty()) {
            file[section][lower(trimmed(line.substr(0, equals)))] =
                std::string(trimmed(line.substr(equals + 1)));
        }
    }
    return file;
}

std::optional<OdbcNeed> odbc_need(const ConfigValue& own) {
    const auto* const table = own.get<ConfigValue::Table>();
    if (table == nullptr) {
        return std::nullopt;
    }
    std::optional<OdbcNeed> need;
    for (const auto& entry : *table) {
        const auto* const text = entry.value.get<std::string>();
        if (text != nullptr) {
            const OdbcNeed said{attribute(*text, "driver"), attribute(*text, "dsn")};
            if (!said.driver.empty() || !said.source.empty()) {
                need = said;
                continue;
            }
        }
        if (is_odbc_key(entry.key) && !need) {
            need = OdbcNeed{{}, lower(entry.key) == "dsn" && text != nullptr ? *text : ""};
        }
    }
    return need;
}

} // namespace stationsync::host::doctor
