// Brings project keys that peers told to the disk, however long it refuses them.
#pragma once

#include "base/io_result.hpp"
#include "net/project_key.hpp"
#include "service/timer.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <string>

namespace stationsync::host {

// Engine thread.
class KeySaver {
public:
    // `changed`: what trouble() answers may be another now.
    KeySaver(boost::asio::io_context& context, std::function<void()> changed);

    // Replaces the file. What fails is kept and tried again until it works.
    void save(const std::filesystem::path& file, const KeyRing& keys);
    // The same without a second try: what was kept for the file is dropped when it works.
    IoResult<void> save_now(const std::filesystem::path& file, const KeyRing& keys);

    // The stored keys, or those that could not be stored yet: they are newer.
    [[nodiscard]] IoResult<KeyRing> load(const std::filesystem::path& file) const;
    // Why the keys of this file are not stored yet; empty: they are.
    [[nodiscard]] std::string trouble(const std::filesystem::path& file) const;

private:
    struct Unsaved {
        KeyRing keys;
        std::string why;
    };
    void try_again();

    std::function<void()> changed_;
    std::map<std::filesystem::path, Unsaved> unsaved_;
    std::chrono::seconds wait_{};
    Timer timer_;
};

} // namespace stationsync::host
