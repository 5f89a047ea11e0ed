#include "net/station_identity.hpp"

#include "base/path_text.hpp"
#include "base/sha256.hpp"
#include "base/text_codes.hpp"
#include "net/openssl_handles.hpp"
#include "net/private_file.hpp"

#include <openssl/crypto.h>
#include <openssl/pem.h>

#include <algorithm>
#include <stdexcept>
#include <string>

namespace stationsync::host {
namespace {

const unsigned char* raw(const std::byte* bytes) {
    return reinterpret_cast<const unsigned char*>(bytes);
}
unsigned char* raw(std::byte* bytes) {
    return reinterpret_cast<unsigned char*>(bytes);
}

// A key without a passphrase; asked for one, OpenSSL would read from the terminal.
int refuse_passphrase(char*, int, int, void*) {
    return -1;
}

} // namespace

core::StationId station_id_of(const PublicKey& key) {
    const Sha256Digest digest = sha256(std::span<const std::byte>(key));
    core::StationId id;
    for (std::size_t i = 0; i < id.bytes.size(); ++i) {
        id.bytes[i] = std::to_integer<std::uint8_t>(digest[i]);
    }
    id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0f) | 0x80);
    id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3f) | 0x80);
    return id;
}

std::optional<core::StationId> parse_station_id(std::string_view text) {
    constexpr std::size_t dashes[] = {8, 13, 18, 23};
    if (text.size() != 36) {
        return std::nullopt;
    }
    std::string digits;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool is_dash = std::find(std::begin(dashes), std::end(dashes), i) != std::end(dashes);
        if (is_dash != (text[i] == '-')) {
            return std::nullopt;
        }
        if (!is_dash) {
            digits += text[i];
        }
    }
    const auto bytes = from_hex(digits);
    core::StationId id;
    if (!bytes || bytes->size() != id.bytes.size()) {
        return std::nullopt;
    }
    std::transform(bytes->begin(), bytes->end(), id.bytes.begin(),
                   [](std::byte b) { return std::to_integer<std::uint8_t>(b); });
    return id;
}

bool verify_signature(const PublicKey& key, std::span<const std::byte> message,
                      const Signature& signature) {
    const KeyHandle handle(
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, raw(key.data()), key.size()));
    const DigestHandle context(EVP_MD_CTX_new());
    const bool valid =
        handle && context &&
        EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, handle.get()) == 1 &&
        EVP_DigestVerify(context.get(), raw(signature.data()), signature.size(),
                         raw(message.data()), message.size()) == 1;
    ERR_clear_error(); // a refused signature leaves an entry that a TLS call would take for its own
    return valid;
}

struct StationIdentity::Key {
    KeyHandle handle;
};

StationIdentity::StationIdentity(std::unique_ptr<Key> key) : key_(std::move(key)) {
    std::size_t size = public_key_.size();
    if (EVP_PKEY_get_raw_public_key(key_->handle.get(), raw(public_key_.data()), &size) != 1 ||
        size != public_key_.size()) {
        throw std::runtime_error("cannot read the station's public key: " + openssl_error_text());
    }
    id_ = station_id_of(public_key_);
}

StationIdentity::StationIdentity(StationIdentity&&) noexcept = default;
StationIdentity& StationIdentity::operator=(StationIdentity&&) noexcept = default;
StationIdentity::~StationIdentity() = default;

StationIdentity StationIdentity::generate() {
    auto key = std::make_unique<Key>();
    key->handle.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    if (!key->handle) {
        throw std::runtime_error("cannot make a key pair for the station: " + openssl_error_text());
    }
    return StationIdentity(std::move(key));
}

IoResult<StationIdentity> StationIdentity::load(const std::filesystem::path& path) {
    auto text = read_private_file(path);
    if (!text) {
        return text.error();
    }
    const BioHandle bio(BIO_new_mem_buf(text->data(), static_cast<int>(text->size())));
    auto key = std::make_unique<Key>();
    if (bio) {
        key->handle.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, refuse_passphrase, nullptr));
    }
    OPENSSL_cleanse(text->data(), text->size());
    ERR_clear_error();
    if (!key->handle || EVP_PKEY_get_id(key->handle.get()) != EVP_PKEY_ED25519) {
        return IoError{IoErrorKind::other,
                       "The file " + path_text(path) +
                           " holds no Ed25519 private key: put it back from a backup, or give this "
                           "station a new identity with stationsync station new-identity."};
    }
    return StationIdentity(std::move(key));
}

IoResult<StationIdentity> StationIdentity::load_or_create(const std::filesystem::path& path) {
    auto loaded = load(path);
    if (loaded || loaded.error().kind != IoErrorKind::not_found) {
        return loaded;
    }
    return replace(path);
}

IoResult<StationIdentity> StationIdentity::replace(const std::filesystem::path& path) {
    StationIdentity identity = generate();
    if (auto saved = identity.save(path); !saved) {
        return saved.error();
    }
    return identity;
}

Signature StationIdentity::sign(std::span<const std::byte> message) const {
    const DigestHandle context(EVP_MD_CTX_new());
    Signature signature{};
    std::size_t size = signature.size();
    if (!context ||
        EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_->handle.get()) != 1 ||
        EVP_DigestSign(context.get(), raw(signature.data()), &size, raw(message.data()),
                       message.size()) != 1 ||
        size != signature.size()) {
        throw std::runtime_error("cannot sign with the station's key: " + openssl_error_text());
    }
    return signature;
}

IoResult<void> StationIdentity::save(const std::filesystem::path& path) const {
    const BioHandle bio(BIO_new(BIO_s_secmem()));
    char* data = nullptr;
    if (!bio || PEM_write_bio_PKCS8PrivateKey(bio.get(), key_->handle.get(), nullptr, nullptr, 0,
                                              nullptr, nullptr) != 1) {
        return IoError{IoErrorKind::other,
                       "cannot write the station's key: " + openssl_error_text()};
    }
    const long size = BIO_get_mem_data(bio.get(), &data);
    return write_private_file(path, std::string_view(data, static_cast<std::size_t>(size)));
}

} // namespace stationsync::host
