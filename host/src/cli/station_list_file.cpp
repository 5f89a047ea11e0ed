#include "cli/station_list_file.hpp"

#include "base/path_text.hpp"
#include "cli/environment.hpp"
#include "config/endpoint.hpp"
#include "config/units.hpp"
#include "configurator_schema.hpp"
#include "net/address.hpp"

#include <sqlite3.h>

#include <algorithm>

namespace stationsync::host::cli {
namespace {

constexpr int busy_limit_ms = 10000;
constexpr const char* list_command = "`stationsync configurator list`";

struct Close {
    void operator()(sqlite3* database) const noexcept { sqlite3_close_v2(database); }
};
struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
};

// As it stands in the list, which other programs edit, too.
std::optional<std::string> listed(const std::vector<std::string>& addresses,
                                  const std::string& address) {
    const auto found = std::ranges::find_if(addresses, [&address](const std::string& each) {
        return list_address(each).value_or(each) == address;
    });
    return found == addresses.end() ? std::nullopt : std::optional(*found);
}

// Narrower than what a configuration may hold: as discovery-static judges it.
bool is_listable(std::string_view host) {
    constexpr std::size_t bytes_max = 253;
    constexpr std::string_view v6_characters = "0123456789abcdef:.";
    if (host.size() > bytes_max) {
        return false;
    }
    if (host.find(':') != std::string_view::npos) {
        const auto digits = host.substr(0, host.find('%'));
        return std::ranges::count(digits, ':') >= 2 &&
               digits.find_first_not_of(v6_characters) == std::string_view::npos &&
               !host.ends_with('%');
    }
    return !host.starts_with('.') && host.find("..") == std::string_view::npos &&
           std::ranges::all_of(host,
                               [](char byte) { return static_cast<unsigned char>(byte) < 0x80; });
}

bool is_absent(const std::filesystem::path& file) {
    std::error_code failure;
    const auto size = std::filesystem::file_size(file, failure);
    return failure == std::errc::no_such_file_or_directory || (!failure && size == 0);
}

} // namespace

std::optional<std::string> list_address(const std::string& given) {
    auto address = parse_host_port(given, link_port_default);
    if (!address) {
        return std::nullopt;
    }
    std::ranges::transform(address->host, address->host.begin(), [](char byte) {
        return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
    });
    if (!is_listable(address->host)) {
        return std::nullopt;
    }
    return to_text(*address);
}

struct StationListFile::Database {
    using Row = std::vector<std::string>;

    Database(const std::filesystem::path& path, int flags) : name(path_text(path)) {
        sqlite3* opened = nullptr;
        const int result = sqlite3_open_v2(name.c_str(), &opened, flags, nullptr);
        handle.reset(opened);
        if (result != SQLITE_OK) {
            fail(result);
        }
        sqlite3_busy_timeout(opened, busy_limit_ms);
        sqlite3_db_config(opened, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
        sqlite3_db_config(opened, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    }

    [[noreturn]] void fail(int result) const {
        const std::string cause = handle ? sqlite3_errmsg(handle.get()) : sqlite3_errstr(result);
        switch (result & 0xff) {
        case SQLITE_NOTADB:
        case SQLITE_CORRUPT:
            throw CommandFailure(name + " is no SQLite database, or a damaged one (" + cause + ")",
                                 "Name the right file with --database.");
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            throw CommandFailure(name + " is locked by another program (" + cause + ")",
                                 "Try again; if it lasts, end the program that keeps it locked.");
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_AUTH:
        case SQLITE_CANTOPEN:
            throw CommandFailure(name + " cannot be opened for this (" + cause + ")",
                                 "Run the command as a user who may write the file and its folder; "
                                 "the folder must be there.");
        case SQLITE_FULL:
            throw CommandFailure("there is no room for " + name, "Make room on its disk.");
        default:
            throw CommandFailure(name + " cannot be used (" + cause + ")",
                                 "Look whether it is the right file; --database names another.");
        }
    }

    std::vector<Row> run(const std::string& sql,
                         const std::vector<std::string>& values = {}) const {
        sqlite3_stmt* prepared = nullptr;
        check(sqlite3_prepare_v2(handle.get(), sql.c_str(), -1, &prepared, nullptr));
        const std::unique_ptr<sqlite3_stmt, Finalize> statement(prepared);
        for (std::size_t i = 0; i < values.size(); ++i) {
            check(sqlite3_bind_text(prepared, static_cast<int>(i) + 1, values[i].c_str(), -1,
                                    SQLITE_TRANSIENT));
        }
        std::vector<Row> rows;
        int step = SQLITE_ROW;
        while ((step = sqlite3_step(prepared)) == SQLITE_ROW) {
            Row row;
            for (int i = 0; i < sqlite3_column_count(prepared); ++i) {
                const auto* const text = sqlite3_column_text(prepared, i);
                row.emplace_back(text == nullptr ? "" : reinterpret_cast<const char*>(text));
            }
            rows.push_back(std::move(row));
        }
        if (step != SQLITE_DONE) {
            fail(step);
        }
        return rows;
    }

    void run_all(const char* sql) const {
        check(sqlite3_exec(handle.get(), sql, nullptr, nullptr, nullptr));
    }

    void check(int result) const {
        if (result != SQLITE_OK) {
            fail(result);
        }
    }

    // With the columns that the list needs, whatever others there are.
    [[nodiscard]] bool has_table(const std::string& table,
                                 const std::vector<std::string>& columns) const {
        const auto rows = run("SELECT lower(name) FROM pragma_table_info(?)", {table});
        return std::ranges::all_of(columns, [&rows](const std::string& column) {
            return std::ranges::find(rows, Row{column}) != rows.end();
        });
    }

    [[nodiscard]] std::vector<ListedStation> stations() const {
        std::vector<ListedStation> all;
        for (auto& row : run("SELECT name, address FROM stations ORDER BY name, address")) {
            if (all.empty() || all.back().name != row[0]) {
                all.push_back({row[0], {}});
            }
            all.back().addresses.push_back(row[1]);
        }
        return all;
    }

    std::string name;
    std::unique_ptr<sqlite3, Close> handle;
};

void StationListFile::create(const std::filesystem::path& file,
                             const std::optional<std::string>& project) {
    const bool was_absent = is_absent(file);
    const Database database(file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    // One transaction: whoever looks meanwhile sees all of it or an empty database.
    database.run_all("BEGIN IMMEDIATE");
    if (!was_absent || !database.run("SELECT 1 FROM sqlite_schema").empty()) {
        const bool is_list = database.has_table("stations", {"name", "address"});
        throw CommandFailure(database.name + (is_list ? " is a station list already"
                                                      : " is there already and is no station list"),
                             is_list ? std::string(list_command) + " shows it."
                                     : std::string("Name another file; this one is not touched."));
    }
    database.run_all(configurator_schema);
    if (project) {
        database.run("INSERT INTO settings (name, value) VALUES ('project', ?)", {*project});
    }
    database.run_all("COMMIT");
}

StationListFile::StationListFile(const std::filesystem::path& file, Use use) {
    if (is_absent(file)) {
        throw CommandFailure("there is no station list " + path_text(file),
                             "Make it with `stationsync configurator init`, or name the right file "
                             "with --database.");
    }
    database_ = std::make_unique<Database>(file, use == Use::read ? SQLITE_OPEN_READONLY
                                                                  : SQLITE_OPEN_READWRITE);
    // Reading is one look, writing one transaction, that a provider cannot replace in between.
    database_->run_all(use == Use::read ? "BEGIN" : "BEGIN IMMEDIATE");
    if (!database_->has_table("stations", {"name", "address"})) {
        throw CommandFailure(
            database_->name + " has no table `stations` with the columns name and address",
            "This command edits the lists that `stationsync configurator init` makes. Edit a table "
            "of your own, which `query` in the configuration reads, with your own tools.");
    }
}

StationListFile::~StationListFile() = default;

std::vector<ListedStation> StationListFile::stations() {
    return database_->stations();
}

std::string StationListFile::project() {
    if (!database_->has_table("settings", {"name", "value"})) {
        return {};
    }
    const auto rows = database_->run("SELECT value FROM settings WHERE name = 'project'");
    return rows.empty() ? std::string() : rows.front().front();
}

ListedStation StationListFile::add(const std::string& name,
                                   const std::vector<std::string>& addresses) {
    for (const auto& station : stations()) {
        for (const auto& address : addresses) {
            if (!listed(station.addresses, address)) {
                continue;
            }
            throw CommandFailure(
                "the station \"" + station.name + "\" has the address " + address + " already",
                station.name == name
                    ? std::string(list_command) + " shows the list."
                    : "Correct the address, or remove it there with `stationsync configurator "
                      "remove-station \"" +
                          station.name + "\" " + address + "`.");
        }
    }
    for (const auto& address : addresses) {
        database_->run("INSERT INTO stations (name, address) VALUES (?, ?)", {name, address});
    }
    const auto all = stations();
    database_->run_all("COMMIT");
    return *std::ranges::find(all, name, &ListedStation::name);
}

ListedStation StationListFile::remove(const std::string& name,
                                      const std::optional<std::string>& address) {
    const auto before = stations();
    const auto station = std::ranges::find(before, name, &ListedStation::name);
    if (station == before.end()) {
        std::vector<std::string> names;
        std::ranges::transform(before, std::back_inserter(names), &ListedStation::name);
        throw CommandFailure("there is no station \"" + name + "\" in " + database_->name + "." +
                                 suggestion(name, names),
                             std::string(list_command) + " shows all.");
    }
    const auto spelt = address ? listed(station->addresses, *address) : std::nullopt;
    if (address && !spelt) {
        throw CommandFailure("the station \"" + name + "\" has no address " + *address + "." +
                                 suggestion(*address, station->addresses),
                             std::string(list_command) + " shows all.");
    }
    ListedStation left{name, {}};
    if (spelt) {
        database_->run("DELETE FROM stations WHERE name = ? AND address = ?", {name, *spelt});
        left.addresses = station->addresses;
        std::erase(left.addresses, *spelt);
    } else {
        database_->run("DELETE FROM stations WHERE name = ?", {name});
    }
    database_->run_all("COMMIT");
    return left;
}

} // namespace stationsync::host::cli
