// Rights on files: what this system knows about them, and the commands that mend them.
#pragma once

#include <filesystem>
#include <string>

namespace stationsync::host::doctor {

// Whether this account may judge the file at all: it owns it, or is an administrator.
[[nodiscard]] bool may_judge(const std::filesystem::path& file);

// A station cannot be judged by this account: `identity`, its key file, belongs to another one that
// this is no administrator of, or lies where this account may not look. False when there is none.
[[nodiscard]] bool is_hidden(const std::filesystem::path& identity);

// Accounts beyond the owner and its group can read the file, or the group can write it.
[[nodiscard]] bool is_open_to_others(const std::filesystem::path& file);

// This account is an administrator and may write everywhere, but the account that owns `reference`
// (a file of the service) may not write to `directory`.
[[nodiscard]] bool is_closed_to_owner(const std::filesystem::path& directory,
                                      const std::filesystem::path& reference);

// This account is an administrator, and the service, whose account owns `reference`, may not read
// `file`, as another account owns it.
[[nodiscard]] bool is_of_other_owner(const std::filesystem::path& file,
                                     const std::filesystem::path& reference);

// Commands, with the path quoted for the usual shell.
[[nodiscard]] std::string owner_only_command(const std::filesystem::path& file);
[[nodiscard]] std::string same_owner_command(const std::filesystem::path& file,
                                             const std::filesystem::path& reference);
// To the same name with ".old" behind it.
[[nodiscard]] std::string move_away_command(const std::filesystem::path& file);
[[nodiscard]] std::string make_writable_command(const std::filesystem::path& directory,
                                                const std::filesystem::path& reference);
// For a folder that is not there: makes it and gives it alone to the owner of `reference`.
[[nodiscard]] std::string make_directory_command(const std::filesystem::path& directory,
                                                 const std::filesystem::path& reference);

} // namespace stationsync::host::doctor
