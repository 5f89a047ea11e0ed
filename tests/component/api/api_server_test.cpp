// The API server over real sockets, with a service that answers as the test says.
#include "fake_commands.hpp"
#include "raw_client.hpp"

#include "base/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stationsync::host {
namespace {

using namespace std::chrono_literals;
using test::RawClient;
using test::request_text;
using test::RunningApi;
using testing::HasSubstr;
using testing::StartsWith;

TEST(ApiServer, AnswersManyRequestsOnOneConnection) {
    RunningApi api;
    RawClient client(api.endpoint());
    for (int i = 0; i < 3; ++i) {
        client.received.clear();
        ASSERT_TRUE(client.send(request_text(api.endpoint(), "GET /v1/status", "view")));
        ASSERT_TRUE(client.read_until(R"({"project":"P"})"));
        EXPECT_THAT(client.received, StartsWith("HTTP/1.1 200"));
    }
}

TEST(ApiServer, AnActionReachesTheServiceWithActAccess) {
    RunningApi api;
    RawClient client(api.endpoint());
    client.send(request_text(api.endpoint(), "POST /v1/actions/stop", "act", "", "{}"));
    ASSERT_TRUE(client.read_until("}"));
    EXPECT_THAT(client.received, HasSubstr(R"({"act":true,"name":"stop"})"));
}

TEST(ApiServer, RefusalsCarryCodeTextAndRemedy) {
    RunningApi api;
    RawClient client(api.endpoint());
    client.send(request_text(api.endpoint(), "POST /v1/actions/refuse", "act", "", "{}"));
    ASSERT_TRUE(client.read_until("}}"));
    EXPECT_THAT(client.received, StartsWith("HTTP/1.1 409"));
    EXPECT_THAT(
        client.received,
        HasSubstr(R"({"error":{"code":"refused","remedy":"Wait.","text":"An apply is open."}})"));
}

TEST(ApiServer, AForeignHostOriginOrTokenIsRefusedBeforeTheService) {
    RunningApi api;
    const auto answer_to = [&api](const std::string& text) {
        RawClient client(api.endpoint());
        client.send(text);
        client.read_until("}}");
        return client.received.substr(0, 12);
    };
    EXPECT_EQ(
        answer_to(
            "GET /v1/status HTTP/1.1\r\nHost: evil.example\r\nAuthorization: Bearer view\r\n\r\n"),
        "HTTP/1.1 403");
    EXPECT_EQ(answer_to("GET /v1/status HTTP/1.1\r\nAuthorization: Bearer view\r\n\r\n"),
              "HTTP/1.1 400");
    EXPECT_EQ(answer_to(request_text(api.endpoint(), "GET /v1/status", "view",
                                     "Origin: http://evil.example\r\n")),
              "HTTP/1.1 403");
    EXPECT_EQ(answer_to(request_text(api.endpoint(), "GET /v1/status", "view",
                                     "Host: " + to_text(api.endpoint()) + "\r\n")),
              "HTTP/1.1 400");
    EXPECT_EQ(answer_to(request_text(api.endpoint(), "GET /v1/status", "wrong")), "HTTP/1.1 401");
    EXPECT_EQ(answer_to(request_text(api.endpoint(), "POST /v1/actions/stop", "view", "", "{}")),
              "HTTP/1.1 403");
}

TEST(ApiServer, WhatIsTooLargeIsRefusedAndClosed) {
    RunningApi api;
    RawClient body(api.endpoint());
    body.send(
        request_text(api.endpoint(), "POST /v1/actions/x", "act", "", std::string(100'000, ' ')));
    EXPECT_TRUE(body.read_to_end());
    RawClient announced(api.endpoint());
    announced.send("POST /v1/actions/x HTTP/1.1\r\nHost: " + to_text(api.endpoint()) +
                   "\r\nContent-Length: 4294967296\r\n\r\n");
    EXPECT_TRUE(announced.read_to_end());
    EXPECT_THAT(announced.received, StartsWith("HTTP/1.1 413"));
    RawClient header(api.endpoint());
    header.send("GET /v1/status HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n");
    EXPECT_TRUE(header.read_to_end());
    RawClient garbage(api.endpoint());
    garbage.send("\x16\x03\x01 this is not HTTP\r\n\r\n");
    EXPECT_TRUE(garbage.read_to_end());
}

TEST(ApiServer, ASlowRequestIsDropped) {
    RunningApi api({.request_time_max = 200ms});
    RawClient client(api.endpoint());
    client.send("GET /v1/sta");
    EXPECT_TRUE(client.read_to_end());
    EXPECT_EQ(client.received, "");
}

TEST(ApiServer, AClientThatDoesNotReadItsAnswerIsDropped) {
    RunningApi api({.connections_max = 1, .write_time_max = 200ms});
    RawClient lazy(api.endpoint());
    lazy.send(request_text(api.endpoint(), "GET /v1/history", "view"));
    // Its place becomes free without it reading a byte.
    for (;;) {
        RawClient next(api.endpoint());
        next.send(request_text(api.endpoint(), "GET /v1/status", "view"));
        if (next.read_until("\"P\"")) {
            break;
        }
        ASSERT_TRUE(next.ended);
    }
}

TEST(ApiServer, ConnectionsBeyondTheLimitAreClosedAndTheRestServed) {
    RunningApi api({.connections_max = 2});
    RawClient first(api.endpoint());
    first.send(request_text(api.endpoint(), "GET /v1/status", "view"));
    ASSERT_TRUE(first.read_until("\"P\""));
    RawClient second(api.endpoint());
    second.send(request_text(api.endpoint(), "GET /v1/status", "view"));
    ASSERT_TRUE(second.read_until("\"P\""));
    RawClient third(api.endpoint());
    EXPECT_TRUE(third.read_to_end());
    first.received.clear();
    first.send(request_text(api.endpoint(), "GET /v1/status", "view"));
    EXPECT_TRUE(first.read_until("\"P\""));
}

TEST(ApiServer, AServiceThatDoesNotAnswerEndsInATimeout) {
    RunningApi api({.answer_time_max = 100ms});
    RawClient client(api.endpoint());
    client.send(request_text(api.endpoint(), "POST /v1/actions/never", "act", "", "{}"));
    ASSERT_TRUE(client.read_until("}}"));
    EXPECT_THAT(client.received, StartsWith("HTTP/1.1 504"));
    // The late answer is harmless, and so is one for a client that is gone.
    api.run([&api] {
        for (auto& done : api.commands.kept) {
            done(reply_ok({}));
        }
        api.commands.kept.clear();
    });
    client.received.clear();
    client.send(request_text(api.endpoint(), "GET /v1/status", "view"));
    EXPECT_TRUE(client.read_until("\"P\""));
}

TEST(ApiServer, AVerifyMayTakeLongerThanOtherAnswersAndIsGivenUpWithItsClient) {
    RunningApi api({.connections_max = 2, .answer_time_max = 100ms});
    RawClient patient(api.endpoint());
    const auto verify = request_text(api.endpoint(), "POST /v1/actions/verify", "act", "", "{}");
    patient.send(verify);
    {
        RawClient impatient(api.endpoint());
        impatient.send(verify);
        std::size_t asked = 0;
        while (asked != 2) {
            api.run([&] { asked = api.commands.kept.size(); });
        }
    }
    // Its connection is free again, and on it the time of another command runs out meanwhile.
    for (auto answered = false; !answered;) {
        RawClient other(api.endpoint());
        other.send(request_text(api.endpoint(), "POST /v1/actions/never", "act", "", "{}"));
        answered = other.read_until("HTTP/1.1 504");
    }
    api.run([&api] {
        for (auto& done : api.commands.kept) {
            done(reply_ok({{"equal", true}}));
        }
        api.commands.kept.clear();
    });
    ASSERT_TRUE(patient.read_until("true"));
    EXPECT_THAT(patient.received, StartsWith("HTTP/1.1 200"));
}

TEST(ApiServer, AnAnswerAfterTheServersEndIsHarmless) {
    std::vector<ReplyFunction> kept;
    {
        RunningApi api;
        RawClient client(api.endpoint());
        client.send(request_text(api.endpoint(), "POST /v1/actions/never", "act", "", "{}"));
        while (kept.empty()) {
            api.run([&] { kept = std::move(api.commands.kept); });
        }
        api.run([&] { api.server().stop(); });
        api.run([&] {
            kept.front()(reply_ok({}));
            kept.clear();
        });
        EXPECT_TRUE(client.read_to_end());
    }
}

TEST(ApiServer, EventsReachEveryListenerInOrder) {
    RunningApi api;
    RawClient a(api.endpoint());
    RawClient b(api.endpoint());
    for (auto* client : {&a, &b}) {
        client->send(request_text(api.endpoint(), "GET /v1/events", "view"));
        ASSERT_TRUE(client->read_until("event: ready"));
        EXPECT_THAT(client->received, HasSubstr("Content-Type: text/event-stream"));
    }
    for (int i = 0; i < 100; ++i) {
        api.publish("object", {{"number", i}});
    }
    for (auto* client : {&a, &b}) {
        ASSERT_TRUE(client->read_until("{\"number\":99}"));
        std::size_t at = 0;
        for (int i = 0; i < 100; ++i) {
            at = client->received.find("data: {\"number\":" + std::to_string(i) + "}", at);
            ASSERT_NE(at, std::string::npos) << i;
        }
    }
}

TEST(ApiServer, AListenerGoesOnBehindItsLastEvent) {
    RunningApi api;
    std::string last_id;
    {
        RawClient client(api.endpoint());
        client.send(request_text(api.endpoint(), "GET /v1/events", "view"));
        ASSERT_TRUE(client.read_until("event: ready"));
        api.publish("a", {{"n", 1}});
        ASSERT_TRUE(client.read_until("{\"n\":1}"));
        const auto at = client.received.rfind("id: ") + 4;
        last_id = client.received.substr(at, client.received.find('\n', at) - at);
    }
    api.publish("a", {{"n", 2}});
    RawClient client(api.endpoint());
    client.send(request_text(api.endpoint(), "GET /v1/events", "view",
                             "Last-Event-ID: " + last_id + "\r\n"));
    ASSERT_TRUE(client.read_until("{\"n\":2}"));
    EXPECT_THAT(client.received, testing::Not(HasSubstr("{\"n\":1}")));
    RawClient stale(api.endpoint());
    stale.send(
        request_text(api.endpoint(), "GET /v1/events", "view", "Last-Event-ID: other-1\r\n"));
    EXPECT_TRUE(stale.read_until("event: reset"));
}

TEST(ApiServer, AListenerThatDoesNotReadIsDroppedAndTheOthersAreServed) {
    RunningApi api({.streams_max = 2, .events_kept = 8, .write_time_max = 300ms});
    RawClient lazy(api.endpoint());
    lazy.send(request_text(api.endpoint(), "GET /v1/events", "view"));
    ASSERT_TRUE(lazy.read_until("event: ready"));
    RawClient good(api.endpoint());
    good.send(request_text(api.endpoint(), "GET /v1/events", "view"));
    ASSERT_TRUE(good.read_until("event: ready"));
    const nlohmann::json large = {{"text", std::string(1'000'000, 'x')}};
    for (int i = 0; i < 30; ++i) {
        good.received.clear();
        api.publish("large", large);
        ASSERT_TRUE(good.read_until("\"}\n\n")) << i;
    }
    // A third listener finds the place of the dropped one.
    for (;;) {
        RawClient third(api.endpoint());
        third.send(request_text(api.endpoint(), "GET /v1/events", "view"));
        // The end of the header, which a refusal has as well: as long as the place is taken, it is
        // one.
        ASSERT_TRUE(third.read_until("\r\n\r\n"));
        if (third.received.find("event: ready") != std::string::npos ||
            third.read_until("event: ready")) {
            break;
        }
    }
}

TEST(ApiServer, QuietStreamsAreKeptAlive) {
    RunningApi api({.keep_alive_every = 50ms});
    RawClient client(api.endpoint());
    client.send(request_text(api.endpoint(), "GET /v1/events", "view"));
    EXPECT_TRUE(client.read_until(": still here\n\n: still here"));
}

TEST(ApiServer, TheLogCanBeReadAndFollowed) {
    RunningApi api;
    log::error("test-part", "before \"quoted\"", {.reason = "r1"});
    RawClient past(api.endpoint());
    past.send(request_text(api.endpoint(), "GET /v1/log?lines=1", "view"));
    ASSERT_TRUE(past.read_until("]}"));
    EXPECT_THAT(past.received, HasSubstr("before \\\"quoted\\\""));
    RawClient follower(api.endpoint());
    follower.send(request_text(api.endpoint(), "GET /v1/log?follow&lines=0", "view"));
    ASSERT_TRUE(follower.read_until("event: ready"));
    log::error("test-part", "after", {.station = "s", .object = "p/k", .reason = "r2"});
    ASSERT_TRUE(follower.read_until("\"after\""));
    EXPECT_THAT(follower.received, testing::Not(HasSubstr("before")));
}

TEST(ApiServer, ATakenAddressIsOneClearSentence) {
    RunningApi api;
    boost::asio::io_context context;
    test::FakeCommands commands;
    try {
        const ApiServer second(context, commands, {api.endpoint(), make_api_tokens()});
        FAIL() << "two servers on one port";
    } catch (const std::runtime_error& error) {
        EXPECT_THAT(error.what(), HasSubstr(to_text(api.endpoint())));
        EXPECT_THAT(error.what(), HasSubstr("--api"));
    }
}

} // namespace
} // namespace stationsync::host
