// Builds the one-line text forms: `Name field=value field=[a, b]`. Foreign text is quoted, control
// characters escaped, so that nothing breaks out of its line in a log or a transcript.
#pragma once

#include "stationsync/core/message.hpp"

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>

namespace stationsync::core {

std::string hex_text(std::uint64_t value); // 16 digits
std::string quoted_text(std::string_view text);
std::string duration_text(Duration duration); // seconds with its fraction, "-0.25s"

class Line {
public:
    explicit Line(std::string_view name) : text_(name) {}

    template <typename T>
    Line& field(std::string_view name, T const& value) {
        if (!text_.empty())
            text_ += ' ';
        text_ += name;
        text_ += '=';
        text_ += value_text(value);
        return *this;
    }
    // Left out when it says nothing.
    template <typename T>
    Line& field(std::string_view name, const std::optional<T>& value) {
        return value ? field(name, *value) : *this;
    }
    Line& flag(std::string_view name, bool set) {
        if (set) {
            text_ += ' ';
            text_ += name;
        }
        return *this;
    }
    Line& text(std::string_view name, std::string_view value) {
        return value.empty() ? *this : field(name, std::string(value));
    }
    std::string str() && { return std::move(text_); }

    static std::string value_text(bool value) { return value ? "true" : "false"; }
    static std::string value_text(const std::string& value) { return quoted_text(value); }
    static std::string value_text(Duration value) { return duration_text(value); }
    static std::string value_text(const StationId& value) { return to_text(value); }
    static std::string value_text(const AuthorId& value) { return to_text(value); }
    static std::string value_text(const ObjectId& value) { return quoted_text(to_text(value)); }
    static std::string value_text(const RevisionId& value) { return to_text(value); }
    static std::string value_text(const Digest& value) { return to_text(value); }
    static std::string value_text(const ApplyId& value) { return to_text(value); }
    static std::string value_text(WallTime value) { return to_text(value); }
    static std::string value_text(const Stamp& value) { return to_text(value); }
    static std::string value_text(const RevisionPtr& value) {
        return value ? '{' + to_text(*value) + '}' : std::string("none");
    }
    static std::string value_text(const PackageInfo& value);
    static std::string value_text(const Token& value);
    static std::string value_text(const VersionVector& value);
    static std::string value_text(const SetEntry& value);
    static std::string value_text(const LocalPackage& value);
    template <std::integral T>
    static std::string value_text(T value) {
        return std::to_string(value);
    }
    // Ids issued as numbers; enumerations with words have a to_text() of their own.
    template <typename T>
    requires std::is_enum_v<T>
    static std::string value_text(T value) {
        return std::to_string(static_cast<std::uint64_t>(value));
    }
    template <typename T>
    static std::string value_text(const std::vector<T>& values) {
        std::string text = "[";
        for (T const& value : values) {
            if (text.size() > 1)
                text += ", ";
            text += value_text(value);
        }
        return text + ']';
    }

private:
    std::string text_;
};

} // namespace stationsync::core
