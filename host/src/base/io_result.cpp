#include "base/io_result.hpp"

#include "base/path_text.hpp"

namespace stationsync::host {
namespace {
IoErrorKind kind_of(const std::error_code& code) {
    const std::error_condition condition = code.default_error_condition();
    if (condition == std::errc::no_such_file_or_directory ||
        condition == std::errc::not_a_directory) {
        return IoErrorKind::not_found;
    }
    if (condition == std::errc::file_exists) {
        return IoErrorKind::exists;
    }
    if (condition == std::errc::no_space_on_device || condition == std::errc::file_too_large ||
        is_quota_error(code)) {
        return IoErrorKind::no_space;
    }
    if (condition == std::errc::permission_denied ||
        condition == std::errc::operation_not_permitted ||
        condition == std::errc::read_only_file_system) {
        return IoErrorKind::denied;
    }
    if (condition == std::errc::device_or_resource_busy || condition == std::errc::text_file_busy ||
        is_sharing_error(code)) {
        return IoErrorKind::busy;
    }
    return IoErrorKind::other;
}
} // namespace

std::string remedy_of(IoErrorKind kind) {
    switch (kind) {
    case IoErrorKind::no_space:
        return "Make room on that disk, then try again.";
    case IoErrorKind::denied:
        return "Run this as administrator (root) or as the account of the service, or give this "
               "account access.";
    case IoErrorKind::busy:
        return "End the program that uses it, then try again.";
    case IoErrorKind::not_found:
    case IoErrorKind::exists:
    case IoErrorKind::other:
        break;
    }
    return {};
}

IoError io_error(std::string_view what, const std::filesystem::path& path,
                 const std::error_code& code) {
    std::string text = "cannot ";
    text += what;
    text += ' ';
    text += path_text(path);
    text += ": ";
    text += code.message();
    return IoError{kind_of(code), std::move(text)};
}

IoError last_io_error(std::string_view what, const std::filesystem::path& path) {
    return io_error(what, path, last_system_error());
}

} // namespace stationsync::host
