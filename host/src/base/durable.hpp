// Operations on files and folders whose effect must survive a power cut. Blocking: worker threads.
#pragma once

#include "base/file.hpp"

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace stationsync::host {

// Makes names created, renamed or removed in `directory` durable. NTFS journals names itself:
// there the call only checks that the folder exists.
[[nodiscard]] IoResult<void> sync_directory(const std::filesystem::path& directory);

// Makes everything written to the file system that holds `path` durable: one call for many small
// files. Systems without such a call answer `false`; then each file must be synced by itself.
[[nodiscard]] IoResult<bool> sync_filesystem(const std::filesystem::path& path);

// Creates `directory` with its parents; each new name is durable.
[[nodiscard]] IoResult<void> make_directories(const std::filesystem::path& directory);

// Renames and makes the new name durable. Replaces an existing file. Both in one file system.
[[nodiscard]] IoResult<void> rename_durable(const std::filesystem::path& from,
                                            const std::filesystem::path& to);
// The same without the sync of the folder, for callers that sync many renames at once.
[[nodiscard]] IoResult<void> rename_over(const std::filesystem::path& from,
                                         const std::filesystem::path& to);

// The file holds exactly `bytes` afterwards, or what it held before, even if power fails.
// Uses `path` + ".part" on the way. `only_owner` gives the file to this account alone.
[[nodiscard]] IoResult<void> atomic_write(const std::filesystem::path& path,
                                          std::span<const std::byte> bytes,
                                          bool only_owner = false);
[[nodiscard]] IoResult<void> atomic_write(const std::filesystem::path& path, std::string_view text,
                                          bool only_owner = false);

// Reads a file of at most `bytes_max` bytes; a longer one is an error, never truncated.
[[nodiscard]] IoResult<std::string> read_whole(const std::filesystem::path& path,
                                               std::uint64_t bytes_max);

enum class LinkMethod { hard_link, clone, copy };

// Gives the content of `from` a second name by the cheapest way the file system offers. With
// `shared` false the two must not share an inode (somebody may write into one of them in place):
// then clone or copy. `to` must not exist. The modification time is kept. Not synced.
[[nodiscard]] IoResult<LinkMethod> link_or_copy(const std::filesystem::path& from,
                                                const std::filesystem::path& to, bool shared);

// Facts without opening; a symbolic link or anything but a regular file is `not_found`.
[[nodiscard]] IoResult<FileFacts> file_facts(const std::filesystem::path& path);

// Removes a file; success when it is not there.
[[nodiscard]] IoResult<void> remove_file(const std::filesystem::path& path);

// Bytes that this account may still write to the file system of `path` (or of the nearest parent
// that exists).
[[nodiscard]] IoResult<std::uint64_t> free_bytes(const std::filesystem::path& path);

} // namespace stationsync::host
