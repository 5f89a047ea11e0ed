// The configuration of one instance.
#pragma once

#include "patterns.hpp"

#include <stationsync/host_ref.hpp>

#include <filesystem>
#include <string>

namespace filesync {

struct Settings {
    // Throws sdk::Error(INVALID_ARG) with the setting at fault.
    explicit Settings(const stationsync::sdk::Host& host);

    std::filesystem::path root; // absolute
    Patterns patterns;
    std::string provider; // name in the project, for messages
    std::string instance; // id of the provider instance, for the marker
    // For recover only, which clears both: enabled for the first time, so that a missing marker is
    // written; accepted by a person, so that a foreign one is replaced too.
    bool may_write_marker;
    bool may_take_over;

    // A fresh name for a temporary file, and whether a name is one of this instance's: a root may
    // lie within that of another instance, whose running work must not be cleaned away.
    std::string temp_name() const;
    bool is_own_temp(std::string_view name) const noexcept;

    // Belongs to the synchronized files: pattern and names reserved for the service.
    bool contains(std::string_view key) const noexcept;

private:
    std::string temp_prefix_;
};

} // namespace filesync
