// The key pair that makes a station itself. Any thread; immutable.
#pragma once

#include "base/io_result.hpp"
#include "stationsync/core/ids.hpp"

#include <array>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace stationsync::host {

using PublicKey = std::array<std::byte, 32>; // Ed25519
using Signature = std::array<std::byte, 64>;

// First 16 bytes of SHA-256 of the public key with the version and variant bits of a version-8
// UUID.
[[nodiscard]] core::StationId station_id_of(const PublicKey& key);

// Inverse of core::to_text(StationId); takes both cases. Nothing when it is no such id.
[[nodiscard]] std::optional<core::StationId> parse_station_id(std::string_view text);

// False for a wrong signature and for a key that is no point of the curve.
[[nodiscard]] bool verify_signature(const PublicKey& key, std::span<const std::byte> message,
                                    const Signature& signature);

class StationIdentity {
public:
    // Throws std::runtime_error when OpenSSL cannot make a key: nothing can go on then.
    [[nodiscard]] static StationIdentity generate();
    // `not_found` when there is none, `denied` when other accounts could read it, `other` when the
    // file holds no Ed25519 private key; each with a sentence for the operator.
    [[nodiscard]] static IoResult<StationIdentity> load(const std::filesystem::path& path);
    // load(), or generate and write durably when there is none.
    [[nodiscard]] static IoResult<StationIdentity>
    load_or_create(const std::filesystem::path& path);
    // For `station new-identity`: a new key pair in place of whatever is there. The old one is gone
    // for good: two stations must never hold one identity.
    [[nodiscard]] static IoResult<StationIdentity> replace(const std::filesystem::path& path);

    StationIdentity(StationIdentity&&) noexcept;
    StationIdentity& operator=(StationIdentity&&) noexcept;
    ~StationIdentity();

    [[nodiscard]] const core::StationId& id() const noexcept { return id_; }
    [[nodiscard]] const PublicKey& public_key() const noexcept { return public_key_; }
    // Throws std::runtime_error when OpenSSL fails (out of memory).
    [[nodiscard]] Signature sign(std::span<const std::byte> message) const;
    // Writes the private key durably for this account alone, as PKCS #8 PEM.
    [[nodiscard]] IoResult<void> save(const std::filesystem::path& path) const;

private:
    struct Key;
    explicit StationIdentity(std::unique_ptr<Key> key);

    std::unique_ptr<Key> key_;
    PublicKey public_key_{};
    core::StationId id_;
};

} // namespace stationsync::host
