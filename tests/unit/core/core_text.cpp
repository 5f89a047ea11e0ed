// The one-line text forms: logs, transcripts and the names that persons type depend on them.
#include "stationsync/core/action.hpp"
#include "stationsync/core/views.hpp"
#include "text_line.hpp"
#include "text_mutations.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <set>
#include <unordered_set>

namespace stationsync::core {
namespace {

StationId station(std::uint8_t first) {
    StationId id;
    for (std::size_t i = 0; i < id.bytes.size(); ++i)
        id.bytes[i] = static_cast<std::uint8_t>(first + i);
    return id;
}

RevisionPtr revision(std::uint8_t first, std::uint64_t incarnation, std::uint64_t sequence) {
    auto made = std::make_shared<Revision>();
    made->object = {"recipes", "a/b.xml"};
    made->author = {station(first), incarnation};
    made->sequence = sequence;
    made->seen.raise(made->author, sequence);
    return made;
}

TEST(TextIds, StationIsALowerCaseUuid) {
    EXPECT_EQ(to_text(station(0xa0)), "a0a1a2a3-a4a5-a6a7-a8a9-aaabacadaeaf");
    EXPECT_EQ(to_text(StationId{}), "00000000-0000-0000-0000-000000000000");
}

TEST(TextIds, ObjectIsProviderAndKey) {
    EXPECT_EQ(to_text(ObjectId{"recipes", "sub/x.xml"}), "recipes/sub/x.xml");
}

TEST(TextIds, EmptyMarkIsAbsent) {
    EXPECT_EQ(mark_text(""), "absent");
    EXPECT_EQ(mark_text(std::string("\x00\xff", 2)), "00ff");
}

TEST(TextIds, EmptyRevisionNamesNothing) {
    EXPECT_EQ(to_text(RevisionId{}), "none");
    EXPECT_EQ(to_text(RevisionId{{station(0), 0xab}, 7}),
              to_text(station(0)) + "/00000000000000ab/7");
}

TEST(TextIds, HashSeparatesProviderFromKey) {
    const IdHash hash;
    EXPECT_NE(hash(ObjectId{"a", "bc"}), hash(ObjectId{"ab", "c"}));
    std::unordered_set<std::size_t> hashes;
    for (int i = 0; i < 1000; ++i)
        hashes.insert(hash(ObjectId{"recipes", "recipe-" + std::to_string(i)}));
    EXPECT_GT(hashes.size(), 990u);
}

TEST(TextTime, WallTimeIsIsoInUtcWithMicroseconds) {
    EXPECT_EQ(to_text(WallTime{0}), "1970-01-01T00:00:00.000000Z");
    EXPECT_EQ(to_text(WallTime{1'769'862'896'123'456}), "2026-01-31T12:34:56.123456Z");
    EXPECT_EQ(to_text(WallTime{951'827'696'000'001}), "2000-02-29T12:34:56.000001Z");
}

TEST(TextTime, TimesBefore1970CountBackwards) {
    EXPECT_EQ(to_text(WallTime{-1}), "1969-12-31T23:59:59.999999Z");
}

TEST(TextTime, ImpossibleTimesKeepTheirNumber) {
    EXPECT_EQ(to_text(WallTime{std::numeric_limits<std::int64_t>::max()}),
              "@9223372036854775807us");
    EXPECT_EQ(to_text(WallTime{std::numeric_limits<std::int64_t>::min()}),
              "@-9223372036854775808us");
    EXPECT_EQ(to_text(WallTime{253'402'300'799'999'999}), "9999-12-31T23:59:59.999999Z");
    EXPECT_EQ(to_text(WallTime{253'402'300'800'000'000}), "@253402300800000000us");
}

TEST(TextTime, DurationsAreSecondsWithTheirSign) {
    EXPECT_EQ(duration_text(Duration{-250'000}), "-0.25s");
    EXPECT_EQ(duration_text(Duration{61'000'000}), "61s");
    EXPECT_EQ(duration_text(Duration{1}), "0.000001s");
}

TEST(VersionId, OfARevisionNamesStationIncarnationAndSequence) {
    EXPECT_EQ(version_id(revision(0xa0, 0x1f, 42), {}), "a0a1a2a3-1f-42");
}

TEST(VersionId, OfContentWithoutRevisionNamesThePackage) {
    PackageInfo package;
    package.digest.bytes.fill(0xcd);
    EXPECT_EQ(version_id(nullptr, package), "pcdcdcdcdcdcdcdcd");
}

TEST(VersionId, DoesNotDependOnThePackageOfARevision) {
    PackageInfo package;
    package.digest.bytes.fill(0xcd);
    EXPECT_EQ(version_id(revision(1, 2, 3), {}), version_id(revision(1, 2, 3), package));
}

TEST(TextLine, ForeignTextCannotBreakOutOfItsLine) {
    std::string const text =
        to_text(Event{ChangeHinted{"recipes", "a\nProviderDisabled \"b\\\x7f"}});
    EXPECT_EQ(text,
              "ChangeHinted provider=\"recipes\" key=\"a\\x0aProviderDisabled \\\"b\\\\\\x7f\"");
}

template <typename Variant, std::size_t... I>
std::vector<Variant> one_of_each(std::index_sequence<I...>) {
    return {Variant{std::in_place_index<I>}...};
}
template <typename Variant>
std::vector<Variant> one_of_each() {
    return one_of_each<Variant>(std::make_index_sequence<std::variant_size_v<Variant>>{});
}

TEST(TextEvents, EachHasItsOwnNameAndOneLine) {
    std::set<std::string_view> names;
    for (const Event& event : one_of_each<Event>()) {
        EXPECT_TRUE(names.insert(event_name(event)).second) << event_name(event);
        std::string const text = to_text(event);
        EXPECT_TRUE(text.starts_with(event_name(event))) << text;
        EXPECT_EQ(text.find('\n'), std::string::npos) << text;
    }
}

TEST(TextActions, EachHasItsOwnNameAndOneLine) {
    std::set<std::string_view> names;
    for (const Action& action : one_of_each<Action>()) {
        EXPECT_TRUE(names.insert(action_name(action)).second) << action_name(action);
        std::string const text = to_text(action);
        EXPECT_TRUE(text.starts_with(action_name(action))) << text;
    }
}

TEST(TextMessages, EachBeginsWithItsName) {
    std::set<std::string> names;
    for (const Message& message : one_of_each<Message>()) {
        std::string const text = to_text(message);
        EXPECT_TRUE(names.insert(text.substr(0, text.find(' '))).second) << text;
    }
}

TEST(TextMessages, IndexBatchTellsSetsAndPackages) {
    IndexBatch batch;
    batch.last = 9;
    IndexEntry entry;
    entry.object = {"recipes", "a"};
    entry.set.push_back({revision(1, 2, 3), Rank::adopted, true});
    entry.held = entry.set.front().revision->id();
    entry.packages.push_back({entry.held, {}, true});
    entry.index = 9;
    batch.entries.push_back(entry);
    std::string const text = to_text(Message{batch});
    EXPECT_NE(text.find("rank=1 clock_wrong"), std::string::npos) << text;
    EXPECT_NE(text.find("{9 object=\"recipes/a\""), std::string::npos) << text;
}

TEST(TextMutations, EachBeginsWithItsName) {
    std::set<std::string> names;
    for (const Mutation& mutation : one_of_each<Mutation>()) {
        std::string const text = to_text(mutation);
        EXPECT_TRUE(names.insert(text.substr(0, text.find(' '))).second) << text;
    }
}

TEST(TextMutations, ObjectTellsItsUnfinishedBusiness) {
    ObjectRecord record;
    record.id = {"recipes", "a"};
    record.intent = Intent{};
    record.intent->revision = revision(1, 2, 3);
    record.seen_change = SeenChange{};
    record.kept.push_back({});
    std::string const text = to_text(Mutation{PutObject{record}});
    EXPECT_NE(text.find("intent={"), std::string::npos) << text;
    EXPECT_NE(text.find("seen_change={edit absent"), std::string::npos) << text;
    EXPECT_NE(text.find("kept={superseded"), std::string::npos) << text;
}

TEST(RecordEquality, ComparesRevisionsByContentNotByAddress) {
    KeptState a;
    KeptState b;
    a.revision = revision(1, 2, 3);
    b.revision = revision(1, 2, 3);
    EXPECT_TRUE(a == b);
    b.revision = revision(1, 2, 4);
    EXPECT_FALSE(a == b);
    b.revision = nullptr;
    EXPECT_FALSE(a == b);

    IndexEntry x;
    IndexEntry y;
    x.set.push_back({revision(1, 2, 3), Rank::plant, false});
    y.set.push_back({revision(1, 2, 3), Rank::plant, false});
    EXPECT_TRUE(x == y);
    y.set.front().clock_wrong = true;
    EXPECT_FALSE(x == y);
}

TEST(TextWords, ListingsUseTheDocumentedWords) {
    EXPECT_EQ(to_text(ObjectState::in_sync), "in_sync");
    EXPECT_EQ(to_text(StationState::searching), "searching");
    EXPECT_EQ(to_text(ProviderState::suspended), "suspended");
    EXPECT_EQ(to_text(HistoryWhat::newcomer_replaced), "newcomer_replaced");
    EXPECT_EQ(to_text(KeptReason::put_back), "put_back");
    EXPECT_EQ(to_text(JobStatus::no_space), "no_space");
}

} // namespace
} // namespace stationsync::core
