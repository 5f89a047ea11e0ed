// Which databases the configuration names, and by which keys.
//
// An element of `files` is an absolute path, whose last part may contain * and ?, or NAME=path for
// one database. The key is the file name, or NAME.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace stationsync::sqlite {

// What is in the configured places now.
struct DatabasesFound {
    std::map<std::string, std::filesystem::path> by_key; // also configured ones that are absent
    // Keys of which nothing can be told, with the reason.
    std::map<std::string, std::string> unclear;
    // Folders that cannot be read: nothing is known of any key that they may hold.
    std::vector<std::string> unreadable;
};

class DatabaseList {
public:
    // Throws sdk::Error(INVALID_ARG) with the element and what would be right.
    explicit DatabaseList(const std::vector<std::string>& elements);

    DatabasesFound find() const;

    // Where the database of `key` is, or would be made. Throws sdk::Error(INVALID_ARG) for a key
    // that the configuration has no place for or that is no safe file name.
    std::filesystem::path locate(const std::string& key) const;

    // The key of the database at `path`, in one of folders(), if it is one of ours.
    std::optional<std::string> key_of(const std::filesystem::path& path) const;

    // Every folder that may hold a database.
    std::vector<std::filesystem::path> folders() const;

private:
    struct Element {
        std::string name; // key; empty for a pattern
        std::filesystem::path path;
        std::string pattern; // of file names in the folder of path; empty for one database
    };
    static Element parse(const std::string& text);
    void find_matching(const Element& element, DatabasesFound& found) const;

    std::vector<Element> elements_;
};

// * = any characters, ? = one character of UTF-8.
bool matches(std::string_view pattern, std::string_view name) noexcept;

} // namespace stationsync::sqlite
