// The catalogue of messages for the operator.
#include "stationsync/core/operator_message.hpp"

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

namespace stationsync::core {
namespace {

TEST(OperatorMessage, SentenceAndRemedyAreFilledInFromTheCatalogue) {
    const RaiseMessage message =
        make_message("restored-old", "batchdb/x", {{"key", "x"}, {"object", "batchdb/x"}});
    EXPECT_EQ(message.severity, Severity::warning);
    EXPECT_EQ(message.subject, "batchdb/x");
    EXPECT_EQ(message.text, "'x' was restored to an older state; the plant's state is put back.");
    EXPECT_EQ(message.remedy,
              "To distribute the restored state on purpose: stationsync publish \"batchdb/x\"");
    // What somebody needs who has the sentence in another language.
    EXPECT_EQ(fill_in("{object}: alter Stand", message.values), "batchdb/x: alter Stand");
}

TEST(OperatorMessage, ValuesAreNeverTakenForPlaceholders) {
    EXPECT_EQ(fill_in("{a}-{b}", {{"a", "{b}"}, {"b", "}{a}"}}), "{b}-}{a}");
    EXPECT_EQ(fill_in("{unknown}!", {}), "!");
    EXPECT_EQ(fill_in("open { only", {}), "open { only");
}

TEST(OperatorMessage, AnUnknownMessageIsADefect) {
    EXPECT_THROW(make_message("no-such-message", {}), std::logic_error);
}

TEST(OperatorMessage, EveryKindHasItsOwnNameAndASentence) {
    std::set<std::string_view> ids;
    for (const MessageKind& kind : message_catalogue()) {
        EXPECT_TRUE(ids.insert(kind.id).second) << kind.id;
        EXPECT_FALSE(kind.sentence.empty()) << kind.id;
        EXPECT_EQ(find_message_kind(kind.id), &kind);
        // What is wrong has a way out.
        EXPECT_TRUE(kind.severity == Severity::info || !kind.remedy.empty()) << kind.id;
    }
}

} // namespace
} // namespace stationsync::core
