// Where the rows of the station list come from. SQLite is one such place; a database reached over
// ODBC will be another.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace stationsync::discovery_static {

struct Row {
    std::string name;
    std::string address;

    friend bool operator==(const Row&, const Row&) = default;
};

// The list cannot be read at present: one sentence with cause and remedy.
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

    // True when the list may differ from what read() gave last, as far as can be told cheaply.
    virtual bool may_have_changed() = 0;
    // All rows in the order of the list. Ends early with SourceAway when `is_stopping` says so.
    virtual std::vector<Row> read(const std::function<bool()>& is_stopping) = 0;
};

} // namespace stationsync::discovery_static
