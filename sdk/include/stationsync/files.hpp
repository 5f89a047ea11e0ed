// Replacing a file so that its readers see the old or the new one, never anything between.
#pragma once

#include "mark.hpp"
#include "op.hpp"
#include "paths.hpp"

#if defined(_WIN32)
#include "detail/system_windows.hpp"
#else
#include "detail/system_linux.hpp"
#endif

#include <random>

namespace stationsync::sdk {

// A fresh name for a temporary file, recognised by is_temp_name and removed by remove_temp_files.
inline std::string new_temp_name() {
    std::random_device random;
    std::string name(temp_prefix);
    for (int i = 0; i < 16; ++i)
        name += "0123456789abcdef"[random() & 15u];
    return name;
}

// Removes what killed calls left in one directory; for recover.
inline void remove_temp_files(const std::filesystem::path& directory) {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(directory))
        if (is_temp_name(utf8_from_path(entry.path().filename())))
            found.push_back(entry.path());
    for (const auto& path : found)
        std::filesystem::remove(path);
}

// Modification time of a file, STSYNC_TIME_NONE when there is none.
inline stsync_time modified_at(const std::filesystem::path& path) noexcept {
    return detail::modified_at(path);
}

namespace detail {

// Removes a file on scope exit unless released.
class Litter {
public:
    explicit Litter(std::filesystem::path path) : path_(std::move(path)) {}
    Litter(const Litter&) = delete;
    Litter& operator=(const Litter&) = delete;
    ~Litter() {
        std::error_code ignored;
        if (!path_.empty())
            std::filesystem::remove(path_, ignored);
    }
    void release() noexcept { path_.clear(); }

private:
    std::filesystem::path path_;
};

inline void require(const std::error_code& code, const char* what,
                    const std::filesystem::path& path) {
    if (code)
        throw Error(status_of(code), std::string(what) + " " + utf8_from_path(path) +
                                         " failed: " + code.message() + ".");
}

} // namespace detail

// Gives `target` the bytes and the modification time of `package`: a temporary file beside it, made
// durable, then renamed over it. Permissions of an existing target stay; missing folders are made.
// Calls op.begin_commit. Returns the mark of the new content.
inline Mark atomic_replace(Op& op, const std::filesystem::path& package,
                           const std::filesystem::path& target) {
    namespace fs = std::filesystem;
    std::error_code code;
    const fs::path folder = target.parent_path();
    fs::create_directories(folder, code);
    detail::require(code, "Making the folder", folder);
    const fs::path temp = folder / path_from_utf8(new_temp_name());
    detail::Litter litter(temp);
    fs::copy_file(package, temp, code);
    detail::require(code, "Writing", temp);
    const auto modified = fs::last_write_time(package, code);
    detail::require(code, "Reading", package);
    fs::last_write_time(temp, modified, code);
    detail::require(code, "Setting the time of", temp);
    detail::require(detail::sync_file(temp), "Writing", temp);
    const Mark mark = mark_of_file(temp);
    if (const fs::file_status status = fs::status(target, code); fs::is_regular_file(status)) {
        fs::permissions(temp, status.permissions(), code);
        detail::require(code, "Setting the permissions of", temp);
    }
    op.begin_commit();
    fs::rename(temp, target, code);
    detail::require(code, "Replacing", target);
    litter.release();
    detail::require(detail::sync_directory(folder), "Writing the folder", folder);
    return mark;
}

} // namespace stationsync::sdk
