// Whole files of the system, also those of /proc, which tell no size.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace stationsync::host::doctor {

// Empty when it cannot be read.
inline std::string text_of(const std::filesystem::path& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

} // namespace stationsync::host::doctor
