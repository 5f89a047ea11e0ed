#include "config/value.hpp"

#include "config/value_json.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace stationsync::host {

const ConfigValue* ConfigValue::find(std::string_view key) const {
    if (const auto* table = get<Table>()) {
        for (const auto& entry : *table) {
            if (entry.key == key) {
                return &entry.value;
            }
        }
    }
    return nullptr;
}

// The order of a table's keys is no content.
static bool same_table(const ConfigValue::Table& a, const ConfigValue& b, std::size_t b_size) {
    if (a.size() != b_size) {
        return false;
    }
    return std::ranges::all_of(a, [&b](const auto& entry) {
        const auto* twin = b.find(entry.key);
        return twin != nullptr && *twin == entry.value;
    });
}

bool ConfigValue::operator==(const ConfigValue& other) const {
    const auto* mine = get<Table>();
    const auto* theirs = other.get<Table>();
    if (mine != nullptr && theirs != nullptr) {
        return same_table(*mine, other, theirs->size());
    }
    return data == other.data;
}

bool ConfigEntry::operator==(const ConfigEntry& other) const {
    return key == other.key && value == other.value;
}

std::string_view kind_of(const ConfigValue& value) {
    constexpr std::string_view kinds[] = {"true or false", "a whole number", "a number", "text",
                                          "a secret",      "a list",         "a table"};
    return kinds[value.data.index()];
}

nlohmann::json to_json(const ConfigValue& value) {
    if (const auto* truth = value.get<bool>()) {
        return *truth;
    }
    if (const auto* integer = value.get<std::int64_t>()) {
        return *integer;
    }
    if (const auto* number = value.get<double>()) {
        return *number;
    }
    if (const auto* text = value.get<std::string>()) {
        return *text;
    }
    if (const auto* secret = value.get<SecretReference>()) {
        return {{"secret", secret->name}};
    }
    if (const auto* list = value.get<ConfigValue::List>()) {
        auto json = nlohmann::json::array();
        for (const auto& item : *list) {
            json.push_back(to_json(item));
        }
        return json;
    }
    auto json = nlohmann::json::object();
    for (const auto& entry : std::get<ConfigValue::Table>(value.data)) {
        json[entry.key] = to_json(entry.value);
    }
    return json;
}

std::string to_json_text(const ConfigValue& value) {
    return to_json(value).dump();
}

} // namespace stationsync::host
