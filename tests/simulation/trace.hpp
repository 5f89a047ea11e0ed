// The record of one run: a hash of everything that happened, its text when asked for, and the
// counts of what occurred.
#pragma once

#include "stationsync/core/action.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace stationsync::simulation {

// How often each thing occurred; added up over all runs, where a zero means that nothing was
// tested.
struct Coverage {
    std::array<std::uint64_t, std::variant_size_v<core::Event>> events{};
    std::array<std::uint64_t, std::variant_size_v<core::Action>> actions{};
    std::array<std::uint64_t, std::variant_size_v<core::Action>> crashes_before{};
    std::array<std::uint64_t, std::variant_size_v<core::Action>> crashes_after{};
    std::array<std::uint64_t, std::variant_size_v<core::Message>> messages{};
    std::map<std::string, std::uint64_t, std::less<>> faults; // and what users did, by name

    void add(const Coverage& other);
    static std::optional<std::size_t> action_index(const std::string& name);
    // One line per count; the names of what never occurred.
    std::string table() const;
    std::vector<std::string> never_occurred() const;
};

class Trace {
public:
    using TextMaker = std::function<std::string()>;

    void mix(std::uint64_t value) { hash_ = (hash_ ^ value) * 0x100000001b3ull + (hash_ >> 47); }
    void mix(std::string_view text) {
        for (char c : text) {
            mix(static_cast<std::uint64_t>(static_cast<unsigned char>(c)));
        }
    }
    std::uint64_t hash() const { return hash_; }

    // Every event and action, for the trace of a failing seed.
    bool wants_text() const { return print_; }
    void print_to(std::function<void(const std::string&)> sink) {
        sink_ = std::move(sink);
        print_ = true;
    }
    void line(const std::string& text) {
        if (print_) {
            sink_(text);
        }
    }

    // What a person would tell of the run: sealed, applied, kept, messages. For transcripts.
    bool keeps_story() const { return story_on_; }
    void keep_story() { story_on_ = true; }
    void tell(std::string text);
    std::vector<std::string> take_story() { return std::exchange(story_, {}); }

    Coverage coverage;

private:
    std::uint64_t hash_ = 0xcbf29ce484222325ull;
    bool print_ = false;
    bool story_on_ = false;
    std::function<void(const std::string&)> sink_;
    std::vector<std::string> story_;
};

} // namespace stationsync::simulation
