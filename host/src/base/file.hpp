// A file opened for positional reads and writes. Any thread; read_at and write_at may run at once
// in several threads, everything else one call at a time per object.
#pragma once

#include "base/io_result.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace stationsync::host {

struct FileFacts {
    std::uint64_t bytes = 0;
    std::int64_t modified_100ns = 0; // since 1970 UTC, in steps of 100 ns
};

class File {
public:
    // Never follows a symbolic link in the last component, so that a link planted in one of our
    // folders leads nowhere.
    [[nodiscard]] static IoResult<File> open_read(const std::filesystem::path& path);
    // Reads and writes; the file must exist.
    [[nodiscard]] static IoResult<File> open_update(const std::filesystem::path& path);
    // Reads and writes; fails with `exists` when the name is taken.
    [[nodiscard]] static IoResult<File> create_new(const std::filesystem::path& path);
    // Reads and writes; an existing file is emptied.
    [[nodiscard]] static IoResult<File> create(const std::filesystem::path& path);

    File() = default;
    File(File&& other) noexcept;
    File& operator=(File&& other) noexcept;
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File();

    [[nodiscard]] bool is_open() const noexcept { return handle_ != none; }
    // Reads until `buffer` is full or the file ends; the number of bytes read.
    [[nodiscard]] IoResult<std::size_t> read_at(std::span<std::byte> buffer,
                                                std::uint64_t offset) const;
    // Writes all bytes or fails.
    [[nodiscard]] IoResult<void> write_at(std::span<const std::byte> bytes, std::uint64_t offset);
    // Content and size are on the disk after success.
    [[nodiscard]] IoResult<void> sync();
    // Starts writing to the disk what has been written so far; promises nothing.
    void start_writeback() noexcept;
    // Reserves room on the disk; `no_space` early instead of in the middle. Grows the file to
    // `bytes`. A file system that cannot reserve only sets the size.
    [[nodiscard]] IoResult<void> allocate(std::uint64_t bytes);
    [[nodiscard]] IoResult<void> resize(std::uint64_t bytes);
    [[nodiscard]] IoResult<FileFacts> facts() const;
    [[nodiscard]] IoResult<void> set_modified(std::int64_t modified_100ns);
    void close() noexcept;

private:
    using Handle = std::intptr_t; // descriptor or HANDLE
    static constexpr Handle none = -1;
    File(Handle handle, std::filesystem::path path) noexcept
        : handle_(handle), path_(std::move(path)) {}

    Handle handle_ = none;
    std::filesystem::path path_; // for error texts only
};

} // namespace stationsync::host
