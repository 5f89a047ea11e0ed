#include "api/request_rules.hpp"

#include "base/path_text.hpp"
#include "config/units.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace stationsync::host {
namespace {

using nlohmann::json;

constexpr std::size_t parameters_max = 16;
constexpr int body_depth_max = 16;
constexpr std::size_t log_lines_max = 1000;
constexpr std::array<std::string_view, 12> views{
    "status",  "stations", "discover", "objects", "explain",       "history",
    "plugins", "projects", "keys",     "secrets", "message-kinds", "selftest"};

// Comparing takes the same time wherever the texts differ, so that a token cannot be guessed
// bytewise.
bool same_secret(std::string_view given, std::string_view right) {
    if (right.empty() || given.size() != right.size()) {
        return false;
    }
    unsigned difference = 0;
    for (std::size_t i = 0; i < right.size(); ++i) {
        difference |= static_cast<unsigned char>(given[i]) ^ static_cast<unsigned char>(right[i]);
    }
    return difference == 0;
}

// Names that a foreign page could make resolve to this computer are refused: only numbers, in the
// one form in which we write them, and "localhost".
bool is_our_host(std::string_view host, const Endpoint& local) {
    constexpr std::uint16_t http_port = 80; // browsers leave it out
    std::string full(host);
    if (local.port == http_port && full.find(']') == std::string::npos &&
        full.find(':') == std::string::npos) {
        full += ":80";
    }
    if (full == "localhost:" + std::to_string(local.port)) {
        return is_loopback(local) || is_wildcard(local);
    }
    const auto endpoint = parse_endpoint(full, local.port);
    return endpoint && endpoint->port == local.port && to_text(*endpoint) == full &&
           (endpoint->address == local.address || is_wildcard(local));
}

std::optional<RequestRefusal> judge_sender(const RequestFacts& request, const Endpoint& local) {
    if (request.host.empty() || !request.one_host) {
        return RequestRefusal{400, "The request has no single Host header.", "Send exactly one."};
    }
    if (!is_our_host(request.host, local)) {
        return RequestRefusal{403, "The Host header names another computer than this address.",
                              "Use http://" + to_text(local) + "/."};
    }
    const auto foreign_page =
        request.fetch_site == "cross-site" || request.fetch_site == "same-site";
    if (foreign_page ||
        (!request.origin.empty() && !(request.origin.starts_with("http://") &&
                                      is_our_host(request.origin.substr(7), local)))) {
        return RequestRefusal{403, "Requests from pages of another origin are refused.",
                              "Use a page of this address, or the command line."};
    }
    return std::nullopt;
}

std::optional<Access> access_of(std::string_view authorization, const ApiTokens& tokens) {
    constexpr std::string_view scheme = "Bearer ";
    if (!authorization.starts_with(scheme)) {
        return std::nullopt;
    }
    const auto token = authorization.substr(scheme.size());
    const auto act = same_secret(token, tokens.act);
    const auto view = same_secret(token, tokens.view);
    if (act) {
        return Access::act;
    }
    return view ? std::optional(Access::view) : std::nullopt;
}

std::optional<std::string> percent_decoded(std::string_view text) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+') {
            decoded += ' ';
        } else if (text[i] != '%') {
            decoded += text[i];
        } else {
            unsigned code = 0;
            const auto* const digits = text.data() + i + 1;
            if (i + 2 >= text.size() ||
                std::from_chars(digits, digits + 2, code, 16).ptr != digits + 2) {
                return std::nullopt;
            }
            decoded += static_cast<char>(code);
            i += 2;
        }
    }
    return is_valid_utf8(decoded) ? std::optional(decoded) : std::nullopt;
}

std::optional<json> parameters_of(std::string_view query) {
    auto parameters = json::object();
    while (!query.empty()) {
        const auto part = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(part.size() + 1, query.size()));
        const auto equals = std::min(part.find('='), part.size());
        const auto name = percent_decoded(part.substr(0, equals));
        const auto value = percent_decoded(part.substr(std::min(equals + 1, part.size())));
        if (!name || name->empty() || !value || parameters.contains(*name) ||
            parameters.size() >= parameters_max) {
            return std::nullopt;
        }
        parameters[*name] = *value;
    }
    return parameters;
}

Route judge_view(std::string_view name, std::string_view query, Access access) {
    auto parameters = parameters_of(query);
    if (!parameters) {
        return RequestRefusal{400, "The query is malformed.",
                              "Write it as name=value&name=value, UTF-8."};
    }
    if (name == "events") {
        return EventsRoute{};
    }
    if (name == "log") {
        LogRoute route;
        route.follow = parameters->contains("follow") && (*parameters)["follow"] != "false";
        if (parameters->contains("lines")) {
            const auto text = (*parameters)["lines"].get<std::string>();
            const auto* const end = text.data() + text.size();
            const auto parsed = std::from_chars(text.data(), end, route.lines);
            if (parsed.ec != std::errc{} || parsed.ptr != end || route.lines > log_lines_max) {
                return RequestRefusal{400, "`lines` must be a number from 0 to 1000.", ""};
            }
        }
        return route;
    }
    if (std::ranges::find(views, name) == views.end()) {
        return RequestRefusal{404, "There is no such address in this API.",
                              "See docs/openapi.yaml."};
    }
    return CommandRoute{std::string(name), std::move(*parameters), access, false};
}

Route judge_action(const RequestFacts& request, std::string_view name) {
    constexpr std::size_t name_max = 40;
    const auto plain =
        std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || c == '-'; });
    if (name.empty() || name.size() > name_max || !plain) {
        return RequestRefusal{404, "There is no such action.", "See docs/openapi.yaml."};
    }
    // A form of a foreign page cannot send this type without asking first.
    if (!request.content_type.starts_with("application/json")) {
        return RequestRefusal{415, "An action needs Content-Type: application/json.", ""};
    }
    auto too_deep = false;
    const auto watch_depth = [&too_deep](int depth, json::parse_event_t, json&) {
        too_deep = too_deep || depth > body_depth_max;
        return !too_deep;
    };
    auto arguments =
        request.body.empty() ? json::object() : json::parse(request.body, watch_depth, false);
    if (too_deep || !arguments.is_object()) {
        return RequestRefusal{400, "The body is not a JSON object.", "Send {} for no arguments."};
    }
    // Reading all content of a plant again takes as long as it takes.
    return CommandRoute{std::string(name), std::move(arguments), Access::act, name == "verify"};
}

} // namespace

Route judge_request(const RequestFacts& request, const Endpoint& local, const ApiTokens& tokens) {
    if (auto refusal = judge_sender(request, local)) {
        return std::move(*refusal);
    }
    const auto access = access_of(request.authorization, tokens);
    if (!access) {
        return RequestRefusal{
            401, "The request carries no valid token.",
            "Send Authorization: Bearer with the content of state/api/view.token or "
            "act.token."};
    }
    constexpr std::string_view base = "/v1/";
    constexpr std::string_view actions = "actions/";
    if (!request.target.starts_with(base)) {
        return RequestRefusal{404, "There is no such address in this API.",
                              "See docs/openapi.yaml."};
    }
    const auto path_end = std::min(request.target.find('?'), request.target.size());
    auto name = request.target.substr(base.size(), path_end - std::min(path_end, base.size()));
    const auto query = request.target.substr(std::min(path_end + 1, request.target.size()));
    if (name.starts_with(actions)) {
        if (request.method != "POST") {
            return RequestRefusal{405, "An action is sent with POST.", ""};
        }
        if (*access != Access::act) {
            return RequestRefusal{403,
                                  "Actions need the act token, which only administrators can read.",
                                  "Run the command as administrator."};
        }
        return judge_action(request, name.substr(actions.size()));
    }
    if (request.method != "GET") {
        return RequestRefusal{405, "This address is read with GET.", ""};
    }
    return judge_view(name, query, *access);
}

} // namespace stationsync::host
