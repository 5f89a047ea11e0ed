// Putting a file in a place where there is none.
#pragma once

#include <filesystem>
#include <system_error>

namespace stationsync::sqlite {

// Renames `from` to `to` on the same volume unless `to` exists: then file_exists, and nothing
// happened.
std::error_code rename_new(const std::filesystem::path& from, const std::filesystem::path& to);

// Gives a new file the owner and the rights that its folder suggests, so that the programs that use
// the folder can use the file.
void inherit_rights(const std::filesystem::path& file, const std::filesystem::path& folder);

} // namespace stationsync::sqlite
