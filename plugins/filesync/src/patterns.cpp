#include "patterns.hpp"

#include <utility>

namespace filesync {

namespace {

char lower(char byte) noexcept {
    return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + 32) : byte;
}

// Matches `byte` against the set that starts at pattern[0] == '['. Returns the length of the set, 0
// when it is not closed (then '[' is an ordinary byte); `hit` says whether it matched.
std::size_t match_set(std::string_view pattern, char byte, bool& hit) noexcept {
    std::size_t at = 1;
    const bool negated = at < pattern.size() && (pattern[at] == '!' || pattern[at] == '^');
    if (negated)
        ++at;
    const auto wanted = static_cast<unsigned char>(lower(byte));
    bool found = false;
    for (const std::size_t first = at; at < pattern.size(); ++at) {
        if (pattern[at] == ']' && at != first) {
            hit = found != negated && byte != '/';
            return at + 1;
        }
        const auto low = static_cast<unsigned char>(lower(pattern[at]));
        unsigned char high = low;
        if (at + 2 < pattern.size() && pattern[at + 1] == '-' && pattern[at + 2] != ']') {
            high = static_cast<unsigned char>(lower(pattern[at + 2]));
            at += 2;
        }
        found = found || (wanted >= low && wanted <= high);
    }
    return 0;
}

std::string_view name_of(std::string_view path) noexcept {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

} // namespace

bool matches(std::string_view pattern, std::string_view text) noexcept {
    while (!pattern.empty()) {
        const char head = pattern.front();
        if (head == '*') {
            const bool deep = pattern.size() > 1 && pattern[1] == '*';
            pattern.remove_prefix(deep ? 2 : 1);
            // "**/" also matches nothing at all: "**/a" matches "a".
            if (deep && !pattern.empty() && pattern.front() == '/' &&
                matches(pattern.substr(1), text))
                return true;
            while (true) {
                if (matches(pattern, text))
                    return true;
                if (text.empty() || (!deep && text.front() == '/'))
                    return false;
                text.remove_prefix(1);
            }
        }
        if (text.empty())
            return false;
        bool hit = false;
        std::size_t used = 0;
        if (head == '[')
            used = match_set(pattern, text.front(), hit);
        if (used == 0) {
            hit = head == '?' ? text.front() != '/' : lower(head) == lower(text.front());
            used = 1;
        }
        if (!hit)
            return false;
        pattern.remove_prefix(used);
        text.remove_prefix(1);
    }
    return text.empty();
}

Patterns::Pattern::Pattern(std::string written) : text(std::move(written)) {
    if (!text.empty() && text.back() == '/')
        text += "**";
    is_path = text.find('/') != std::string::npos;
    if (!is_path)
        return;
    // "reports/" means every folder of that name, "/reports/" only the one in the root.
    if (text.front() == '/')
        text.erase(0, 1);
    else if (ends_in_all() && text.find('/') == text.size() - 3)
        text = "**/" + text;
}

bool Patterns::Pattern::ends_in_all() const noexcept {
    return text.size() > 3 && std::string_view(text).substr(text.size() - 3) == "/**";
}

bool Patterns::Pattern::matches_path(std::string_view path) const noexcept {
    return matches(text, is_path ? path : name_of(path));
}

Patterns::Patterns(const std::vector<std::string>& include, const std::vector<std::string>& exclude)
    : include_(include.begin(), include.end()), exclude_(exclude.begin(), exclude.end()) {}

bool Patterns::contains(std::string_view key) const noexcept {
    for (const Pattern& pattern : exclude_)
        if (pattern.matches_path(key))
            return false;
    // A folder that is excluded as a name excludes what is below it.
    if (!exclude_.empty())
        for (std::size_t slash = key.find('/'); slash != std::string_view::npos;
             slash = key.find('/', slash + 1))
            if (excludes_folder(key.substr(0, slash)))
                return false;
    if (include_.empty())
        return true;
    for (const Pattern& pattern : include_)
        if (pattern.matches_path(key))
            return true;
    return false;
}

bool Patterns::excludes_folder(std::string_view folder) const noexcept {
    for (const Pattern& pattern : exclude_) {
        if (pattern.matches_path(folder))
            return true;
        if (pattern.ends_in_all() &&
            matches(std::string_view(pattern.text).substr(0, pattern.text.size() - 3), folder))
            return true;
    }
    return false;
}

} // namespace filesync
