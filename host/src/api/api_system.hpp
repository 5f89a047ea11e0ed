#pragma once
// What the API needs from the system.

#include <cstdint>
#include <filesystem>

namespace stationsync::host {

// Restricts a file of this account to administrators, or to them and the members of the group
// `stationsync` for reading when there is such a group. Throws std::runtime_error with a sentence.
enum class TokenReaders { administrators, group };
void set_token_readers(const std::filesystem::path& file, TokenReaders readers);

std::uint64_t process_id();

// Whether "reuse address" means only "a port whose last connections are closing", as on POSIX
// systems. On Windows it would let another program take a port in use.
bool reuse_address_is_safe();

} // namespace stationsync::host
