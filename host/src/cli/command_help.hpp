#pragma once
// What commands have in common.

#include "base/io_result.hpp"
#include "base/lock_file.hpp"
#include "cli/command_line.hpp"
#include "cli/json_read.hpp"
#include "config/problem.hpp"

#include <optional>
#include <string>

namespace stationsync::host::cli {

struct ObjectName {
    std::string provider;
    std::string key;
};
// "PROVIDER/KEY"; throws UsageError.
ObjectName parse_object(const std::string& text);
// "PROVIDER" or "PROVIDER/KEY" (then the key is not empty); throws UsageError.
ObjectName parse_provider_or_object(const std::string& text);
void require_provider_name(const std::string& name);

// The value, or a CommandFailure with the error's sentence.
template <class T>
T need(IoResult<T>&& result) {
    if (!result) {
        throw CommandFailure(result.error().text, remedy_of(result.error().kind));
    }
    if constexpr (!std::is_void_v<T>) {
        return std::move(*result);
    }
}
template <class T>
T need(Loaded<T>&& loaded) {
    if (!loaded) {
        throw CommandFailure(to_text(loaded.problems));
    }
    return std::move(*loaded.value);
}

// Files of a root are changed only while no service runs on it.
LockFile lock_root(const RootPaths& paths);

// The project of this root that is selected; throws CommandFailure when there is none.
std::string selected_project(const RootPaths& paths);

void require_station(const RootPaths& paths); // throws CommandFailure: no station.toml

// JSON as it is for --json.
void write_json(std::ostream& out, const Json& json);

// Asks the running service to act and shows its answer.
int act(const Invocation& call, Environment& environment, const std::string& action,
        const Json& arguments);

} // namespace stationsync::host::cli
