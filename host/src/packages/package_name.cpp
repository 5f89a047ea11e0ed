#include "packages/package_name.hpp"

#include "base/path_text.hpp"
#include "base/sha256.hpp"
#include "base/text_codes.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <span>
#include <utility>

namespace stationsync::host {
namespace {

constexpr std::size_t hash_bytes = 8;
constexpr std::size_t readable_bytes_min = 4;
// UTC 16, station 8, sequence at most 20, a copy number, two dashes; then ".have.part" or ".rev".
constexpr std::size_t file_name_bytes_max = 16 + 1 + 8 + 1 + 20 + 3 + package_extension_bytes_max;
constexpr std::size_t suffix_bytes_max = 10;

std::string utc_text(WallTime at_us) {
    using namespace std::chrono;
    // Four digits of a year; a stamp outside of them is wrong anyhow and must not break a name.
    constexpr WallTime us_min = -62'167'219'200'000'000;
    constexpr WallTime us_max = 253'402'300'799'000'000;
    const sys_time<seconds> time{floor<seconds>(microseconds(std::clamp(at_us, us_min, us_max)))};
    const sys_days day = floor<days>(time);
    const year_month_day date{day};
    const hh_mm_ss clock{time - day};
    char text[40];
    std::snprintf(text, sizeof text, "%04d%02u%02uT%02d%02d%02dZ", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  static_cast<int>(clock.hours().count()),
                  static_cast<int>(clock.minutes().count()),
                  static_cast<int>(clock.seconds().count()));
    return text;
}

bool is_safe_extension(std::string_view extension) {
    const auto is_plain = [](char letter) {
        return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
               (letter >= '0' && letter <= '9') || letter == '_' || letter == '-';
    };
    return extension.size() >= 2 && extension.size() <= package_extension_bytes_max &&
           extension[0] == '.' && std::all_of(extension.begin() + 1, extension.end(), is_plain) &&
           // These belong to unfinished packages and to descriptions.
           extension != ".part" && extension != ".rev";
}

} // namespace

std::string object_folder_suffix(std::string_view key) {
    const Sha256Digest digest = sha256(key);
    return "~" + to_hex(std::span(digest).first(hash_bytes));
}

std::vector<std::string> object_folder_names(std::string_view key) {
    const std::string suffix = object_folder_suffix(key);
    std::vector<std::string> names;
    for (std::size_t bytes = readable_bytes_min; bytes <= readable_bytes_max; ++bytes) {
        std::string name = readable_name(key, bytes) + suffix;
        if (names.empty() || names.back() != name) {
            names.push_back(std::move(name));
        }
    }
    return names;
}

std::string object_folder_name(std::string_view key, std::size_t readable_max) {
    return readable_name(key, std::min(readable_max, readable_bytes_max)) +
           object_folder_suffix(key);
}

std::string package_file_name(const PackageName& name, unsigned copy) {
    std::string text = utc_text(name.changed_at_us);
    text += '-';
    text += to_hex(std::as_bytes(std::span(name.station.bytes).first(4)));
    text += '-';
    text += std::to_string(name.sequence);
    if (copy > 1) {
        text += '-';
        text += std::to_string(copy);
    }
    if (!name.extension.empty()) {
        text += is_safe_extension(name.extension) ? name.extension : std::string(".bin");
    }
    return text;
}

std::filesystem::path object_folder(const core::ObjectId& object, std::size_t base_bytes) {
    const std::string provider = readable_name(object.provider, 32);
    const std::size_t rest = base_bytes + 1 + provider.size() + 1 + (1 + 2 * hash_bytes) + 1 +
                             file_name_bytes_max + suffix_bytes_max;
    const std::size_t room = rest < package_path_bytes_max ? package_path_bytes_max - rest : 0;
    return path_of(provider) /
           path_of(object_folder_name(object.key, std::max(room, readable_bytes_min)));
}

} // namespace stationsync::host
