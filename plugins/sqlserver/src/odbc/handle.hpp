// Handles of the driver manager, and what they have to say.
#pragma once

#include "../connection_string.hpp"
#include "../sql_answer.hpp"
#include "api.hpp"

#include <cstdint>

namespace stationsync::sqlserver::odbc {

class Handle {
public:
    Handle(const Api& api, SQLSMALLINT type) noexcept : api_(api), type_(type) {}
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    ~Handle() {
        if (value_ != SQL_NULL_HANDLE)
            api_.free_handle(type_, value_);
    }

    bool allocate(SQLHANDLE parent) noexcept {
        return SQL_SUCCEEDED(api_.alloc_handle(type_, parent, &value_));
    }
    SQLHANDLE get() const noexcept { return value_; }
    SQLSMALLINT type() const noexcept { return type_; }
    const Api& api() const noexcept { return api_; }

private:
    const Api& api_;
    SQLSMALLINT type_;
    SQLHANDLE value_ = SQL_NULL_HANDLE;
};

// A connection of its own has an environment of its own, so that no call waits for another one's.
class Environment {
public:
    explicit Environment(const Api& api);
    bool is_made() const noexcept { return is_made_; }
    const Handle& handle() const noexcept { return handle_; }
    std::vector<InstalledDriver> drivers() const;
    // Name of the driver of a data source (DSN); empty when there is no such source.
    std::string driver_of_source(std::string_view source) const;

private:
    Handle handle_;
    bool is_made_;
};

// Appends everything that a handle says about its last call, without the secrets of `where`.
void collect(const Handle& handle, const ConnectionString& where, std::vector<Diagnostic>& into);

inline SQLWCHAR* wide(char16_t* text) noexcept {
    return reinterpret_cast<SQLWCHAR*>(text);
}

// A number where ODBC takes a pointer.
inline SQLPOINTER number(std::uintptr_t value) noexcept {
    return reinterpret_cast<SQLPOINTER>(value); // NOLINT(performance-no-int-to-ptr)
}

} // namespace stationsync::sqlserver::odbc
