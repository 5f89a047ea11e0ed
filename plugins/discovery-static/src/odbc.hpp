// A small layer over ODBC: UTF-8 outside and UTF-16 to the driver, every message of the driver, no
// secret in any text. Calls block as long as the driver does; blocking_call.hpp bounds that.
#pragma once

#include "odbc_text.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>

namespace stationsync::odbc {

class Error : public std::runtime_error {
public:
    Error(Cause cause, const std::string& text, std::vector<Diagnostic> diagnostics)
        : std::runtime_error(text), cause_(cause), diagnostics_(std::move(diagnostics)) {}

    Cause cause() const noexcept { return cause_; }
    const std::vector<Diagnostic>& diagnostics() const noexcept { return diagnostics_; }

private:
    Cause cause_;
    std::vector<Diagnostic> diagnostics_;
};

struct Options {
    // Told to the driver, which counts whole seconds and may ignore them; 0 = its default.
    std::chrono::seconds login_limit{10};
    std::chrono::seconds query_limit{10};
    // Tells the driver that nothing will be written, and takes back what was.
    bool is_read_only = false;
};

struct Limits {
    std::size_t rows_max = 10000;
    std::size_t value_bytes_max = 4096; // the rest of a longer value is left out
};

struct Result {
    std::vector<std::string> columns; // empty: the statement gives no rows
    std::vector<std::vector<std::optional<std::string>>> rows;
    bool has_more = false;            // than rows_max
    std::vector<Diagnostic> messages; // of a statement that succeeded: warnings, PRINT, progress
};

// One connection with at most one statement at a time. Used by one thread, cancel() apart.
class Connection {
public:
    // Connects. Throws Error. The texts in its errors are free of the secrets of `where`.
    Connection(const ConnectionString& where, const Options& options);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection();

    // Runs a statement to its very end, for leaving it earlier would break it off: all results are
    // asked for, the rows of the first are given. Throws Error when any of it failed.
    Result run(std::string_view sql, const Limits& limits);

    // Any thread: ends what run() is about, as far as the driver can. May block as long as run().
    void cancel() noexcept;

private:
    struct State;
    std::unique_ptr<State> state_;
};

// Names for Driver={…}, as the system lists them; empty when it has none or no ODBC.
std::vector<std::string> installed_drivers();

} // namespace stationsync::odbc
