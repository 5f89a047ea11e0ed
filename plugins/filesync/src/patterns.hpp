// Which files belong: include and exclude patterns.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace filesync {

// True when the whole of `text` matches. `*` and `?` do not match '/', `**` does, `[a-z]` and
// `[!a-z]` match one byte. ASCII letters match in either case, so that a pattern means the same on
// every system.
bool matches(std::string_view pattern, std::string_view text) noexcept;

// A pattern without '/' is compared with the name, in every folder; one with '/' with the whole
// path below the root. A '/' at the end means all below folders of that name, one at the beginning
// ties the pattern to the root.
class Patterns {
public:
    // No include pattern = everything.
    Patterns(const std::vector<std::string>& include, const std::vector<std::string>& exclude);

    // `key`: path of a file below the root.
    bool contains(std::string_view key) const noexcept;
    // Nothing below this folder can belong.
    bool excludes_folder(std::string_view folder) const noexcept;

private:
    struct Pattern {
        // Not explicit: a list of patterns is written as a list of texts.
        Pattern(std::string written);
        bool matches_path(std::string_view path) const noexcept;
        bool ends_in_all() const noexcept; // in "/**"

        std::string text;
        bool is_path = false; // compared with the whole path
    };

    std::vector<Pattern> include_;
    std::vector<Pattern> exclude_;
};

} // namespace filesync
