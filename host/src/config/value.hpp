#pragma once
// A configuration file as a tree of values that remember their line. Knows nothing of TOML.

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace stationsync::host {

// `{ secret = "NAME" }`: the value itself is in the store of secrets.hpp.
struct SecretReference {
    std::string name;
    bool operator==(const SecretReference&) const = default;
};

struct ConfigEntry;

struct ConfigValue {
    using List = std::vector<ConfigValue>;
    using Table = std::vector<ConfigEntry>; // in the order of the file

    std::variant<bool, std::int64_t, double, std::string, SecretReference, List, Table> data;
    unsigned line = 0; // from 1

    template <class T>
    T const* get() const {
        return std::get_if<T>(&data);
    }
    // The value at `key`; null when this is no table or has no such key.
    const ConfigValue* find(std::string_view key) const;
    // Compares content, not lines.
    bool operator==(const ConfigValue& other) const;
};

struct ConfigEntry {
    std::string key;
    unsigned line = 0; // of the key
    ConfigValue value;
    bool operator==(const ConfigEntry& other) const;
};

// "a boolean", "a number", "text", "a list", "a table", …: for messages.
std::string_view kind_of(const ConfigValue& value);

// JSON text; a secret appears as {"secret":"NAME"}, never as its value.
std::string to_json_text(const ConfigValue& value);

} // namespace stationsync::host
