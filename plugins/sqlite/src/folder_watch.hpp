// Hints of the operating system that a file in one of some folders was written, made, or replaced.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace stationsync::sqlite {

class FolderWatch {
public:
    // Called on a thread of the watch.
    struct Events {
        std::function<void(const std::filesystem::path& file)> written;
        std::function<void()> overflowed;                  // hints were lost
        std::function<void(const std::string& why)> ended; // at most once, then nothing more comes
    };

    // Throws sdk::Error when nothing can be watched. Folders that cannot be watched are given to
    // `unwatched`.
    FolderWatch(const std::vector<std::filesystem::path>& folders, Events events,
                std::vector<std::filesystem::path>& unwatched);
    FolderWatch(const FolderWatch&) = delete;
    FolderWatch& operator=(const FolderWatch&) = delete;
    // Joins.
    ~FolderWatch();

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace stationsync::sqlite
