// Requests to the local API. The first lines of the input are its parts.
#include "fuzz_target.hpp"

#include "api/request_rules.hpp"

#include <array>

using namespace stationsync::host;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::array<std::string_view, 7> parts;
    auto rest = text_of(data, size);
    for (auto& part : parts) {
        const auto end = rest.find('\n');
        part = rest.substr(0, end);
        rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    }
    const RequestFacts request{.method = parts[0],
                               .target = parts[1],
                               .host = parts[2],
                               .origin = parts[3],
                               .fetch_site = parts[4],
                               .authorization = parts[5],
                               .content_type = parts[6],
                               .body = rest};
    const ApiTokens tokens{.view = "view-token", .act = "act-token"};
    const auto route = judge_request(request, {"127.0.0.1", 8884}, tokens);
    const auto is_ours = request.host == "127.0.0.1:8884" || request.host == "localhost:8884";
    const auto has_token = request.authorization.ends_with("view-token") ||
                           request.authorization.ends_with("act-token");
    expect(std::holds_alternative<RequestRefusal>(route) || (is_ours && has_token));
    return 0;
}

std::vector<std::string> good_inputs() {
    return {"GET\n/v1/objects?provider=x&key=%41\n127.0.0.1:8884\n\n\nBearer view-token\n\n",
            "POST\n/v1/actions/publish\n127.0.0.1:8884\nhttp://127.0.0.1:8884\nsame-origin\nBearer "
            "act-token\n"
            "application/json\n{\"provider\":\"x\",\"key\":\"y\"}",
            "GET\n/v1/log?follow=true&lines=5\n127.0.0.1:8884\n\n\nBearer view-token\n\n"};
}
