#pragma once
// Who may ask what: Host, Origin, token and address of a request, judged without any network code.

#include "api/api_server.hpp"
#include "config/endpoint.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>
#include <variant>

namespace stationsync::host {

// The parts of an HTTP request that matter. Views live for the call.
struct RequestFacts {
    std::string_view method; // "GET"
    std::string_view target; // "/v1/objects?provider=x"
    std::string_view host, origin, fetch_site, authorization, content_type;
    std::string_view body;
    bool one_host = true; // the Host header came exactly once
};

struct RequestRefusal {
    unsigned status = 400; // HTTP
    std::string text, remedy;
};

// A command for the service.
struct CommandRoute {
    std::string name;
    nlohmann::json arguments;
    Access access = Access::view;
    bool may_last = false; // its answer is waited for without a limit
};
struct EventsRoute {};
struct LogRoute {
    bool follow = false;
    std::size_t lines = 100; // of the past
};
using Route = std::variant<RequestRefusal, CommandRoute, EventsRoute, LogRoute>;

// `local` is the address the server listens on.
Route judge_request(const RequestFacts& request, const Endpoint& local, const ApiTokens& tokens);

} // namespace stationsync::host
