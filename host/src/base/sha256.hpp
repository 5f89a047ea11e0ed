// SHA-256 over a stream of bytes.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace stationsync::host {

using Sha256Digest = std::array<std::byte, 32>;

// One thread at a time. Construction throws std::runtime_error when OpenSSL offers no SHA-256.
class Sha256 {
public:
    Sha256();
    ~Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;

    void update(std::span<const std::byte> bytes);
    // The digest of all bytes so far; the object starts again from nothing.
    [[nodiscard]] Sha256Digest finish();
    // The digest of all bytes so far; more may follow.
    [[nodiscard]] Sha256Digest peek() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

[[nodiscard]] Sha256Digest sha256(std::span<const std::byte> bytes);
[[nodiscard]] Sha256Digest sha256(std::string_view text);

} // namespace stationsync::host
