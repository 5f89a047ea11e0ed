#include "database_names.hpp"

#include "quoting.hpp"
#include "text.hpp"

#include <stationsync/error.hpp>

#include <algorithm>
#include <array>

namespace stationsync::sqlserver {

namespace {

bool has_wildcard(std::string_view text) noexcept {
    return text.find_first_of("*?") != std::string_view::npos;
}

// Length of the character that a byte begins.
std::size_t character_size(char byte) noexcept {
    const auto value = static_cast<unsigned char>(byte);
    return value < 0x80 ? 1 : value < 0xe0 ? 2 : value < 0xf0 ? 3 : 4;
}

// * stands for any number of characters, ? for one; both lowered.
bool matches(std::string_view pattern, std::string_view name) {
    std::size_t at = 0;
    std::size_t in_name = 0;
    std::size_t star = std::string_view::npos;
    std::size_t after_star = 0;
    while (in_name < name.size()) {
        if (at < pattern.size() && pattern[at] == '*') {
            star = at++;
            after_star = in_name;
        } else if (at < pattern.size() && pattern[at] == '?') {
            ++at;
            in_name += std::min(character_size(name[in_name]), name.size() - in_name);
        } else if (at < pattern.size() && pattern[at] == name[in_name]) {
            ++at;
            ++in_name;
        } else if (star != std::string_view::npos) {
            at = star + 1;
            in_name = ++after_star;
        } else {
            return false;
        }
    }
    while (at < pattern.size() && pattern[at] == '*')
        ++at;
    return at == pattern.size();
}

[[noreturn]] void refuse(const std::string& text) {
    throw sdk::Error(STSYNC_INVALID_ARG, text);
}

} // namespace

bool is_reserved_database(std::string_view name) {
    constexpr std::array<std::string_view, 6> system = {"master", "model",        "msdb",
                                                        "tempdb", "distribution", "resource"};
    const std::string lower = lowered(name);
    return std::find(system.begin(), system.end(), lower) != system.end() ||
           lower == "mssqlsystemresource" || lower.starts_with(incoming_prefix) ||
           lower.starts_with(replaced_prefix) || lower.starts_with(kept_prefix);
}

DatabaseNames::DatabaseNames(const std::vector<std::string>& elements) {
    if (elements.empty())
        refuse("The setting \"databases\" is missing: name the databases to be synchronized.");
    for (const std::string& element : elements) {
        const std::size_t equals = element.find('=');
        const std::string key = element.substr(0, equals);
        const std::string name = equals == std::string::npos ? element : element.substr(equals + 1);
        if (has_wildcard(key) || (equals != std::string::npos && has_wildcard(name))) {
            if (equals != std::string::npos)
                refuse("\"" + element + "\" in \"databases\": a pattern cannot have a key.");
            patterns_.push_back(lowered(element));
            continue;
        }
        if (key.empty())
            refuse("\"" + element + "\" in \"databases\" has no key: write KEY=name.");
        quoted_name(name); // refuses what is no name
        if (is_reserved_database(name))
            refuse("The database " + name +
                   " in \"databases\" belongs to SQL Server or to this "
                   "service and cannot be synchronized: take it out.");
        for (const auto& [other_key, other_name] : name_by_key_)
            if (is_same_name(other_key, key) || is_same_name(other_name, name))
                refuse("\"" + element +
                       "\" in \"databases\" repeats a key or a name: take one of "
                       "them out.");
        name_by_key_[key] = name;
    }
}

std::optional<std::string> DatabaseNames::key_of(std::string_view database) const {
    if (is_reserved_database(database))
        return std::nullopt;
    for (const auto& [key, name] : name_by_key_)
        if (is_same_name(name, database))
            return key;
    // A key that names another database is not free for one that a pattern matches.
    if (name_by_key_.contains(std::string(database)))
        return std::nullopt;
    const std::string lower = lowered(database);
    for (const std::string& pattern : patterns_)
        if (matches(pattern, lower))
            return std::string(database);
    return std::nullopt;
}

std::string DatabaseNames::database_of(const std::string& key) const {
    if (const auto at = name_by_key_.find(key); at != name_by_key_.end())
        return at->second;
    quoted_name(key);
    if (key_of(key) != key)
        refuse("The database " + key +
               " is not among those that are synchronized here: see \"databases\".");
    return key;
}

} // namespace stationsync::sqlserver
