#include "net/project_key.hpp"

#include "base/path_text.hpp"
#include "base/random.hpp"
#include "base/sha256.hpp"
#include "base/text_codes.hpp"
#include "net/private_file.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace stationsync::host {
namespace {

constexpr std::string_view identity_label = "stationsync psk identity 1";
constexpr std::string_view secret_label = "stationsync tls psk 1";
constexpr std::string_view file_title = "stationsync-project-key 1";

// The year 2200: a peer's nonsense must leave room for rotations that are later still.
constexpr core::WallTime made_at_limit{7'258'118'400'000'000};

// Labels keep the two values apart: the one that is sent tells nothing about the secret.
Sha256Digest derive(const ProjectKey& key, std::string_view label) {
    Sha256Digest digest{};
    unsigned size = 0;
    const auto* text = reinterpret_cast<const unsigned char*>(label.data());
    if (HMAC(EVP_sha256(), key.bytes.data(), static_cast<int>(key.bytes.size()), text, label.size(),
             reinterpret_cast<unsigned char*>(digest.data()), &size) == nullptr ||
        size != digest.size()) {
        throw std::runtime_error("OpenSSL cannot derive from a project key");
    }
    return digest;
}

std::optional<ProjectKey> key_from_hex(const std::string& text) {
    const auto bytes = from_hex(text);
    ProjectKey key;
    if (!bytes || bytes->size() != key.bytes.size()) {
        return std::nullopt;
    }
    std::copy(bytes->begin(), bytes->end(), key.bytes.begin());
    return key;
}

bool greater(core::WallTime a_at, const ProjectKey& a, core::WallTime b_at, const ProjectKey& b) {
    return a_at != b_at ? a_at > b_at : a.bytes > b.bytes;
}

} // namespace

ProjectKey::~ProjectKey() {
    OPENSSL_cleanse(bytes.data(), bytes.size());
}

ProjectKey ProjectKey::generate() {
    ProjectKey key;
    fill_random(key.bytes);
    return key;
}

std::string ProjectKey::identity() const {
    const Sha256Digest digest = derive(*this, identity_label);
    return "stsync1-" + to_hex(std::span(digest).first(16));
}

std::string ProjectKey::fingerprint() const {
    const Sha256Digest digest = derive(*this, identity_label);
    return to_hex(std::span(digest).first(4));
}

std::array<std::byte, 32> ProjectKey::tls_secret() const {
    return derive(*this, secret_label);
}

bool ProjectKey::operator==(const ProjectKey& other) const {
    return CRYPTO_memcmp(bytes.data(), other.bytes.data(), bytes.size()) == 0;
}

std::vector<ProjectKey> KeyRing::accepted(core::WallTime now) const {
    std::vector<ProjectKey> keys{current_};
    for (const Previous& entry : previous_) {
        if (now - entry.replaced_at < previous_age_max) {
            keys.push_back(entry.key);
        }
    }
    return keys;
}

std::optional<ProjectKey> KeyRing::find(std::string_view identity, core::WallTime now) const {
    for (const ProjectKey& key : accepted(now)) {
        if (key.identity() == identity) {
            return key;
        }
    }
    return std::nullopt;
}

void KeyRing::drop_old(core::WallTime now) {
    std::erase_if(previous_, [&](const Previous& entry) {
        return now - entry.replaced_at >= previous_age_max || entry.replaced_at <= retired_at_;
    });
    if (previous_.size() > previous_max) {
        previous_.resize(previous_max);
    }
}

void KeyRing::add_previous(Previous entry) {
    const auto place = std::find_if(previous_.begin(), previous_.end(), [&](const Previous& other) {
        return greater(entry.made_at, entry.key, other.made_at, other.key);
    });
    previous_.insert(place, std::move(entry));
}

void KeyRing::rotate(core::WallTime now) {
    // Above the present one even when the clock was put back: it must win at every station.
    const core::WallTime made_at = std::max(now, made_at_ + core::Duration{1});
    add_previous({current_, made_at_, made_at});
    current_ = ProjectKey::generate();
    made_at_ = made_at;
    drop_old(now);
}

bool KeyRing::retire(core::WallTime now) {
    const bool any = !previous_.empty();
    // Everything replaced so far, also when the clock was put back since.
    retired_at_ = std::max({retired_at_, made_at_, now});
    previous_.clear();
    return any;
}

bool KeyRing::adopt(const KeyUpdate& update, core::WallTime now) {
    if (update.made_at.us < 0 || update.made_at > made_at_limit) {
        return false;
    }
    const KeyRing before = *this;
    const auto same_key = [&](const Previous& entry) { return entry.key == update.key; };
    if (update.key != current_ && std::none_of(previous_.begin(), previous_.end(), same_key)) {
        if (greater(update.made_at, update.key, made_at_, current_)) {
            add_previous({current_, made_at_, update.made_at});
            current_ = update.key;
            made_at_ = update.made_at;
        } else {
            // Rotated elsewhere at about the same time, and ours wins: links of that station's
            // side are still accepted until it has heard of ours.
            add_previous({update.key, update.made_at, made_at_});
        }
    }
    // Never ahead of both clocks: a retirement must not concern keys of rotations to come.
    retired_at_ = std::max(retired_at_, std::min(update.retired_at, std::max(now, update.made_at)));
    drop_old(now);
    return !(*this == before);
}

IoResult<KeyRing> KeyRing::load(const std::filesystem::path& path) {
    auto text = read_private_file(path);
    if (!text) {
        return text.error();
    }
    std::istringstream lines(*text);
    OPENSSL_cleanse(text->data(), text->size());
    const IoError damaged{IoErrorKind::other,
                          "The project key file " + path_text(path) +
                              " is damaged: put it back from a backup, or join the project again "
                              "with a join code of another station."};
    std::string line;
    if (!std::getline(lines, line) || line != file_title) {
        return damaged;
    }
    std::optional<KeyRing> ring;
    std::string kind;
    std::string hex;
    while (lines >> kind) {
        if (kind == "retired" && ring) {
            lines >> ring->retired_at_.us;
        } else if (kind == "current" && !ring) {
            core::WallTime made_at;
            lines >> hex >> made_at.us;
            if (const auto key = key_from_hex(hex)) {
                ring.emplace(*key, made_at);
            }
        } else if (kind == "previous" && ring && ring->previous_.size() < previous_max) {
            Previous entry;
            lines >> hex >> entry.made_at.us >> entry.replaced_at.us;
            const auto key = key_from_hex(hex);
            if (!key) {
                return damaged;
            }
            entry.key = *key;
            ring->previous_.push_back(entry);
        } else {
            return damaged;
        }
        if (!lines || !ring) {
            return damaged;
        }
    }
    if (!ring) {
        return damaged;
    }
    return *ring;
}

IoResult<void> KeyRing::save(const std::filesystem::path& path) const {
    std::string text(file_title);
    text += "\ncurrent " + to_hex(current_.bytes) + " " + std::to_string(made_at_.us) + "\n";
    text += "retired " + std::to_string(retired_at_.us) + "\n";
    for (const Previous& entry : previous_) {
        text += "previous " + to_hex(entry.key.bytes) + " " + std::to_string(entry.made_at.us) +
                " " + std::to_string(entry.replaced_at.us) + "\n";
    }
    auto saved = write_private_file(path, text);
    OPENSSL_cleanse(text.data(), text.size());
    return saved;
}

} // namespace stationsync::host
