// A plugin that finds a restore broken off: what it tells, what it keeps, and when it settles it.
#include "component/sqlserver/sqlserver_station.hpp"

namespace stationsync::test {
namespace {

const std::string amount = "SELECT amount FROM plant.dbo.recipe WHERE id = 1";

class SqlServerSettle : public SqlServerPlugin {
protected:
    // An in-place restore that breaks off half-way and whose rescue is refused: the safety copy is
    // all that is left of the database.
    SqlStation& break_off() {
        SqlStation& made = station();
        exchange_ = folder_ / "exchange";
        std::filesystem::create_directories(exchange_);
        made.host().config["backup_folder"] = {exchange_.string()};
        made.host().config["restore"] = {"in-place"};
        made.make_database();
        made.start();
        made.object();
        fresh_ = made.export_to("fresh").mark;
        made.client().run("UPDATE plant.dbo.recipe SET amount = 9 WHERE id = 1");
        old_ = made.object().mark;
        EXPECT_NE(old_, fresh_);
        made.server().tell(R"("do":"fault","match":"^RESTORE DATABASE","stage":"data",)"
                           R"("percent":40,"action":"error","errors":[3203,3013],"times":1)");
        fail_rescues(-1);
        const ApplyOutcome applied = made.plugin().apply("plant", made.package("fresh"), old_, 7);
        EXPECT_NE(applied.status, STSYNC_OK);
        EXPECT_NE(made.client().text("SELECT state_desc FROM sys.databases WHERE name = N'plant'"),
                  "ONLINE");
        EXPECT_EQ(copies(), 1u);
        return made;
    }
    void fail_rescues(int times) {
        station_->server().tell(
            R"("do":"fault","match":"^RESTORE DATABASE.*safety","stage":"open","action":"error",)"
            R"("errors":[1222],"times":)" +
            std::to_string(times));
    }
    std::size_t copies() const {
        std::size_t count = 0;
        for (const auto& entry : std::filesystem::directory_iterator(exchange_))
            count += entry.path().filename().string().find("safety-") != std::string::npos ? 1 : 0;
        return count;
    }

    std::filesystem::path exchange_;
    sdk::Mark fresh_;
    sdk::Mark old_;
};

TEST_F(SqlServerSettle, TheOnlyCopyIsKeptOverStartsAtWhichItCannotBeRestored) {
    SqlStation& station = break_off();
    for (int start = 0; start < 2; ++start) {
        station.stop();
        FakeProvider again(sqlserver_library(), station.host());
        ASSERT_EQ(again.created().status, STSYNC_OK) << again.created().text;
        EXPECT_NE(again.recover().status, STSYNC_OK) << "the host shall try again";
        EXPECT_EQ(copies(), 1u);
    }
    station.server().tell(R"("do":"clear_faults")");
    station.start();
    EXPECT_EQ(station.client().text(amount), "9");
    EXPECT_EQ(station.object().mark, old_) << "no change of its own";
    EXPECT_EQ(copies(), 0u);
}

TEST_F(SqlServerSettle, AStartAtWhichTheLoginIsRefusedIsNoRecovery) {
    SqlStation& station = break_off();
    station.stop();
    station.server().tell(R"("do":"refuse_logins","number":18456,"times":-1)");
    {
        FakeProvider again(sqlserver_library(), station.host());
        ASSERT_EQ(again.created().status, STSYNC_OK) << again.created().text;
        EXPECT_NE(again.recover().status, STSYNC_OK);
        EXPECT_EQ(copies(), 1u);
    }
    station.server().tell(R"("do":"refuse_logins","times":0)");
    station.server().tell(R"("do":"clear_faults")");
    station.start();
    EXPECT_EQ(station.client().text(amount), "9");
}

TEST_F(SqlServerSettle, AScanSettlesWhatNoApplyComesBackFor) {
    SqlStation& station = break_off();
    // As long as that fails it is a fault, and no object that could be taken for dropped or new.
    const ScanOutcome broken = station.plugin().scan();
    EXPECT_EQ(broken.status, STSYNC_OK) << broken.text;
    EXPECT_TRUE(broken.objects.empty());
    ASSERT_TRUE(broken.faults.contains("plant"));
    EXPECT_EQ(station.plugin().export_object("plant", station.package("no")).status, STSYNC_BUSY);
    EXPECT_EQ(copies(), 1u);
    station.server().tell(R"("do":"clear_faults")");
    station.stop();
    FakeProvider again(sqlserver_library(), station.host());
    ASSERT_EQ(again.created().status, STSYNC_OK) << again.created().text;
    // Not even recovered: the first look settles it.
    const ScanOutcome settled = again.scan();
    EXPECT_TRUE(settled.faults.empty());
    ASSERT_TRUE(settled.objects.contains("plant"));
    EXPECT_EQ(settled.objects.at("plant").mark, old_);
    EXPECT_EQ(station.client().text(amount), "9");
    EXPECT_EQ(copies(), 0u);
}

} // namespace
} // namespace stationsync::test
