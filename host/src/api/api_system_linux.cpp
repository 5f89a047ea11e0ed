#include "api/api_system.hpp"

#include "base/path_text.hpp"

#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stdexcept>
#include <vector>

namespace stationsync::host {

static constexpr const char* view_group = "stationsync";

void set_token_readers(const std::filesystem::path& file, TokenReaders readers) {
    const auto check = [&file](int result) {
        if (result != 0) {
            throw std::runtime_error("the access rights of " + path_text(file) +
                                     " cannot be set: " + last_system_error().message() +
                                     ". Remove the file, then start the service again.");
        }
    };
    check(::chmod(file.c_str(), S_IRUSR | S_IWUSR));
    if (readers == TokenReaders::administrators) {
        return;
    }
    group entry{};
    group* found = nullptr;
    std::vector<char> buffer(16384);
    if (::getgrnam_r(view_group, &entry, buffer.data(), buffer.size(), &found) != 0 ||
        found == nullptr) {
        return; // without the group only this account and root may look
    }
    // An account that is no member of the group cannot give it away; then it stays as it is.
    if (::chown(file.c_str(), static_cast<uid_t>(-1), entry.gr_gid) == 0) {
        check(::chmod(file.c_str(), S_IRUSR | S_IWUSR | S_IRGRP));
    }
}

std::uint64_t process_id() {
    return static_cast<std::uint64_t>(::getpid());
}

bool reuse_address_is_safe() {
    return true;
}

} // namespace stationsync::host
