// Owners of OpenSSL objects and its last error as text. Included by .cpp files only.
#pragma once

#include <memory>
#include <string>

#include <openssl/err.h>
#include <openssl/evp.h>

namespace stationsync::host {

struct OpensslFree {
    void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
    void operator()(BIO* bio) const noexcept { BIO_free_all(bio); }
};
using KeyHandle = std::unique_ptr<EVP_PKEY, OpensslFree>;
using DigestHandle = std::unique_ptr<EVP_MD_CTX, OpensslFree>;
using BioHandle = std::unique_ptr<BIO, OpensslFree>;

// Takes the oldest error of this thread's queue and empties the queue, so that it cannot be taken
// for the error of a later call.
inline std::string openssl_error_text() {
    const unsigned long code = ERR_get_error();
    ERR_clear_error();
    if (code == 0) {
        return "unknown OpenSSL error";
    }
    char text[256];
    ERR_error_string_n(code, text, sizeof text);
    return text;
}

} // namespace stationsync::host
