#include "handle.hpp"

#include "../text.hpp"

#include <algorithm>
#include <array>
#include <mutex>

namespace stationsync::sqlserver::odbc {

namespace {

constexpr std::size_t text_bytes_max = 1000;
constexpr std::size_t drivers_max = 200;
constexpr std::size_t sources_max = 1000;
// A server that never ends talking must not fill the memory; errors find room after the rest.
constexpr std::size_t messages_max = 1000;
constexpr std::size_t errors_max = 1200;

template <std::size_t size>
std::string text_of(const std::array<char16_t, size>& buffer, std::size_t units) {
    return utf8_of(std::u16string_view(buffer.data(), std::min(units, size - 1))).text;
}

std::size_t count_of(SQLSMALLINT units) noexcept {
    return static_cast<std::size_t>(std::max<SQLSMALLINT>(units, 0));
}

// "Driver=/usr/lib/…/libtdsodbc.so" out of "Driver=…\0Setup=…\0\0".
std::string library_in(std::u16string_view attributes) {
    for (std::size_t at = 0; at < attributes.size() && attributes[at] != 0;) {
        const std::size_t end = std::min(attributes.find(u'\0', at), attributes.size());
        const std::string each = utf8_of(attributes.substr(at, end - at)).text;
        if (each.size() > 7 && is_same_name(each.substr(0, 7), "Driver="))
            return each.substr(7);
        at = end + 1;
    }
    return {};
}

void never_pool(const Api& api) {
    // Of the whole process, so before the first environment: a pooled session would stay open in
    // the server. Where the driver manager pools by its own configuration, each session has a name
    // of its own, which no pooled one matches.
    static std::once_flag once;
    std::call_once(once, [&api] {
        api.set_env_attr(SQL_NULL_HENV, SQL_ATTR_CONNECTION_POOLING, number(SQL_CP_OFF), 0);
    });
}

bool make(Handle& handle) {
    never_pool(handle.api());
    if (!handle.allocate(SQL_NULL_HANDLE))
        return false;
    handle.api().set_env_attr(handle.get(), SQL_ATTR_ODBC_VERSION, number(SQL_OV_ODBC3), 0);
    return true;
}

} // namespace

Environment::Environment(const Api& api) : handle_(api, SQL_HANDLE_ENV), is_made_(make(handle_)) {}

std::vector<InstalledDriver> Environment::drivers() const {
    std::vector<InstalledDriver> found;
    std::array<char16_t, 256> name{};
    std::array<char16_t, 4096> attributes{};
    SQLUSMALLINT direction = SQL_FETCH_FIRST;
    while (is_made_ && found.size() < drivers_max) {
        SQLSMALLINT name_units = 0;
        SQLSMALLINT attribute_units = 0;
        attributes.fill(0);
        const SQLRETURN code = handle_.api().drivers(
            handle_.get(), direction, wide(name.data()), static_cast<SQLSMALLINT>(name.size()),
            &name_units, wide(attributes.data()), static_cast<SQLSMALLINT>(attributes.size()),
            &attribute_units);
        if (!SQL_SUCCEEDED(code))
            break;
        found.push_back({text_of(name, count_of(name_units)),
                         library_in({attributes.data(), attributes.size() - 1})});
        direction = SQL_FETCH_NEXT;
    }
    return found;
}

std::string Environment::driver_of_source(std::string_view source) const {
    std::array<char16_t, 256> name{};
    std::array<char16_t, 512> driver{};
    SQLUSMALLINT direction = SQL_FETCH_FIRST;
    for (std::size_t i = 0; is_made_ && i < sources_max; ++i) {
        SQLSMALLINT name_units = 0;
        SQLSMALLINT driver_units = 0;
        const SQLRETURN code = handle_.api().data_sources(
            handle_.get(), direction, wide(name.data()), static_cast<SQLSMALLINT>(name.size()),
            &name_units, wide(driver.data()), static_cast<SQLSMALLINT>(driver.size()),
            &driver_units);
        if (!SQL_SUCCEEDED(code))
            break;
        if (is_same_name(text_of(name, count_of(name_units)), source))
            return text_of(driver, count_of(driver_units));
        direction = SQL_FETCH_NEXT;
    }
    return {};
}

void collect(const Handle& handle, const ConnectionString& where, std::vector<Diagnostic>& into) {
    std::array<char16_t, 6> state{};
    std::array<char16_t, 4096> text{};
    for (SQLSMALLINT record = 1; into.size() < errors_max; ++record) {
        SQLINTEGER native = 0;
        SQLSMALLINT units = 0;
        const SQLRETURN code = handle.api().get_diag_rec(
            handle.type(), handle.get(), record, wide(state.data()), &native, wide(text.data()),
            static_cast<SQLSMALLINT>(text.size()), &units);
        if (!SQL_SUCCEEDED(code))
            return;
        // Cut only after the secrets are out: half a password would not be recognised.
        Diagnostic said{
            text_of(state, 5), native,
            presentable(where.without_secrets(text_of(text, count_of(units))), text_bytes_max)};
        if (into.size() < messages_max || said.is_error())
            into.push_back(std::move(said));
    }
}

} // namespace stationsync::sqlserver::odbc
