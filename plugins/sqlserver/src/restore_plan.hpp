// Where the files of a package go, under which names, and the statements of a restore.
#pragma once

#include "preconditions.hpp"

namespace stationsync::sqlserver {

// Names that only this service uses. They begin alike for a database whenever they are made, so
// that what a killed restore left behind is found without any record; the generation at their end
// keeps one that cannot be dropped out of the way of the next.
struct WorkNames {
    std::string incoming; // ~syncin_…: the package, until it takes the place of the database
    std::string outgoing; // ~syncold_…: what was there, until the new one is proved
};
// `instance` keeps two instances apart that use one server. Without a generation: what all begin
// with.
WorkNames work_names_of(std::string_view instance, std::string_view database,
                        std::string_view generation = {});
// What all names begin with that are made for the same database as this one.
std::string work_stem_of(const std::string& name);
// For people, of at most 128 characters.
std::string kept_name_of(std::string_view database, std::string_view generation);

struct Move {
    std::string name; // logical
    std::string path;
};

struct RestorePlan {
    bool is_in_place = false;
    std::vector<Move> moves; // one for each file of the package
    std::string primary;     // path of the first data file: tells the new database from the old
};

// A name for files that says which database it is, of at most 60 ASCII characters, and no device
// name of Windows.
std::string file_stem_of(std::string_view database);

// `generation` makes new names unique. Throws sdk::Error: NO_SPACE with what is needed and free,
// INCOMPATIBLE when the wanted mode does not fit the package.
RestorePlan plan_restore(const RestoreCase& restore, std::string_view generation);

// One sentence when there is no room for the copy of what is overwritten in place; empty = there
// is, as far as is known. `free_here`: bytes in its folder, where this computer sees that.
std::string copy_shortage(const RestoreCase& restore, const RestorePlan& plan,
                          const std::string& copy, std::uint64_t copy_bytes,
                          std::optional<std::uint64_t> free_here);

// RESTORE of `file` into `database`, which only administrators may use afterwards.
std::string restore_statement(std::string_view database, std::string_view file,
                              const RestorePlan& plan);

} // namespace stationsync::sqlserver
