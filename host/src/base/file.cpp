#include "base/file.hpp"

#include <utility>

namespace stationsync::host {

File::File(File&& other) noexcept
    : handle_(std::exchange(other.handle_, none)), path_(std::move(other.path_)) {}

File& File::operator=(File&& other) noexcept {
    if (this != &other) {
        close();
        handle_ = std::exchange(other.handle_, none);
        path_ = std::move(other.path_);
    }
    return *this;
}

File::~File() {
    close();
}

} // namespace stationsync::host
