// Fixed binary formats, numbers in network byte order: hello, join code, time frames, block frames,
// package descriptions.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stationsync::host {

class ByteWriter {
public:
    void u8(std::uint8_t value) { out_.push_back(std::byte{value}); }
    void u16(std::uint16_t value) { number(value, 2); }
    void u32(std::uint32_t value) { number(value, 4); }
    void u64(std::uint64_t value) { number(value, 8); }
    void bytes(std::span<const std::byte> value) {
        out_.insert(out_.end(), value.begin(), value.end());
    }
    // Length in one byte, then the text; at most 255 bytes of it.
    void short_text(std::string_view text) {
        text = text.substr(0, 255);
        u8(static_cast<std::uint8_t>(text.size()));
        bytes(std::as_bytes(std::span(text)));
    }
    // Length in four bytes, then the text.
    void long_text(std::string_view text) {
        u32(static_cast<std::uint32_t>(text.size()));
        bytes(std::as_bytes(std::span(text)));
    }
    [[nodiscard]] std::size_t size() const noexcept { return out_.size(); }
    [[nodiscard]] std::vector<std::byte> take() { return std::move(out_); }

private:
    void number(std::uint64_t value, int size) {
        for (int shift = (size - 1) * 8; shift >= 0; shift -= 8) {
            out_.push_back(static_cast<std::byte>(value >> shift));
        }
    }
    std::vector<std::byte> out_;
};

// Reading past the end gives zeros and makes ok() false for good: check once, at the end.
class ByteReader {
public:
    explicit ByteReader(std::span<const std::byte> in) : in_(in) {}

    std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
    std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
    std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
    std::uint64_t u64() { return number(8); }
    void bytes(std::span<std::byte> to) {
        const auto from = next(to.size());
        std::copy(from.begin(), from.end(), to.begin());
    }
    [[nodiscard]] std::string short_text() {
        const auto text = next(u8());
        return {reinterpret_cast<const char*>(text.data()), text.size()};
    }
    // A text longer than `bytes_max` is an error, found before anything is allocated.
    [[nodiscard]] std::string long_text(std::size_t bytes_max) {
        const std::uint32_t length = u32();
        const auto text = length <= bytes_max ? next(length) : next(in_.size() + 1);
        return {reinterpret_cast<const char*>(text.data()), text.size()};
    }
    // A view into what is read; empty when there is not enough left.
    [[nodiscard]] std::span<const std::byte> view(std::size_t count) { return next(count); }
    [[nodiscard]] std::span<const std::byte> rest() { return next(in_.size()); }
    void skip(std::size_t count) { (void)next(count); }

    [[nodiscard]] bool ok() const noexcept { return ok_; }
    [[nodiscard]] bool at_end() const noexcept { return ok_ && in_.empty(); }

private:
    // Empty when there is not enough left.
    std::span<const std::byte> next(std::size_t count) {
        if (count > in_.size()) {
            ok_ = false;
            in_ = {};
            return {};
        }
        const auto taken = in_.first(count);
        in_ = in_.subspan(count);
        return taken;
    }
    std::uint64_t number(std::size_t size) {
        std::uint64_t value = 0;
        for (const std::byte b : next(size)) {
            value = (value << 8) | std::to_integer<std::uint64_t>(b);
        }
        return value;
    }
    std::span<const std::byte> in_;
    bool ok_ = true;
};

} // namespace stationsync::host
