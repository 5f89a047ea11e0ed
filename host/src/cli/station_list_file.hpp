#pragma once
// An SQLite database with the station list in its default schema, as `stationsync configurator`
// makes and edits it. Other programs may read and write it meanwhile, and a provider may replace
// it.

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace stationsync::host::cli {

// As lists hold it, so that one place has one spelling: lower case, with port. Nothing when
// discovery-static could not use it.
[[nodiscard]] std::optional<std::string> list_address(const std::string& given);

struct ListedStation {
    std::string name;
    std::vector<std::string> addresses;
    bool operator==(const ListedStation&) const = default;
};

// Blocking: waits up to 10 s for others that hold the database. All functions throw CommandFailure
// with cause and remedy.
class StationListFile {
public:
    // Makes the database; a file of 0 bytes counts as none. It is there with its whole content, or
    // not at all.
    static void create(const std::filesystem::path& file,
                       const std::optional<std::string>& project);

    enum class Use : std::uint8_t { read, write };
    StationListFile(const std::filesystem::path& file, Use use);
    StationListFile(const StationListFile&) = delete;
    StationListFile& operator=(const StationListFile&) = delete;
    ~StationListFile();

    // By name.
    [[nodiscard]] std::vector<ListedStation> stations();
    // Empty: none is entered.
    [[nodiscard]] std::string project();

    // All of it or nothing. `addresses` are list_address(). Fails when one is in the list already,
    // in whatever spelling and of whichever station. Returns the station as it is listed now.
    ListedStation add(const std::string& name, const std::vector<std::string>& addresses);
    // Of the station, or only this one address (list_address) of it. Fails when it is not in the
    // list. Returns what is left of it.
    ListedStation remove(const std::string& name, const std::optional<std::string>& address);

private:
    struct Database;
    std::unique_ptr<Database> database_;
};

} // namespace stationsync::host::cli
