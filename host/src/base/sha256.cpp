#include "base/sha256.hpp"

#include <openssl/evp.h>

#include <stdexcept>

namespace stationsync::host {
namespace {

[[noreturn]] void fail() {
    throw std::runtime_error("OpenSSL offers no SHA-256");
}

// Looking the algorithm up by name costs more than hashing a small file.
const EVP_MD* algorithm() {
    static EVP_MD* const md = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    return md;
}

struct FreeContext {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;

Context new_context() {
    Context context(EVP_MD_CTX_new());
    if (!context || EVP_DigestInit_ex(context.get(), algorithm(), nullptr) != 1) {
        fail();
    }
    return context;
}

Sha256Digest final_of(EVP_MD_CTX* context) {
    Sha256Digest digest;
    unsigned int bytes = 0;
    if (EVP_DigestFinal_ex(context, reinterpret_cast<unsigned char*>(digest.data()), &bytes) != 1 ||
        bytes != digest.size()) {
        fail();
    }
    return digest;
}

} // namespace

struct Sha256::State {
    Context context = new_context();
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::span<const std::byte> bytes) {
    if (EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) != 1) {
        fail();
    }
}

Sha256Digest Sha256::finish() {
    const Sha256Digest digest = final_of(state_->context.get());
    if (EVP_DigestInit_ex(state_->context.get(), algorithm(), nullptr) != 1) {
        fail();
    }
    return digest;
}

Sha256Digest Sha256::peek() const {
    const Context copy = new_context();
    if (EVP_MD_CTX_copy_ex(copy.get(), state_->context.get()) != 1) {
        fail();
    }
    return final_of(copy.get());
}

Sha256Digest sha256(std::span<const std::byte> bytes) {
    thread_local const Context context = new_context();
    if (EVP_DigestInit_ex(context.get(), algorithm(), nullptr) != 1 ||
        EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) != 1) {
        fail();
    }
    return final_of(context.get());
}

Sha256Digest sha256(std::string_view text) {
    return sha256(std::as_bytes(std::span(text.data(), text.size())));
}

} // namespace stationsync::host
