#include "odbc_text.hpp"

#include <stationsync/text.hpp>

#include <algorithm>
#include <array>

namespace stationsync::odbc {

namespace {

constexpr char32_t replacement = 0xfffd;
constexpr std::size_t shown_bytes_max = 1500;

char lowered(char byte) noexcept {
    return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + 32) : byte;
}

std::string lowered(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(), [](char c) { return lowered(c); });
    return result;
}

std::string_view trimmed(std::string_view text) noexcept {
    const std::size_t begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos)
        return {};
    return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

// The code point at `at`, which moves behind it.
char32_t next_point(std::string_view text, std::size_t& at) {
    const auto first = static_cast<unsigned char>(text[at]);
    const std::size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (!sdk::is_valid_utf8(text.substr(at, length)) || at + length > text.size()) {
        ++at;
        return replacement;
    }
    constexpr std::array<unsigned char, 5> masks = {0, 0x7f, 0x1f, 0x0f, 0x07};
    char32_t point = first & masks.at(length);
    for (std::size_t i = 1; i < length; ++i)
        point = point << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3fu);
    at += length;
    return point;
}

void append_utf8(std::string& text, char32_t point) {
    const auto add = [&text](char32_t byte) { text += static_cast<char>(byte); };
    if (point < 0x80) {
        add(point);
    } else if (point < 0x800) {
        add(0xc0 | point >> 6);
        add(0x80 | (point & 0x3f));
    } else if (point < 0x10000) {
        add(0xe0 | point >> 12);
        add(0x80 | (point >> 6 & 0x3f));
        add(0x80 | (point & 0x3f));
    } else {
        add(0xf0 | point >> 18);
        add(0x80 | (point >> 12 & 0x3f));
        add(0x80 | (point >> 6 & 0x3f));
        add(0x80 | (point & 0x3f));
    }
}

template <class Text>
void overwrite(Text& text) noexcept {
    volatile auto* const bytes = text.data();
    for (std::size_t i = 0; i < text.size(); ++i)
        bytes[i] = 0;
    text.clear();
}

struct Part {
    std::string key; // lower case
    std::string value;
};

// Tolerant: what cannot be read is the driver's to refuse.
std::vector<Part> parts_of(std::string_view text) {
    std::vector<Part> parts;
    while (!text.empty()) {
        const std::size_t equals = text.find('=');
        if (equals == std::string_view::npos)
            break;
        Part part{lowered(trimmed(text.substr(0, equals))), {}};
        if (const std::size_t last = part.key.rfind(';'); last != std::string::npos)
            part.key = trimmed(std::string_view(part.key).substr(last + 1));
        text.remove_prefix(equals + 1);
        const std::size_t begin = text.find_first_not_of(" \t");
        if (begin != std::string_view::npos && text[begin] == '{') {
            std::size_t at = begin + 1;
            for (; at < text.size(); ++at) {
                const bool is_doubled = text.substr(at, 2) == "}}";
                if (text[at] == '}' && !is_doubled)
                    break;
                part.value += text[at];
                at += is_doubled ? 1 : 0;
            }
            text.remove_prefix(std::min(at + 1, text.size()));
        } else {
            part.value = trimmed(text.substr(0, text.find(';')));
        }
        const std::size_t end = text.find(';');
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        parts.push_back(std::move(part));
    }
    return parts;
}

bool is_password(std::string_view key) {
    return key == "pwd" || key.find("password") != std::string_view::npos;
}

bool is_secret(std::string_view key) {
    constexpr std::array<std::string_view, 3> words = {"secret", "token", "credential"};
    return is_password(key) || std::any_of(words.begin(), words.end(), [&](auto word) {
               return key.find(word) != std::string_view::npos;
           });
}

} // namespace

std::u16string utf16_of(std::string_view utf8) {
    std::u16string text;
    text.reserve(utf8.size());
    for (std::size_t at = 0; at < utf8.size();) {
        const char32_t point = next_point(utf8, at);
        if (point < 0x10000) {
            text += static_cast<char16_t>(point);
        } else {
            text += static_cast<char16_t>(0xd800 + ((point - 0x10000) >> 10));
            text += static_cast<char16_t>(0xdc00 + ((point - 0x10000) & 0x3ff));
        }
    }
    return text;
}

std::string utf8_of(std::u16string_view utf16) {
    std::string text;
    text.reserve(utf16.size());
    for (std::size_t at = 0; at < utf16.size(); ++at) {
        char32_t point = utf16[at];
        const bool is_first = point >= 0xd800 && point < 0xdc00;
        if (is_first && at + 1 < utf16.size() && utf16[at + 1] >= 0xdc00 &&
            utf16[at + 1] < 0xe000) {
            point = 0x10000 + ((point - 0xd800) << 10) + (utf16[at + 1] - 0xdc00u);
            ++at;
        } else if (point >= 0xd800 && point < 0xe000) {
            point = replacement;
        }
        append_utf8(text, point);
    }
    return text;
}

void wipe(std::string& text) noexcept {
    overwrite(text);
}
void wipe(std::u16string& text) noexcept {
    overwrite(text);
}

ConnectionString::ConnectionString(std::string text) : text_(std::move(text)) {
    for (Part& part : parts_of(text_))
        if (is_secret(part.key))
            keep_secret(std::move(part.value));
}

ConnectionString::~ConnectionString() {
    wipe(text_);
    for (std::string& secret : secrets_)
        wipe(secret);
}

void ConnectionString::keep_secret(std::string value) {
    if (value.empty())
        return;
    secrets_.push_back(std::move(value));
    std::sort(secrets_.begin(), secrets_.end(),
              [](const auto& a, const auto& b) { return a.size() > b.size(); });
}

bool ConnectionString::has(std::string_view key) const {
    const std::vector<Part> parts = parts_of(text_);
    return std::any_of(parts.begin(), parts.end(),
                       [wanted = lowered(key)](const Part& part) { return part.key == wanted; });
}

bool ConnectionString::has_password() const {
    const std::vector<Part> parts = parts_of(text_);
    return std::any_of(parts.begin(), parts.end(),
                       [](const Part& part) { return is_password(part.key); });
}

void ConnectionString::add_secret(std::string_view key, std::string_view value) {
    std::string quoted;
    for (const char byte : value)
        quoted.append(byte == '}' ? 2 : 1, byte);
    if (!text_.empty() && text_.back() != ';')
        text_ += ';';
    text_.append(key).append("={").append(quoted).append("}");
    if (quoted != value)
        keep_secret(std::move(quoted));
    keep_secret(std::string(value));
}

std::string ConnectionString::without_secrets(std::string said) const {
    for (const std::string& secret : secrets_)
        for (std::size_t at = 0; (at = said.find(secret, at)) != std::string::npos; at += 3)
            said.replace(at, secret.size(), "***");
    return said;
}

Cause cause_of(const std::vector<Diagnostic>& diagnostics, bool is_connected) noexcept {
    const auto any = [&](auto&& test) {
        return std::any_of(diagnostics.begin(), diagnostics.end(), test);
    };
    if (any([](const Diagnostic& each) { return each.state == "HYT00" || each.state == "HY008"; }))
        return Cause::late;
    // The database is missing, or being restored, and SQL Server calls that a failed login as well.
    constexpr std::int32_t no_such_database = 4060;
    if (!is_connected &&
        any([](const Diagnostic& each) { return each.native == no_such_database; }))
        return Cause::away;
    if (!is_connected && any([](const Diagnostic& each) { return each.state == "28000"; }))
        return Cause::refused;
    if (!is_connected && any([](const Diagnostic& each) {
            return each.state.rfind("IM", 0) == 0 ||
                   each.text.find("Can't open lib") != std::string::npos; // unixODBC: 01000
        }))
        return Cause::no_driver;
    if (!is_connected || any([](const Diagnostic& each) { return each.state.rfind("08", 0) == 0; }))
        return Cause::away;
    return Cause::statement;
}

std::string to_text(const std::vector<Diagnostic>& diagnostics) {
    std::string text;
    for (const Diagnostic& each : diagnostics) {
        if (text.size() > shown_bytes_max)
            return text + "; …";
        text += (text.empty() ? "" : "; ") + each.text + " (" + each.state;
        if (each.native != 0)
            text += ", " + std::to_string(each.native);
        text += ')';
    }
    return text.empty() ? "the driver gives no reason" : text;
}

} // namespace stationsync::odbc
