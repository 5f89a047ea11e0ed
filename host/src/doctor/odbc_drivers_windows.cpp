#include "doctor/odbc_drivers.hpp"

#include "base/path_text.hpp"

#include <windows.h>

namespace stationsync::host::doctor {
namespace {

constexpr wchar_t drivers_key[] = L"SOFTWARE\\ODBC\\ODBCINST.INI";
constexpr wchar_t sources_key[] = L"SOFTWARE\\ODBC\\ODBC.INI\\ODBC Data Sources";

std::string utf8(const std::wstring& text) {
    return path_text(std::filesystem::path(text));
}

std::wstring text_value(const std::wstring& key, const wchar_t* name) {
    wchar_t text[4096];
    DWORD size = sizeof text;
    return RegGetValueW(HKEY_LOCAL_MACHINE, key.c_str(), name, RRF_RT_REG_SZ, nullptr, text,
                        &size) == ERROR_SUCCESS
               ? std::wstring(text)
               : std::wstring();
}

std::vector<std::pair<std::wstring, std::wstring>> values_of(const std::wstring& key) {
    std::vector<std::pair<std::wstring, std::wstring>> values;
    HKEY opened = nullptr;
    if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, key.c_str(), 0, KEY_READ, &opened) != ERROR_SUCCESS) {
        return values;
    }
    wchar_t name[512];
    for (DWORD i = 0;; ++i) {
        DWORD size = 512;
        if (RegEnumValueW(opened, i, name, &size, nullptr, nullptr, nullptr, nullptr) !=
            ERROR_SUCCESS) {
            break;
        }
        values.emplace_back(name, text_value(key, name));
    }
    RegCloseKey(opened);
    return values;
}

} // namespace

bool odbc_library_exists(const std::string& library) {
    return GetFileAttributesW(path_of(library).c_str()) != INVALID_FILE_ATTRIBUTES;
}

OdbcSurroundings read_odbc() {
    OdbcSurroundings odbc;
    odbc.has_manager = true; // part of Windows
    odbc.where = "HKEY_LOCAL_MACHINE\\" + utf8(drivers_key);
    odbc.driver_remedy = "Install it, for SQL Server: \"Microsoft ODBC Driver for SQL Server\"; "
                         "odbcad32.exe lists what is there.";
    for (const auto& [name, installed] : values_of(std::wstring(drivers_key) + L"\\ODBC Drivers")) {
        const auto library = text_value(std::wstring(drivers_key) + L"\\" + name, L"Driver");
        wchar_t path[MAX_PATH];
        const auto length = ExpandEnvironmentStringsW(library.c_str(), path, MAX_PATH);
        const bool is_there =
            length > 0 && length <= MAX_PATH && GetFileAttributesW(path) != INVALID_FILE_ATTRIBUTES;
        odbc.drivers.push_back({utf8(name), utf8(library), is_there});
    }
    for (const auto& [name, driver] : values_of(sources_key)) {
        odbc.sources[utf8(name)] = utf8(driver);
    }
    return odbc;
}

} // namespace stationsync::host::doctor
