#include "database_list.hpp"

#include <stationsync/paths.hpp>

#include <algorithm>

namespace stationsync::sqlite {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view wildcards = "*?";

sdk::Error wrong(const std::string& element, const std::string& problem) {
    return {STSYNC_INVALID_ARG, "The element \"" + element + "\" of `files` " + problem +
                                    "; right would be \"/data/batch.db\", \"/data/*.db\" or "
                                    "\"recipes=/data/batch.db\"."};
}

// Files that belong to a database or to us, and are none.
bool is_side_file(std::string_view name) noexcept {
    for (const std::string_view suffix : {"-wal", "-shm", "-journal"})
        if (name.ends_with(suffix))
            return true;
    return sdk::is_temp_name(name);
}

} // namespace

bool matches(std::string_view pattern, std::string_view name) noexcept {
    std::size_t at = 0, in_name = 0;
    std::size_t star = std::string_view::npos, star_in_name = 0;
    const auto is_inside_character = [&](std::size_t index) {
        return index < name.size() && (static_cast<unsigned char>(name[index]) & 0xc0u) == 0x80u;
    };
    while (in_name < name.size()) {
        if (at < pattern.size() && pattern[at] == '*') {
            star = at++;
            star_in_name = in_name;
        } else if (at < pattern.size() && pattern[at] == '?') {
            ++at;
            ++in_name;
            while (is_inside_character(in_name))
                ++in_name;
        } else if (at < pattern.size() && pattern[at] == name[in_name]) {
            ++at;
            ++in_name;
        } else if (star != std::string_view::npos) {
            at = star + 1;
            in_name = ++star_in_name;
        } else {
            return false;
        }
    }
    while (at < pattern.size() && pattern[at] == '*')
        ++at;
    return at == pattern.size();
}

DatabaseList::DatabaseList(const std::vector<std::string>& elements) {
    if (elements.empty())
        throw sdk::Error(STSYNC_INVALID_ARG,
                         "The setting \"files\" is missing: list the databases, for example files "
                         "= [\"/data/batch.db\"].");
    for (const std::string& text : elements) {
        Element element = parse(text);
        const auto is_taken = [&](const Element& other) {
            return !element.name.empty() && element.name == other.name;
        };
        if (std::any_of(elements_.begin(), elements_.end(), is_taken))
            throw wrong(text, "gives the key \"" + element.name +
                                  "\" a second time: choose another with NAME=path");
        elements_.push_back(std::move(element));
    }
}

DatabaseList::Element DatabaseList::parse(const std::string& text) {
    Element element;
    element.path = sdk::path_from_utf8(text);
    if (!element.path.is_absolute()) {
        const std::size_t equals = text.find('=');
        if (equals == std::string::npos)
            throw wrong(text, "is no absolute path");
        element.name = text.substr(0, equals);
        element.path = sdk::path_from_utf8(std::string_view(text).substr(equals + 1));
        if (!element.path.is_absolute())
            throw wrong(text, "has no absolute path after the =");
    }
    element.path = element.path.lexically_normal();
    const std::string file_name = sdk::utf8_from_path(element.path.filename());
    if (file_name.empty())
        throw wrong(text, "names a folder, not a file");
    if (sdk::utf8_from_path(element.path.parent_path()).find_first_of(wildcards) !=
        std::string::npos)
        throw wrong(text, "has a * or ? before the last part of the path");
    if (file_name.find_first_of(wildcards) != std::string::npos) {
        if (!element.name.empty())
            throw wrong(text, "gives one name to several databases");
        element.pattern = file_name;
        return element;
    }
    if (element.name.empty())
        element.name = file_name;
    if (const auto problem = sdk::path_key_problem(element.name))
        throw wrong(text,
                    "makes the key \"" + element.name + "\", which is not allowed: " + *problem);
    return element;
}

DatabasesFound DatabaseList::find() const {
    DatabasesFound found;
    for (const Element& element : elements_) {
        if (!element.pattern.empty())
            continue;
        found.by_key.emplace(element.name, element.path);
        // Without its folder a database is not absent: its disk may be.
        std::error_code ignored;
        if (!fs::is_directory(element.path.parent_path(), ignored))
            found.unclear.emplace(element.name,
                                  "The folder " + sdk::utf8_from_path(element.path.parent_path()) +
                                      " is missing: make it, or mount its disk.");
    }
    for (const Element& element : elements_)
        if (!element.pattern.empty())
            find_matching(element, found);
    return found;
}

void DatabaseList::find_matching(const Element& element, DatabasesFound& found) const {
    const fs::path folder = element.path.parent_path();
    std::error_code failure;
    fs::directory_iterator entries(folder, failure);
    for (; !failure && entries != fs::directory_iterator(); entries.increment(failure)) {
        const std::string name = sdk::utf8_from_path(entries->path().filename());
        std::error_code ignored;
        if (is_side_file(name) || !matches(element.pattern, name) || entries->is_directory(ignored))
            continue;
        if (sdk::path_key_problem(name)) {
            if (sdk::is_valid_utf8(name))
                found.unclear.emplace(name, "The file name is not possible on every system: "
                                            "rename it, or list it as NAME=path.");
            continue;
        }
        // One file may be listed twice; two files of one name need keys of their own.
        const auto [at, is_new] = found.by_key.emplace(name, entries->path());
        if (!is_new && at->second != entries->path())
            found.unclear.emplace(name, "Two databases have this name, " +
                                            sdk::utf8_from_path(at->second) + " and " +
                                            sdk::utf8_from_path(entries->path()) +
                                            ": list one of them as NAME=path.");
    }
    if (failure)
        found.unreadable.push_back("The folder " + sdk::utf8_from_path(folder) +
                                   " cannot be read (" + failure.message() +
                                   "): mount its disk, or give the service rights on it.");
}

fs::path DatabaseList::locate(const std::string& key) const {
    if (const auto problem = sdk::path_key_problem(key))
        throw sdk::Error(STSYNC_INVALID_ARG,
                         "The key \"" + key + "\" is no file name: " + *problem + ".");
    for (const Element& element : elements_)
        if (element.pattern.empty() && element.name == key)
            return element.path;
    std::error_code ignored;
    std::optional<fs::path> place;
    for (const Element& element : elements_) {
        const bool is_plain = key.find('/') == std::string::npos && !is_side_file(key);
        if (element.pattern.empty() || !is_plain || !matches(element.pattern, key))
            continue;
        const fs::path path = element.path.parent_path() / sdk::path_from_utf8(key);
        // Where several patterns fit, the database may be in any of their folders.
        if (!place || (!fs::exists(*place, ignored) && fs::exists(path, ignored)))
            place = path;
    }
    if (place)
        return *place;
    throw sdk::Error(STSYNC_INVALID_ARG, "`files` of this station has no place for \"" + key +
                                             "\": add \"" + key + "=path\" to it.");
}

std::optional<std::string> DatabaseList::key_of(const fs::path& path) const {
    for (const Element& element : elements_)
        if (element.pattern.empty() && element.path == path)
            return element.name;
    std::string name = sdk::utf8_from_path(path.filename());
    for (const Element& element : elements_)
        if (!element.pattern.empty() && element.path.parent_path() == path.parent_path() &&
            matches(element.pattern, name) && !is_side_file(name))
            return name;
    return std::nullopt;
}

std::vector<fs::path> DatabaseList::folders() const {
    std::vector<fs::path> folders;
    for (const Element& element : elements_)
        folders.push_back(element.path.parent_path());
    std::sort(folders.begin(), folders.end());
    folders.erase(std::unique(folders.begin(), folders.end()), folders.end());
    return folders;
}

} // namespace stationsync::sqlite
