// Identifiers of stations, authors, objects, revisions and packages. Plain values, ordered,
// comparable.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace stationsync::core {

// 128-bit id of a station: the first 16 bytes of SHA-256 of its public key as a version-8 UUID.
struct StationId {
    std::array<std::uint8_t, 16> bytes{};
    auto operator<=>(const StationId&) const = default;
};

// Who seals revisions: a station together with the incarnation of its state database. Sequences and
// index positions belong to an author.
struct AuthorId {
    StationId station;
    std::uint64_t incarnation = 0;
    auto operator<=>(const AuthorId&) const = default;
};

// The unit of "last change wins". `provider` is the configured instance's name, `key` is UTF-8 of
// at most 4096 bytes, compared bytewise.
struct ObjectId {
    std::string provider;
    std::string key;
    auto operator<=>(const ObjectId&) const = default;
};

// Sequence 0 is never issued: a default RevisionId names nothing.
struct RevisionId {
    AuthorId author;
    std::uint64_t sequence = 0;
    auto operator<=>(const RevisionId&) const = default;
    explicit operator bool() const { return sequence != 0; }
};

// SHA-256.
struct Digest {
    std::array<std::uint8_t, 32> bytes{};
    auto operator<=>(const Digest&) const = default;
};

// What a plugin returns to name the present state of an object: opaque, at most 63 bytes, local to
// one provider instance. Empty means "absent".
using Mark = std::string;

// Names one decision to apply; the same id twice has one effect.
struct ApplyId {
    std::array<std::uint8_t, 16> bytes{};
    auto operator<=>(const ApplyId&) const = default;
};

enum class LinkId : std::uint64_t {}; // one authenticated connection, issued by the host
enum class DialId : std::uint64_t {}; // one attempt to connect, issued by the engine
enum class JobId : std::uint64_t {}; // one scan, export, fetch or history job, issued by the engine
enum class PersistId : std::uint64_t {}; // one durable transaction, rising, issued by the engine

// Lower-case hexadecimal; StationId in UUID form.
std::string to_text(const StationId& id);
std::string to_text(const AuthorId& id);
std::string to_text(const ObjectId& id);
std::string to_text(const RevisionId& id);
std::string to_text(const Digest& digest);
std::string to_text(const ApplyId& id);
std::string mark_text(const Mark& mark);

struct IdHash {
    std::size_t operator()(const StationId& id) const noexcept;
    std::size_t operator()(const ObjectId& id) const noexcept;
};

} // namespace stationsync::core
