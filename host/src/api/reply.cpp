#include "api/service_commands.hpp"

#include <nlohmann/json.hpp>

namespace stationsync::host {

static const char* code_name(ReplyCode code) {
    switch (code) {
    case ReplyCode::ok:
        return "ok";
    case ReplyCode::bad_request:
        return "bad_request";
    case ReplyCode::denied:
        return "denied";
    case ReplyCode::not_found:
        return "not_found";
    case ReplyCode::refused:
        return "refused";
    case ReplyCode::unavailable:
        return "unavailable";
    case ReplyCode::failed:
        return "failed";
    }
    return "failed";
}

// Text from the outside may hold broken UTF-8; an answer is JSON all the same.
static std::string dump(const nlohmann::json& json) {
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Reply reply_ok(const nlohmann::json& body) {
    return {ReplyCode::ok, dump(body)};
}

Reply reply_error(ReplyCode code, const std::string& text, const std::string& remedy) {
    return {code,
            dump({{"error", {{"code", code_name(code)}, {"text", text}, {"remedy", remedy}}}})};
}

Reply reply_error(const IoError& error) {
    return reply_error(ReplyCode::failed, error.text, remedy_of(error.kind));
}

} // namespace stationsync::host
