#include "api/request_rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stationsync::host {
namespace {

const Endpoint local{"127.0.0.1", 8884};
const ApiTokens tokens{"view-token", "act-token"};

RequestFacts get(std::string_view target) {
    RequestFacts request;
    request.method = "GET";
    request.target = target;
    request.host = "127.0.0.1:8884";
    request.authorization = "Bearer view-token";
    return request;
}

RequestFacts post(std::string_view target, std::string_view body) {
    auto request = get(target);
    request.method = "POST";
    request.authorization = "Bearer act-token";
    request.content_type = "application/json";
    request.body = body;
    return request;
}

unsigned status_of(const RequestFacts& request, const Endpoint& endpoint = local) {
    const auto route = judge_request(request, endpoint, tokens);
    const auto* const refusal = std::get_if<RequestRefusal>(&route);
    return refusal == nullptr ? 200 : refusal->status;
}

TEST(RequestRules, AViewWithParametersBecomesACommand) {
    const auto route =
        judge_request(get("/v1/objects?provider=recipes&key=a%2Fb%20%C3%BC+c"), local, tokens);
    const auto* const command = std::get_if<CommandRoute>(&route);
    ASSERT_NE(command, nullptr);
    EXPECT_EQ(command->name, "objects");
    EXPECT_EQ(command->arguments["provider"], "recipes");
    EXPECT_EQ(command->arguments["key"], "a/b \xC3\xBC c");
    EXPECT_EQ(command->access, Access::view);
}

TEST(RequestRules, AnActionCarriesItsJsonBody) {
    const auto route =
        judge_request(post("/v1/actions/send-now", R"({"provider":"p"})"), local, tokens);
    const auto* const command = std::get_if<CommandRoute>(&route);
    ASSERT_NE(command, nullptr);
    EXPECT_EQ(command->name, "send-now");
    EXPECT_EQ(command->arguments["provider"], "p");
    EXPECT_EQ(command->access, Access::act);
    EXPECT_EQ(status_of(post("/v1/actions/stop", "")), 200U);
}

TEST(RequestRules, EveryHostNameButOurOwnAddressIsRefused) {
    for (const auto* host : {"127.0.0.1:8884", "localhost:8884"}) {
        auto request = get("/v1/status");
        request.host = host;
        EXPECT_EQ(status_of(request), 200U) << host;
    }
    for (const auto* host :
         {"evil.example:8884", "127.0.0.1", "127.0.0.1:80", "127.0.0.2:8884", "localhost",
          "localhost.evil.example:8884", "localhost:1", "[::1]:8884", "*:8884",
          "127.0.0.1:8884@evil.example", "127.0.0.1:08884", "127.0.0.1:8884 "}) {
        auto request = get("/v1/status");
        request.host = host;
        EXPECT_EQ(status_of(request), 403U) << host;
    }
    auto request = get("/v1/status");
    request.host = "";
    EXPECT_EQ(status_of(request), 400U);
    request = get("/v1/status");
    request.one_host = false;
    EXPECT_EQ(status_of(request), 400U);
}

TEST(RequestRules, AnAddressBeyondThisComputerIsReachedByItsNumberOnly) {
    auto request = get("/v1/status");
    request.host = "192.168.1.5:8884";
    EXPECT_EQ(status_of(request, {"0.0.0.0", 8884}), 200U);
    request.host = "evil.example:8884";
    EXPECT_EQ(status_of(request, {"0.0.0.0", 8884}), 403U);
}

TEST(RequestRules, PagesOfAnotherOriginAreRefusedWithEvenTheRightToken) {
    auto request = get("/v1/status");
    request.origin = "http://127.0.0.1:8884";
    EXPECT_EQ(status_of(request), 200U);
    for (const auto* origin : {"http://evil.example", "null", "https://127.0.0.1:8884",
                               "http://127.0.0.1:8884.evil.example", "file://"}) {
        request.origin = origin;
        EXPECT_EQ(status_of(request), 403U) << origin;
    }
    request = get("/v1/status");
    request.fetch_site = "same-origin";
    EXPECT_EQ(status_of(request), 200U);
    request.fetch_site = "cross-site";
    EXPECT_EQ(status_of(request), 403U);
}

TEST(RequestRules, WithoutAValidTokenNothingIsTold) {
    for (const auto* authorization :
         {"", "view-token", "Bearer ", "Bearer view-toke", "Basic view-token", "Bearer view-token2",
          "bearer view-token"}) {
        auto request = get("/v1/nonsense");
        request.authorization = authorization;
        EXPECT_EQ(status_of(request), 401U) << authorization;
    }
    auto request = get("/v1/status");
    request.authorization = "Bearer ";
    const auto route = judge_request(request, local, ApiTokens{});
    EXPECT_NE(std::get_if<RequestRefusal>(&route), nullptr) << "an empty token opens nothing";
}

TEST(RequestRules, TheViewTokenDoesNotActAndTheActTokenViews) {
    auto request = post("/v1/actions/stop", "{}");
    request.authorization = "Bearer view-token";
    EXPECT_EQ(status_of(request), 403U);
    request = get("/v1/status");
    request.authorization = "Bearer act-token";
    EXPECT_EQ(status_of(request), 200U);
}

TEST(RequestRules, AnActionNeedsPostAndJson) {
    auto request = post("/v1/actions/stop", "{}");
    request.method = "GET";
    EXPECT_EQ(status_of(request), 405U);
    request = post("/v1/actions/stop", "{}");
    request.content_type = "text/plain";
    EXPECT_EQ(status_of(request), 415U);
    auto view = post("/v1/status", "{}");
    EXPECT_EQ(status_of(view), 405U);
}

TEST(RequestRules, MalformedBodiesQueriesAndAddressesAreRefused) {
    EXPECT_EQ(status_of(post("/v1/actions/stop", "{")), 400U);
    EXPECT_EQ(status_of(post("/v1/actions/stop", "[]")), 400U);
    std::string deep;
    for (int i = 0; i < 1000; ++i) {
        deep += "{\"a\":";
    }
    EXPECT_EQ(status_of(post("/v1/actions/stop", deep + "1" + std::string(1000, '}'))), 400U);
    for (const auto* target :
         {"/v1/objects?a=%", "/v1/objects?a=%zz", "/v1/objects?a=%ff", "/v1/objects?a=1&a=2",
          "/v1/objects?=1", "/v1/log?lines=-1", "/v1/log?lines=1001", "/v1/log?lines=x"}) {
        EXPECT_EQ(status_of(get(target)), 400U) << target;
    }
    for (const auto* target : {"", "/", "/v1", "/v1/", "/v1/nonsense", "/v2/status", "/v1/status/",
                               "status", "/v1/?x"}) {
        EXPECT_EQ(status_of(get(target)), 404U) << target;
    }
    EXPECT_EQ(status_of(post("/v1/actions/", "{}")), 404U);
    EXPECT_EQ(status_of(post("/v1/actions/STOP", "{}")), 404U);
    EXPECT_EQ(status_of(post("/v1/actions/../status", "{}")), 404U);
}

TEST(RequestRules, StreamsAndTheLogAreTheServersOwn) {
    EXPECT_TRUE(
        std::holds_alternative<EventsRoute>(judge_request(get("/v1/events"), local, tokens)));
    const auto route = judge_request(get("/v1/log?follow&lines=7"), local, tokens);
    const auto* const log = std::get_if<LogRoute>(&route);
    ASSERT_NE(log, nullptr);
    EXPECT_TRUE(log->follow);
    EXPECT_EQ(log->lines, 7U);
}

} // namespace
} // namespace stationsync::host
