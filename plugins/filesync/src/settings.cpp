#include "settings.hpp"

#include "root_marker.hpp"

#include <stationsync/files.hpp>

namespace filesync {

namespace sdk = stationsync::sdk;

namespace {

std::vector<std::string> pattern_list(const sdk::Host& host, std::string_view name) {
    std::vector<std::string> patterns = host.config_list(name);
    for (const std::string& pattern : patterns) {
        const bool is_text = !pattern.empty() && sdk::is_valid_utf8(pattern);
        if (!is_text || pattern.find('\\') != std::string::npos)
            throw sdk::Error(STSYNC_INVALID_ARG, "The setting \"" + std::string(name) +
                                                     "\" has the pattern \"" + pattern +
                                                     "\": write '/' between folders and leave no "
                                                     "pattern empty.");
    }
    return patterns;
}

} // namespace

Settings::Settings(const sdk::Host& host)
    : root(host.config_path("root")),
      patterns(pattern_list(host, "include"), pattern_list(host, "exclude")),
      provider(host.config("@name").value_or("NAME")),
      instance(host.config_required("@instance")),
      may_write_marker(host.config_flag("@first_enable", false)),
      may_take_over(host.config_flag("@accept_root", false)),
      temp_prefix_(sdk::temp_prefix) {
    const sdk::Digest digest = sdk::sha256(instance);
    for (std::size_t i = 0; i < 4; ++i) {
        temp_prefix_ += "0123456789abcdef"[digest[i] >> 4];
        temp_prefix_ += "0123456789abcdef"[digest[i] & 15];
    }
    temp_prefix_ += '-';
}

std::string Settings::temp_name() const {
    return temp_prefix_ + sdk::new_temp_name().substr(sdk::temp_prefix.size());
}

bool Settings::is_own_temp(std::string_view name) const noexcept {
    return name.substr(0, temp_prefix_.size()) == temp_prefix_;
}

bool Settings::contains(std::string_view key) const noexcept {
    const std::size_t slash = key.rfind('/');
    const std::string_view name = slash == std::string_view::npos ? key : key.substr(slash + 1);
    return name != root_marker_name && !sdk::is_temp_name(name) && patterns.contains(key);
}

} // namespace filesync
