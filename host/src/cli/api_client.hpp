#pragma once
// The command line's way to the running service. Blocking.

#include "config/root_paths.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stationsync::host::cli {

using Parameters = std::vector<std::pair<std::string, std::string>>; // name, value; UTF-8

class ApiClient {
public:
    enum class Token { view, act };

    // Throws CommandFailure that says in plain words why the service cannot be asked: no station
    // here, service not running, token not readable.
    ApiClient(const RootPaths& paths, Token token);
    // Nothing when the service does not run; other troubles throw.
    static std::unique_ptr<ApiClient> if_running(const RootPaths& paths, Token token);
    ~ApiClient();

    // No question after this takes longer, and none is asked again. For who can do without an
    // answer; a service that hangs is what he wants to know.
    void limit_answers(std::chrono::seconds time_max);

    // The answer's JSON. An error answer becomes a CommandFailure with the service's own sentence.
    nlohmann::json get(const std::string& view, const Parameters& parameters = {});
    nlohmann::json act(const std::string& action, const nlohmann::json& arguments);
    // The same for an action that lasts as long as it takes: waits while the service lives.
    nlohmann::json act_long(const std::string& action, const nlohmann::json& arguments);

    // Reads a stream of Server-Sent Events until `on_event` returns false or the service ends.
    // Returns whether the stream was ended by us.
    using OnEvent = std::function<bool(std::string_view type, std::string_view data)>;
    bool stream(const std::string& view, const Parameters& parameters, const OnEvent& on_event);

private:
    struct Connection;
    ApiClient(std::unique_ptr<Connection> connection);
    std::unique_ptr<Connection> connection_;
};

} // namespace stationsync::host::cli
