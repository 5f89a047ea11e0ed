#include "config/secrets.hpp"

#include "base/durable.hpp"
#include "base/path_text.hpp"
#include "config/units.hpp"

#include <algorithm>

namespace stationsync::host {
namespace {

constexpr std::string_view suffix = ".secret";

std::filesystem::path file_of(const std::filesystem::path& directory, std::string_view name) {
    return directory / path_of(std::string(name) + std::string(suffix));
}

IoError bad_name(std::string_view name) {
    return {IoErrorKind::other, "\"" + std::string(name) +
                                    "\" cannot name a secret: use 1 to 64 characters of A-Z, a-z, "
                                    "0-9, \"-\" and \"_\""};
}

IoError missing(std::string_view name) {
    return {IoErrorKind::not_found, "there is no secret \"" + std::string(name) +
                                        "\": set it with `stationsync secret set " +
                                        std::string(name) + "`"};
}

} // namespace

IoResult<void> SecretStore::set(std::string_view name, std::string_view value) const {
    if (!is_secret_name(name)) {
        return bad_name(name);
    }
    if (value.empty() || value.size() > secret_bytes_max) {
        return IoError{IoErrorKind::other, "a secret's value must have 1 to 4096 bytes"};
    }
    if (auto made = make_directories(directory_); !made) {
        return made;
    }
    return atomic_write(file_of(directory_, name), value, true);
}

IoResult<std::string> SecretStore::get(std::string_view name) const {
    if (!is_secret_name(name)) {
        return bad_name(name);
    }
    auto value = read_whole(file_of(directory_, name), secret_bytes_max);
    if (!value && value.error().kind == IoErrorKind::not_found) {
        return missing(name);
    }
    return value;
}

IoResult<void> SecretStore::remove(std::string_view name) const {
    if (!is_secret_name(name)) {
        return bad_name(name);
    }
    std::error_code error;
    if (!std::filesystem::remove(file_of(directory_, name), error)) {
        return error ? io_error("remove", file_of(directory_, name), error) : missing(name);
    }
    return sync_directory(directory_);
}

IoResult<std::vector<std::string>> SecretStore::list() const {
    std::vector<std::string> names;
    std::error_code error;
    std::filesystem::directory_iterator files(directory_, error);
    for (; !error && files != std::filesystem::directory_iterator(); files.increment(error)) {
        const auto file = path_text(files->path().filename());
        if (file.ends_with(suffix)) {
            names.push_back(file.substr(0, file.size() - suffix.size()));
        }
    }
    if (error && error != std::errc::no_such_file_or_directory) {
        return io_error("read the folder", directory_, error);
    }
    std::ranges::sort(names);
    return names;
}

} // namespace stationsync::host
