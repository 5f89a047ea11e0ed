#include "base/path_text.hpp"
#include "net/private_file.hpp"

#include <windows.h>

#include <aclapi.h>
#include <sddl.h>

#include <string>

namespace stationsync::host {
namespace {

struct LocalFreeing {
    PSECURITY_DESCRIPTOR descriptor = nullptr;
    ~LocalFreeing() { LocalFree(descriptor); }
};

// Everyone, Users, Authenticated Users, Guests, Interactive, Network.
bool is_wide_group(PSID sid) {
    for (const WELL_KNOWN_SID_TYPE type :
         {WinWorldSid, WinBuiltinUsersSid, WinAuthenticatedUserSid, WinBuiltinGuestsSid,
          WinInteractiveSid, WinNetworkSid, WinAnonymousSid}) {
        if (IsWellKnownSid(sid, type)) {
            return true;
        }
    }
    return false;
}

IoError too_open(const std::filesystem::path& path) {
    return {IoErrorKind::denied,
            "Other accounts have access to the key file " + path_text(path) +
                ": run icacls FILE /inheritance:r /grant *S-1-5-18:F "
                "*S-1-5-32-544:F; if somebody may have read it, make a new key."};
}

} // namespace

IoResult<void> check_private(const std::filesystem::path& path) {
    const DWORD attributes = GetFileAttributesW(path.c_str());
    if (attributes == INVALID_FILE_ATTRIBUTES) {
        return last_io_error("read", path);
    }
    if ((attributes & (FILE_ATTRIBUTE_REPARSE_POINT | FILE_ATTRIBUTE_DIRECTORY)) != 0) {
        return IoError{IoErrorKind::denied, path_text(path) +
                                                " is not a regular file: move it away, "
                                                "a key is never read through a link."};
    }
    PACL list = nullptr;
    LocalFreeing owner;
    const DWORD status =
        GetNamedSecurityInfoW(path.c_str(), SE_FILE_OBJECT, DACL_SECURITY_INFORMATION, nullptr,
                              nullptr, &list, nullptr, &owner.descriptor);
    if (status != ERROR_SUCCESS) {
        SetLastError(status);
        return last_io_error("read the permissions of", path);
    }
    if (list == nullptr) { // no list at all: everybody may do everything
        return too_open(path);
    }
    for (DWORD i = 0; i < list->AceCount; ++i) {
        void* entry = nullptr;
        if (!GetAce(list, i, &entry)) {
            return last_io_error("read the permissions of", path);
        }
        const auto* allowed = static_cast<ACCESS_ALLOWED_ACE*>(entry);
        if (allowed->Header.AceType == ACCESS_ALLOWED_ACE_TYPE &&
            is_wide_group(const_cast<DWORD*>(&allowed->SidStart))) {
            return too_open(path);
        }
    }
    return {};
}

} // namespace stationsync::host
