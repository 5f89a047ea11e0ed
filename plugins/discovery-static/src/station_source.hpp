// Where the rows of the station list come from: an SQLite database, or any database over ODBC.
#pragma once

#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace stationsync::discovery_static {

constexpr std::size_t rows_max = 10000;

struct Row {
    std::string name;
    std::string address;

    friend bool operator==(const Row&, const Row&) = default;
};

struct Listing {
    std::vector<Row> rows;              // in the order of the list
    std::optional<std::string> project; // what the project query gave

    friend bool operator==(const Listing&, const Listing&) = default;
};

// What is asked for.
struct Queries {
    std::string stations;               // gives the columns name and address
    std::optional<std::string> project; // its first row's first column is the project's name
};

// The list cannot be read at present: one sentence with cause and remedy, no secret.
class SourceAway : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// Used by one thread.
class StationSource {
public:
    StationSource() = default;
    StationSource(const StationSource&) = delete;
    StationSource& operator=(const StationSource&) = delete;
    virtual ~StationSource() = default;

    // True when read() may give something new, as far as can be told cheaply. `is_asked`: somebody
    // wants to know now.
    virtual bool is_due(bool is_asked) = 0;
    // Ends early with SourceAway when `is_stopping` says so.
    virtual Listing read(const std::function<bool()>& is_stopping) = 0;
    // Tells one source from another; no secret.
    virtual std::string identity() const = 0;
};

} // namespace stationsync::discovery_static
