#include "job_outcome.hpp"

#include "scripted_session.hpp"
#include "support/fake_host.hpp"

#include <stationsync/error.hpp>

namespace stationsync::sqlserver {
namespace {

using test::error;
using test::failed;
using test::information;

const Diagnostic processed = information(3014, "BACKUP DATABASE successfully processed 370 pages");
const Diagnostic percent = information(3211, "50 percent processed.");
const Diagnostic cancelled = error(0, "Operation canceled", "HY008");

Answer complete(std::vector<Diagnostic> messages) {
    Answer answer;
    answer.messages = std::move(messages);
    return answer;
}

TEST(JobClaim, NeedsMessage3014) {
    EXPECT_EQ(claim_of(complete({percent, processed})), JobClaim::success);
    // Left early by a driver, a statement ends without any error.
    EXPECT_EQ(claim_of(complete({percent})), JobClaim::unclear);
    EXPECT_EQ(claim_of(complete({})), JobClaim::unclear);
}

TEST(JobClaim, AnErrorCountsWhateverElseWasSaidAndInWhateverOrder) {
    EXPECT_EQ(claim_of(failed({error(3201), error(3013)})), JobClaim::failure);
    EXPECT_EQ(claim_of(failed({error(3203), processed})), JobClaim::failure);
    EXPECT_EQ(claim_of(complete({processed, error(3414)})), JobClaim::failure);
    EXPECT_EQ(claim_of(failed({error(3013)})), JobClaim::failure);
}

TEST(JobClaim, ALateCancelThatSucceededIsRecognised) {
    EXPECT_EQ(claim_of(failed({cancelled, percent, processed}, Ending::cancelled)),
              JobClaim::success);
    EXPECT_EQ(claim_of(failed({error(0, "Timeout expired", "HYT00"), processed}, Ending::late)),
              JobClaim::success);
    EXPECT_EQ(claim_of(failed({cancelled, error(3204), error(3013)}, Ending::cancelled)),
              JobClaim::unclear);
    EXPECT_EQ(claim_of(failed({cancelled}, Ending::cancelled)), JobClaim::unclear);
}

TEST(JobClaim, ALostConnectionTellsNothing) {
    EXPECT_EQ(claim_of(failed({error(20017, "EOF", "08S01")}, Ending::lost)), JobClaim::unclear);
    EXPECT_EQ(claim_of(failed({}, Ending::lost)), JobClaim::unclear);
}

TEST(RestoreOutcome, NeedsTheClaimAndTheState) {
    const DatabaseState online{"ONLINE", "RESTRICTED_USER", false};
    EXPECT_TRUE(is_restored(JobClaim::success, online));
    EXPECT_FALSE(is_restored(JobClaim::success, DatabaseState{"RESTORING", "MULTI_USER", false}));
    EXPECT_FALSE(is_restored(JobClaim::success, DatabaseState{"ONLINE", "MULTI_USER", true}));
    EXPECT_FALSE(is_restored(JobClaim::success, std::nullopt));
    EXPECT_FALSE(is_restored(JobClaim::unclear, online));
    EXPECT_FALSE(is_restored(JobClaim::failure, online));
}

TEST(DatabaseStateQuestion, IsAskedByNameInQuotes) {
    test::ScriptedSession session;
    session.expect("sys.databases WHERE name = N'a''b'",
                   test::one_row({{"state_desc", "OFFLINE"},
                                  {"user_access_desc", "MULTI_USER"},
                                  {"is_in_standby", "0"}}));
    const auto state = ask_database_state(session, "a'b", nullptr);
    ASSERT_TRUE(state);
    EXPECT_EQ(state->state, "OFFLINE");
    EXPECT_FALSE(state->is_online());
    Answer none = test::one_row({{"state_desc", ""}});
    none.results.front().rows.clear();
    session.expect("sys.databases", none);
    EXPECT_FALSE(ask_database_state(session, "gone", nullptr));
}

TEST(DatabaseStateQuestion, ThatCannotBeAskedIsAFailure) {
    test::ScriptedSession session;
    session.expect("sys.databases", failed({error(20017, "EOF", "08S01")}, Ending::lost));
    try {
        ask_database_state(session, "x", nullptr);
        ADD_FAILURE();
    } catch (const sdk::Error& failure) {
        EXPECT_EQ(failure.status(), STSYNC_BUSY);
    }
    EXPECT_FALSE(session.is_usable());
    stationsync::test::FakeOp op;
    op.cancel_at_poll(1);
    const sdk::Op running(op.abi());
    EXPECT_THROW(ask_database_state(session, "x", &running), sdk::Cancelled);
}

TEST(StallWatch, WaitsForAsLongAsSomethingMoves) {
    using std::chrono::minutes;
    StallWatch watch{minutes(5)};
    const std::chrono::steady_clock::time_point start{};
    EXPECT_FALSE(watch.is_stalled(0, start));
    EXPECT_FALSE(watch.is_stalled(0, start + minutes(4)));
    EXPECT_FALSE(watch.is_stalled(1, start + minutes(6)));
    EXPECT_FALSE(watch.is_stalled(1, start + minutes(10)));
    EXPECT_TRUE(watch.is_stalled(1, start + minutes(11)));
    // RESTORE begins again at 0 % after the files are made.
    EXPECT_FALSE(watch.is_stalled(0, start + minutes(12)));
}

} // namespace
} // namespace stationsync::sqlserver
