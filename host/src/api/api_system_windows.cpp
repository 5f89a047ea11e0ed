#include "api/api_system.hpp"

#include "base/path_text.hpp"

#include <windows.h>

#include <aclapi.h>
#include <sddl.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace stationsync::host {
namespace {

// The SID of the local group `stationsync` as text; empty when there is none.
std::wstring group_sid() {
    std::vector<unsigned char> sid(SECURITY_MAX_SID_SIZE);
    std::vector<wchar_t> domain(256);
    auto sid_size = static_cast<DWORD>(sid.size());
    auto domain_size = static_cast<DWORD>(domain.size());
    SID_NAME_USE use{};
    if (!LookupAccountNameW(nullptr, L"stationsync", sid.data(), &sid_size, domain.data(),
                            &domain_size, &use)) {
        return {};
    }
    LPWSTR text = nullptr;
    if (!ConvertSidToStringSidW(sid.data(), &text)) {
        return {};
    }
    std::wstring result(text);
    LocalFree(text);
    return result;
}

} // namespace

void set_token_readers(const std::filesystem::path& file, TokenReaders readers) {
    // Protected from inheritance; full access for the system and administrators.
    std::wstring rights = L"D:P(A;;FA;;;SY)(A;;FA;;;BA)";
    if (readers == TokenReaders::group) {
        if (const auto sid = group_sid(); !sid.empty()) {
            rights += L"(A;;FR;;;" + sid + L")";
        }
    }
    PSECURITY_DESCRIPTOR descriptor = nullptr;
    BOOL present = FALSE;
    BOOL defaulted = FALSE;
    PACL list = nullptr;
    auto error = static_cast<DWORD>(ERROR_INVALID_SECURITY_DESCR);
    if (ConvertStringSecurityDescriptorToSecurityDescriptorW(rights.c_str(), SDDL_REVISION_1,
                                                             &descriptor, nullptr) &&
        GetSecurityDescriptorDacl(descriptor, &present, &list, &defaulted)) {
        auto name = file.wstring();
        error =
            SetNamedSecurityInfoW(name.data(), SE_FILE_OBJECT,
                                  DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION,
                                  nullptr, nullptr, list, nullptr);
    }
    LocalFree(descriptor);
    if (error != ERROR_SUCCESS) {
        throw std::runtime_error("the access rights of " + path_text(file) +
                                 " cannot be set: Windows error " + std::to_string(error));
    }
}

std::uint64_t process_id() {
    return GetCurrentProcessId();
}

bool reuse_address_is_safe() {
    return false;
}

} // namespace stationsync::host
