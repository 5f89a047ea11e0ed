// A file that is removed when nobody needs it any more.
#pragma once

#include <filesystem>
#include <memory>
#include <utility>

namespace stationsync::host {

// The last reference should go on a worker thread: removing a large file takes its time.
class TemporaryFile {
public:
    explicit TemporaryFile(std::filesystem::path path) : path_(std::move(path)) {}
    ~TemporaryFile();
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

private:
    std::filesystem::path path_;
};
using TemporaryFilePtr = std::shared_ptr<const TemporaryFile>;

} // namespace stationsync::host
