// Which databases are synchronized, and under which key.
#pragma once

#include "sql_answer.hpp"

#include <map>

namespace stationsync::sqlserver {

// Databases that are ours for a while: restored beside the live one, or replaced and kept; and
// those of other stations' names that are kept for people.
constexpr std::string_view incoming_prefix = "~syncin_";
constexpr std::string_view replaced_prefix = "~syncold_";
constexpr std::string_view kept_prefix = "~synckept_";

// master, model, msdb, tempdb, distribution and ours, in any case of letters: never an object,
// whatever the configuration or a package says.
bool is_reserved_database(std::string_view name);

// Elements of the list `databases`: a name, a pattern with * and ?, or KEY=name, where the database
// has another name on this station than the object that it is.
class DatabaseNames {
public:
    DatabaseNames() = default;
    // Throws sdk::Error(INVALID_ARG) for an empty list, a reserved name, a name that SQL Server
    // takes as none, and a key or name given twice.
    explicit DatabaseNames(const std::vector<std::string>& elements);

    // Key of a database of the server, nothing when it is not ours to synchronize.
    std::optional<std::string> key_of(std::string_view database) const;

    // Name of the database on this server; for a key that only a pattern matches, the key itself.
    // Throws sdk::Error(INVALID_ARG) for a key that is none of ours.
    std::string database_of(const std::string& key) const;

private:
    std::map<std::string, std::string> name_by_key_;
    std::vector<std::string> patterns_;
};

} // namespace stationsync::sqlserver
