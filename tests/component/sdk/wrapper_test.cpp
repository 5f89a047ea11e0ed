// What the C++ wrapper promises at the edge of the ABI.
#include "support/fake_plugin.hpp"
#include "support/temp_folder.hpp"

#include <gtest/gtest.h>

#include <cstddef>

namespace stationsync::test {
namespace {

class Wrapper : public testing::Test {
protected:
    Outcome recover_in(const std::string& mode) {
        FakeOp op;
        return recover_in(mode, op);
    }
    Outcome recover_in(const std::string& mode, FakeOp& op) {
        host_.config["mode"] = {mode};
        FakeProvider provider(library_, host_);
        return provider.recover(op);
    }

    FakeHost host_;
    FakeLibrary library_{STATIONSYNC_ODD_PLUGIN};
};

TEST_F(Wrapper, ExceptionsBecomeStatusAndText) {
    EXPECT_EQ(recover_in("error").status, STSYNC_BUSY);
    EXPECT_EQ(recover_in("error").text, "The server is away.");
    EXPECT_EQ(recover_in("bad_alloc").status, STSYNC_INTERNAL);
    EXPECT_EQ(recover_in("disk_full").status, STSYNC_NO_SPACE);
    EXPECT_EQ(recover_in("int").status, STSYNC_INTERNAL);
}

TEST_F(Wrapper, ExceptionInTheConstructorBecomesAFailedCreate) {
    host_.config["mode"] = {"create"};
    const FakeProvider provider(library_, host_);
    EXPECT_EQ(provider.created().status, STSYNC_INTERNAL);
    EXPECT_FALSE(provider.created().text.empty());
}

TEST_F(Wrapper, CancelAndDeadlineEndTheCallWithTheirStatus) {
    FakeOp cancelled;
    cancelled.cancel_at_poll(10);
    EXPECT_EQ(recover_in("poll", cancelled).status, STSYNC_CANCELLED);
    EXPECT_EQ(cancelled.polls(), 10u);
    FakeOp late;
    late.cancel_at_poll(3, STSYNC_TIMEOUT);
    EXPECT_EQ(recover_in("poll", late).status, STSYNC_TIMEOUT);
}

TEST_F(Wrapper, CommitIsRefusedAfterCancel) {
    FakeOp op;
    op.cancel_at_poll(1);
    op.abi()->cancelled(op.abi());
    EXPECT_EQ(recover_in("commit", op).status, STSYNC_CANCELLED);
    EXPECT_FALSE(op.is_committed());
}

TEST_F(Wrapper, HostServicesArePassedThrough) {
    host_.config["list"] = {"x", "y", "z"};
    host_.secrets["password"] = "s3cret";
    ASSERT_EQ(recover_in("services").status, STSYNC_OK);
    ASSERT_EQ(host_.log().size(), 1u);
    EXPECT_EQ(host_.log()[0].text, "3 s3cret gone same");
}

TEST_F(Wrapper, MissingServicesDoNotStopAPlugin) {
    host_.missing = {STSYNC_HOST_LOG_V1, STSYNC_HOST_SECRETS_V1, STSYNC_HOST_STAGING_V1,
                     STSYNC_HOST_CLOCK_V1, STSYNC_HOST_KV_V1};
    EXPECT_EQ(recover_in("").status, STSYNC_OK);
}

TEST_F(Wrapper, ScanOfKeysGivesTheseOnly) {
    FakeProvider provider(library_, host_);
    const auto some = provider.scan_keys({"b", "d", "x"});
    EXPECT_EQ(some.objects.size(), 1u);
    EXPECT_EQ(some.objects.count("b"), 1u);
    EXPECT_EQ(some.faults.at("d").code, STSYNC_BUSY);
    EXPECT_EQ(provider.scan().objects.size(), 3u);
    EXPECT_TRUE(provider.scan_keys({}).objects.empty());
}

TEST_F(Wrapper, SinkThatStopsEndsTheScan) {
    FakeProvider provider(library_, host_);
    struct Counter {
        int objects = 0;
        static stsync_status object(void* ctx, const stsync_object*) noexcept {
            return ++static_cast<Counter*>(ctx)->objects == 2 ? STSYNC_STOPPED_BY_SINK : STSYNC_OK;
        }
        static stsync_status fault(void*, const stsync_fault*) noexcept { return STSYNC_OK; }
    } counter;
    const stsync_object_sink sink{sizeof sink, 0, &counter, &Counter::object, &Counter::fault};
    const stsync_scan_scope all{sizeof all, STSYNC_SCOPE_ALL, 0, 0, nullptr, 0};
    FakeOp op;
    EXPECT_EQ(provider.table()->scan(provider.instance(), op.abi(), &all, &sink),
              STSYNC_STOPPED_BY_SINK);
    EXPECT_EQ(counter.objects, 2);
}

TEST_F(Wrapper, SelfTestGivesFindingsWithRemedy) {
    FakeProvider provider(library_, host_);
    ASSERT_TRUE(provider.has_self_test());
    const auto outcome = provider.self_test();
    ASSERT_EQ(outcome.findings.size(), 1u);
    EXPECT_EQ(outcome.findings[0].remedy, "Update it.");
}

TEST_F(Wrapper, TokensAreJudgedTheSameWayOnBothSides) {
    FakeProvider provider(library_, host_);
    const auto own = provider.compat();
    EXPECT_TRUE(provider.check_compat(own).empty());

    auto other_server = own;
    other_server[0].value = "16.0.5";
    const auto reasons = provider.check_compat(other_server);
    ASSERT_EQ(reasons.size(), 1u);
    EXPECT_EQ(reasons[0], "server is 16.0.4 here and 16.0.5 there");

    auto old_driver = own;
    old_driver[1].value = "17.9";
    EXPECT_EQ(provider.check_compat(old_driver).size(), 1u);
    old_driver[1].value = "17.10";
    EXPECT_TRUE(provider.check_compat(old_driver).empty());

    EXPECT_FALSE(provider.check_compat({}).empty());
    auto more = own;
    more.push_back({STSYNC_TOKEN_EXACT, "collation", "x"});
    EXPECT_EQ(provider.check_compat(more).size(), 1u);
}

TEST_F(Wrapper, SmallerStructOfTheHostIsNotOverrun) {
    FakeProvider provider(library_, host_);
    // A host that knows size and mark only; what lies behind them is not the plugin's.
    stsync_export_result raw{};
    raw.size = offsetof(stsync_export_result, byte_count);
    raw.byte_count = 0xCCCC;
    const TempFolder folder;
    FakeOp op;
    const std::string path = (folder / "p").string();
    ASSERT_EQ(provider.table()->export_object(provider.instance(), op.abi(), sdk::to_abi("a"),
                                              sdk::to_abi(path), &raw),
              STSYNC_OK);
    EXPECT_EQ(raw.mark.len, 32);
    EXPECT_EQ(raw.byte_count, 0xCCCCu);
    EXPECT_EQ(raw.size, offsetof(stsync_export_result, byte_count));
}

} // namespace
} // namespace stationsync::test
