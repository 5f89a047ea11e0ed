// What the file system says about a file without opening it.
#pragma once

#include <cstdint>
#include <filesystem>

namespace stationsync::sqlite {

struct FileStamp {
    bool is_present = false;
    bool is_regular = false;
    std::uint64_t volume = 0;
    std::uint64_t file = 0; // number of the file on its volume
    std::uint64_t size = 0;
    std::int64_t modified_ns = 0; // since 1970, UTC
    std::int64_t changed_ns = 0;  // of content or attributes; 0 where the system has no such time

    friend bool operator==(const FileStamp&, const FileStamp&) = default;

    bool is_same_file(const FileStamp& other) const noexcept {
        return volume == other.volume && file == other.file;
    }
};

// Follows symbolic links. A file that cannot be looked at counts as absent only when it is; else
// throws sdk::Error.
FileStamp stamp_of(const std::filesystem::path& path);

// False where a stamp may lag behind the content (a system that updates times when files are
// closed): there equal stamps prove nothing.
bool stamps_are_prompt() noexcept;

} // namespace stationsync::sqlite
