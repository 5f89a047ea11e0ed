#include "service/key_saver.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <vector>

namespace stationsync::host {

namespace {
constexpr std::chrono::seconds first_wait{1};
constexpr std::chrono::seconds wait_max{60};
} // namespace

KeySaver::KeySaver(boost::asio::io_context& context, std::function<void()> changed)
    : changed_(std::move(changed)), timer_(context) {}

void KeySaver::save(const std::filesystem::path& file, const KeyRing& keys) {
    if (const auto saved = save_now(file, keys); !saved) {
        log::error("service", saved.error().text, {{}, {}, "key"});
        unsaved_.insert_or_assign(file, Unsaved{keys, saved.error().text});
        wait_ = first_wait;
        timer_.set(wait_, [this] { try_again(); });
    }
    changed_();
}

IoResult<void> KeySaver::save_now(const std::filesystem::path& file, const KeyRing& keys) {
    auto saved = keys.save(file);
    if (saved && unsaved_.erase(file) > 0)
        changed_();
    return saved;
}

void KeySaver::try_again() {
    const std::map<std::filesystem::path, Unsaved> all = unsaved_;
    for (const auto& [file, unsaved] : all)
        if (save_now(file, unsaved.keys))
            log::info("service", "the project key is stored", {{}, {}, "key"});
    if (unsaved_.empty())
        return;
    wait_ = std::min(2 * wait_, wait_max);
    timer_.set(wait_, [this] { try_again(); });
}

IoResult<KeyRing> KeySaver::load(const std::filesystem::path& file) const {
    const auto place = unsaved_.find(file);
    return place == unsaved_.end() ? KeyRing::load(file) : place->second.keys;
}

std::string KeySaver::trouble(const std::filesystem::path& file) const {
    const auto place = unsaved_.find(file);
    return place == unsaved_.end() ? std::string() : place->second.why;
}

} // namespace stationsync::host
