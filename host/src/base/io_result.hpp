// Outcome of host I/O: run-time failures are values that carry a class and one clear sentence.
#pragma once

#include <boost/system/result.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

namespace stationsync::host {

enum class IoErrorKind {
    not_found, // the file or folder does not exist
    exists,    // something with that name is there already
    no_space,  // disk or quota full: nothing is lost, try again when there is room
    denied,    // missing permission, or a read-only file system
    busy,      // in use by another program: try again
    other,
};

struct IoError {
    IoErrorKind kind = IoErrorKind::other;
    std::string text; // a sentence with the path and the system's reason, UTF-8
};

// What a person can do against such an error, a sentence; empty where only the error's own text can
// tell.
[[nodiscard]] std::string remedy_of(IoErrorKind kind);

template <class T>
using IoResult = boost::system::result<T, IoError>;

// "cannot WHAT PATH: REASON".
[[nodiscard]] IoError io_error(std::string_view what, const std::filesystem::path& path,
                               const std::error_code& code);
// The same for the error of the system call that has just failed on this thread.
[[nodiscard]] IoError last_io_error(std::string_view what, const std::filesystem::path& path);

} // namespace stationsync::host
