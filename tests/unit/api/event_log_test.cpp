#include "api/event_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stationsync::host {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(EventLog, ANewListenerStartsAtTheEnd) {
    EventLog log("run", 10);
    log.publish("a", "{}");
    std::string first;
    auto position = log.start("", first);
    EXPECT_THAT(first, HasSubstr("event: ready"));
    EXPECT_EQ(log.read(position, 1000), "");
    log.publish("b", "{\"x\":1}");
    EXPECT_EQ(log.read(position, 1000), "id: run-2\nevent: b\ndata: {\"x\":1}\n\n");
    EXPECT_EQ(log.read(position, 1000), "");
}

TEST(EventLog, AListenerGoesOnBehindTheEventItSawLast) {
    EventLog log("run", 10);
    for (const auto* type : {"a", "b", "c"}) {
        log.publish(type, "{}");
    }
    std::string first;
    auto position = log.start("run-1", first);
    EXPECT_THAT(first, HasSubstr("event: ready"));
    const auto text = log.read(position, 1000);
    EXPECT_THAT(text, StartsWith("id: run-2\nevent: b"));
    EXPECT_THAT(text, HasSubstr("id: run-3\nevent: c"));
}

TEST(EventLog, AListenerOfAnotherRunOrOfForgottenEventsReloads) {
    EventLog log("run", 2);
    for (int i = 0; i < 5; ++i) {
        log.publish("a", "{}");
    }
    for (const auto* id : {"other-5", "run-2", "run-6", "run-", "run-x", "nonsense", "-"}) {
        std::string first;
        auto position = log.start(id, first);
        EXPECT_THAT(first, HasSubstr("event: reset")) << id;
        EXPECT_EQ(log.read(position, 1000), "") << id;
    }
    std::string first;
    log.start("run-3", first);
    EXPECT_THAT(first, HasSubstr("event: ready"));
}

TEST(EventLog, AListenerThatFellBehindIsToldToReload) {
    EventLog log("run", 3);
    std::string first;
    auto position = log.start("", first);
    for (int i = 0; i < 4; ++i) {
        log.publish("a", "{}");
    }
    EXPECT_THAT(log.read(position, 1000), StartsWith("id: run-4\nevent: reset"));
    EXPECT_EQ(log.read(position, 1000), "");
}

TEST(EventLog, OneReadIsBoundedButNeverStuck) {
    EventLog log("run", 10);
    std::string first;
    auto position = log.start("", first);
    for (int i = 0; i < 3; ++i) {
        log.publish("a", "\"" + std::string(100, 'x') + "\"");
    }
    int reads = 0;
    while (!log.read(position, 10).empty()) {
        ++reads;
    }
    EXPECT_EQ(reads, 3);
}

} // namespace
} // namespace stationsync::host
