// What a runtime is given and what it tells.
#pragma once

#include "config/project_config.hpp"
#include "config/root_paths.hpp"
#include "config/station_config.hpp"
#include "net/links.hpp"
#include "net/project_key.hpp"
#include "service/side_database.hpp"
#include "stationsync/core/action.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace stationsync::host {

struct RuntimeSettings {
    RootPaths paths;
    StationConfig station;
    ProjectConfig project;
    std::vector<ListenAddress> listen;
    bool founder = false; // this station made the project
    // The clock was set, by so much, since the engine ran last.
    std::optional<core::Duration> clock_stepped;
    std::uint64_t run_id = 0;
    core::StationId self;
};

// What the runtime tells the service.
class RuntimeListener {
public:
    virtual ~RuntimeListener() = default;
    virtual void object_changed(const core::ObjectId& id) = 0;
    virtual void station_changed(const core::StationId& id) = 0;
    virtual void provider_changed(const std::string& provider) = 0;
    virtual void message_changed(const StoredMessage& message, bool standing) = 0;
    virtual void command_answered(const core::CommandAnswered& answer) = 0;
    virtual void keys_changed(const KeyRing& keys) = 0; // to be stored
    virtual void clock_stepped(std::int64_t by_us) = 0; // the engine must start anew
};

} // namespace stationsync::host
