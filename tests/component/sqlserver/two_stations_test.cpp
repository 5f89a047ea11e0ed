// The whole way of a state: from a server to another one, through the plugin of each.
#include "component/sqlserver/sqlserver_station.hpp"

namespace stationsync::test {
namespace {

const std::string amounts = "SELECT amount FROM plant.dbo.recipe ORDER BY id";

class TwoStations : public ::testing::Test {
protected:
    TwoStations() {
        use_test_drivers();
        a_ = std::make_unique<SqlStation>(folder_ / "a");
        b_ = std::make_unique<SqlStation>(folder_ / "b");
        a_->make_database();
        a_->start();
        b_->start();
    }
    ~TwoStations() override {
        for (const auto& station : {a_.get(), b_.get()}) {
            station->stop();
            EXPECT_EQ(station->server().problems(), "");
        }
    }
    // Brings the state of one station to the other, as the host does.
    ApplyOutcome carry(SqlStation& from, SqlStation& to, const sdk::Mark& expected) {
        const std::string name = std::to_string(++count_);
        exported_ = from.export_to(name);
        const VerifyOutcome verified = to.plugin().verify("plant", from.package(name));
        EXPECT_EQ(verified.status, STSYNC_OK) << verified.text;
        EXPECT_EQ(verified.digest, exported_.digest);
        ApplyOutcome applied = to.plugin().apply("plant", from.package(name), expected, count_);
        EXPECT_EQ(applied.status, STSYNC_OK) << applied.text;
        return applied;
    }

    TempFolder folder_;
    std::unique_ptr<SqlStation> a_;
    std::unique_ptr<SqlStation> b_;
    ExportOutcome exported_;
    std::uint8_t count_ = 0;
};

TEST_F(TwoStations, AnAppliedStateIsNoChangeOfItsOwn) {
    a_->object();
    const ApplyOutcome applied = carry(*a_, *b_, sdk::Mark());
    EXPECT_EQ(b_->client().text(amounts), "3\n5");
    for (int i = 0; i < 10; ++i)
        ASSERT_EQ(b_->object().mark, applied.mark);
    EXPECT_EQ(b_->object().changed_at, applied.changed_at);
    b_->start(); // the service
    EXPECT_EQ(b_->object().mark, applied.mark);
    b_->server().tell(R"("do":"restart")");
    EXPECT_EQ(b_->object().mark, applied.mark);
    EXPECT_EQ(b_->object().content_digest, exported_.digest);
    EXPECT_EQ(b_->export_to("again").digest, exported_.digest) << "equal content, equal digest";
}

TEST_F(TwoStations, AChangeAfterAnApplyIsFoundAndGoesBack) {
    a_->object();
    const ApplyOutcome applied = carry(*a_, *b_, sdk::Mark());
    b_->client().run("UPDATE plant.dbo.recipe SET amount = 8 WHERE id = 1");
    EXPECT_NE(b_->object().mark, applied.mark);
    const ApplyOutcome back = carry(*b_, *a_, a_->object().mark);
    EXPECT_EQ(a_->client().text(amounts), "8\n5");
    EXPECT_EQ(a_->object().mark, back.mark);
    EXPECT_EQ(a_->object().mark, b_->object().mark) << "one state, one name";
}

TEST_F(TwoStations, AStateThatNobodyDecidedAboutIsNotOverwritten) {
    a_->object();
    const ApplyOutcome applied = carry(*a_, *b_, sdk::Mark());
    a_->client().run("UPDATE plant.dbo.recipe SET amount = 7 WHERE id = 1");
    a_->object();
    a_->export_to("late");
    b_->client().run("UPDATE plant.dbo.recipe SET amount = 6 WHERE id = 1");
    const ApplyOutcome refused = b_->plugin().apply("plant", a_->package("late"), applied.mark, 99);
    EXPECT_EQ(refused.status, STSYNC_CONFLICT) << refused.text;
    EXPECT_EQ(b_->client().text(amounts), "6\n5");
}

} // namespace
} // namespace stationsync::test
