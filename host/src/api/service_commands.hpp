#pragma once
// What the local API asks of the service, and what the service tells the API's listeners.

#include "base/io_result.hpp"

#include <nlohmann/json_fwd.hpp>

#include <functional>
#include <string>

namespace stationsync::host {

enum class Access { view, act };

enum class ReplyCode {
    ok,
    bad_request, // the arguments are wrong: HTTP 400
    denied,      // needs the other token: 403
    not_found,   // no such object, provider, station, version or command: 404
    refused,     // a rule forbids it now; the text says which and what to do: 409
    unavailable, // the engine is stopped or still starting: 503
    failed,      // tried and failed: 500
};

struct Reply {
    ReplyCode code = ReplyCode::ok;
    // JSON text. For ok the answer of docs/openapi.yaml; otherwise
    // {"error":{"code","text","remedy"}}.
    std::string body = "{}";
};

Reply reply_ok(const nlohmann::json& body);
// `text` is one plain sentence, `remedy` what the user can do (may be empty). No secrets.
Reply reply_error(ReplyCode code, const std::string& text, const std::string& remedy = {});
Reply reply_error(const IoError& error); // `failed`, with what helps against such an error

using ReplyFunction = std::function<void(Reply)>;

// Implemented by the service. All calls are made on the engine thread.
class ServiceCommands {
public:
    virtual ~ServiceCommands() = default;
    // Runs the command `name` with the JSON object `arguments` and calls `done` exactly once, on
    // the engine thread, now or later. `arguments` lives for the call only. GET
    // /v1/objects?provider=x arrives as
    // ("objects", {"provider":"x"}) with values as text; POST /v1/actions/publish as ("publish",
    // body). `done` stays valid and harmless when the client or the server is gone.
    virtual void call(const std::string& name, const nlohmann::json& arguments, Access access,
                      ReplyFunction done) = 0;
};

// Where the service puts events for the API's listeners (GET /v1/events). Engine thread.
class EventSink {
public:
    virtual ~EventSink() = default;
    // `type` is the event's name in docs/openapi.yaml, e.g. "object", "station", "message",
    // "status".
    virtual void publish(const std::string& type, const nlohmann::json& event) = 0;
};

} // namespace stationsync::host
