// The key that makes a station a member of a project, and the ring that rotation needs.
#pragma once

#include "base/io_result.hpp"
#include "stationsync/core/time.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stationsync::host {

// A secret. Wiped when destroyed; never logged, its identity() may be.
struct ProjectKey {
    std::array<std::byte, 32> bytes{};

    ProjectKey() = default;
    ProjectKey(const ProjectKey&) = default;
    ProjectKey& operator=(const ProjectKey&) = default;
    ~ProjectKey();
    // Throws std::runtime_error when the system has no randomness.
    [[nodiscard]] static ProjectKey generate();
    // What a TLS client sends to name the key: a hash that tells neither the key nor the project.
    [[nodiscard]] std::string identity() const;
    // The first 8 digits of the hash, for people ("key list").
    [[nodiscard]] std::string fingerprint() const;
    // The secret that goes into TLS, so that the key itself is used nowhere else.
    [[nodiscard]] std::array<std::byte, 32> tls_secret() const;
    bool operator==(const ProjectKey& other) const; // in constant time
};

// A rotation as it travels to the other stations, inside authenticated links only.
struct KeyUpdate {
    ProjectKey key;
    core::WallTime made_at;    // by the clock of the station that rotated
    core::WallTime retired_at; // keys replaced until then are no longer accepted; 0: none
    bool operator==(const KeyUpdate&) const = default;
};

// The current key and those that it replaced. Rotations made at several stations at once end in one
// ring everywhere, because the greatest (made_at, key) is current whatever the order of arrival.
class KeyRing {
public:
    struct Previous {
        ProjectKey key;
        core::WallTime made_at;
        core::WallTime replaced_at;
        bool operator==(const Previous&) const = default;
    };
    static constexpr std::size_t previous_max = 4;
    static constexpr core::Duration previous_age_max = std::chrono::hours(24 * 30);

    KeyRing(const ProjectKey& key, core::WallTime made_at) : current_(key), made_at_(made_at) {}

    [[nodiscard]] const ProjectKey& current() const noexcept { return current_; }
    [[nodiscard]] core::WallTime made_at() const noexcept { return made_at_; }
    [[nodiscard]] const std::vector<Previous>& previous() const noexcept { return previous_; }

    // Keys that a link may use now, current first.
    [[nodiscard]] std::vector<ProjectKey> accepted(core::WallTime now) const;
    // The accepted key with this TLS identity.
    [[nodiscard]] std::optional<ProjectKey> find(std::string_view identity,
                                                 core::WallTime now) const;

    // A new current key; the old one stays accepted until retire() or 30 days.
    void rotate(core::WallTime now);
    // Only the current key is accepted from now on. False when there was no other.
    bool retire(core::WallTime now);

    // What the peers are told, after every change and at the beginning of each link.
    [[nodiscard]] KeyUpdate update() const { return {current_, made_at_, retired_at_}; }
    // What a peer tells. True when something changed: store and tell the other peers.
    bool adopt(const KeyUpdate& update, core::WallTime now);

    // The file state/NAME/key: readable by this account alone, replaced durably. load() answers
    // `not_found`, `denied` or `other`, each with a sentence.
    [[nodiscard]] static IoResult<KeyRing> load(const std::filesystem::path& path);
    [[nodiscard]] IoResult<void> save(const std::filesystem::path& path) const;
    bool operator==(const KeyRing&) const = default;

private:
    void drop_old(core::WallTime now);
    void add_previous(Previous entry);

    ProjectKey current_;
    core::WallTime made_at_;
    core::WallTime retired_at_{};
    std::vector<Previous> previous_; // newest first
};

} // namespace stationsync::host
