// Databases with AUTO_CLOSE, as Express makes them: no backups and no changes without an edit.
#include "component/sqlserver/sqlserver_station.hpp"

#include <thread>

namespace stationsync::test {
namespace {

const std::string amounts = "SELECT amount FROM plant.dbo.recipe ORDER BY id";

void expect_steady(SqlStation& station, const sdk::Mark& mark, const std::string& when) {
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(station.object().mark, mark) << when;
}

// A client that only reads; the database is open as long as it lives.
class Reader {
public:
    explicit Reader(SqlStation& station) : client_(station.client()) {
        client_.run("USE plant");
        client_.run("SELECT * FROM dbo.recipe");
    }

private:
    SqlClient client_;
};

class AutoCloseExport : public SqlServerPlugin, public ::testing::WithParamInterface<bool> {
protected:
    SqlStation& begin() {
        SqlStation& made = station();
        if (!GetParam())
            made.host().config["sum_below_mb"] = {"0"}; // as with a large database
        made.make_database("plant", true);
        made.start();
        return made;
    }
};

TEST_P(AutoCloseExport, OfAClosedDatabaseIsTheOnlyOne) {
    SqlStation& station = begin();
    station.object();
    const ExportOutcome exported = station.export_to("1");
    expect_steady(station, exported.mark, "closed again");
    EXPECT_EQ(station.export_to("2").mark, exported.mark) << "of a state that nobody opened";
    expect_steady(station, exported.mark, "after another one");
}

TEST_P(AutoCloseExport, OfAnOpenDatabaseIsTheOnlyOne) {
    SqlStation& station = begin();
    station.object();
    station.export_to("1");
    const Reader reader(station);
    const sdk::Mark opened = station.object().mark; // in doubt where the rows are not summed up
    const ExportOutcome exported = station.export_to("2");
    EXPECT_EQ(exported.mark, opened);
    expect_steady(station, exported.mark, "while it is open");
}

TEST_P(AutoCloseExport, AChangeDuringItIsFound) {
    SqlStation& station = begin();
    station.object();
    station.server().tell(
        R"("do":"fault","match":"^BACKUP","stage":"data","percent":40,"action":"hang")");
    ExportOutcome exported;
    std::thread export_thread([&] { exported = station.export_to("1"); });
    while (station.server().tell(R"("do":"sessions")").find("BACKUP") == std::string::npos)
        std::this_thread::yield();
    station.client().run("UPDATE plant.dbo.recipe SET amount = 9 WHERE id = 1");
    station.server().tell(R"("do":"release","id":1)");
    export_thread.join();
    EXPECT_NE(station.object().mark, exported.mark);
}

INSTANTIATE_TEST_SUITE_P(SqlServer, AutoCloseExport, ::testing::Bool(),
                         [](const auto& run) { return run.param ? "Summed" : "Large"; });

class AutoCloseStations : public ::testing::Test {
protected:
    AutoCloseStations() { use_test_drivers(); }
    ~AutoCloseStations() override {
        for (const auto& station : {a_.get(), b_.get()}) {
            if (station == nullptr)
                continue;
            station->stop();
            EXPECT_EQ(station->server().problems(), "");
        }
    }
    // Two stations with the first state of A, whose databases nobody uses.
    void begin(bool is_summed) {
        a_ = std::make_unique<SqlStation>(folder_ / "a");
        b_ = std::make_unique<SqlStation>(folder_ / "b");
        for (SqlStation* const station : {a_.get(), b_.get()})
            if (!is_summed)
                station->host().config["sum_below_mb"] = {"0"};
        a_->make_database("plant", true);
        a_->start();
        b_->start();
        a_->object();
        package_ = a_->export_to("0");
        const ApplyOutcome applied = apply("0", sdk::Mark());
        ASSERT_EQ(applied.status, STSYNC_OK) << applied.text;
        ASSERT_EQ(applied.mark, package_.mark);
    }
    ApplyOutcome apply(const std::string& package, const sdk::Mark& expected) {
        return b_->plugin().apply("plant", a_->package(package), expected, ++count_);
    }
    void change_a() {
        Reader reader(*a_);
        a_->client().run("UPDATE plant.dbo.recipe SET amount = amount + 1 WHERE id = 1");
        a_->object();
        package_ = a_->export_to("1");
    }

    TempFolder folder_;
    std::unique_ptr<SqlStation> a_;
    std::unique_ptr<SqlStation> b_;
    ExportOutcome package_;
    std::uint8_t count_ = 0;
};

TEST_F(AutoCloseStations, AnAppliedStateIsNoChangeOfItsFirstReader) {
    begin(true);
    expect_steady(*b_, package_.mark, "closed");
    {
        const Reader reader(*b_);
        expect_steady(*b_, package_.mark, "open");
    }
    expect_steady(*b_, package_.mark, "closed again");
    b_->start(); // the service
    const Reader reader(*b_);
    expect_steady(*b_, package_.mark, "open again");
    EXPECT_EQ(b_->export_to("again").digest, package_.digest);
    b_->client().run("UPDATE plant.dbo.recipe SET amount = 8 WHERE id = 1");
    EXPECT_NE(b_->object().mark, package_.mark);
}

TEST_F(AutoCloseStations, AStateComesToAClosedDatabase) {
    begin(true);
    change_a();
    const ApplyOutcome applied = apply("1", b_->object().mark);
    ASSERT_EQ(applied.status, STSYNC_OK) << applied.text;
    EXPECT_EQ(b_->client().text(amounts), "4\n5");
    expect_steady(*b_, package_.mark, "closed");
}

TEST_F(AutoCloseStations, ADoubtAboutAClosedDatabaseIsDecidedOnce) {
    begin(false);
    expect_steady(*b_, package_.mark, "closed");
    change_a();
    const sdk::Mark before = b_->object().mark;
    EXPECT_EQ(apply("1", before).status, STSYNC_CONFLICT) << "nobody knows who was in it";
    EXPECT_EQ(b_->client().text(amounts), "3\n5");
    const sdk::Object doubtful = b_->object();
    EXPECT_NE(doubtful.mark, before) << "something new to decide about";
    EXPECT_NE(doubtful.flags & STSYNC_OBJECT_TIME_UNCERTAIN, 0u);
    EXPECT_LT(doubtful.changed_at, a_->object().changed_at) << "it loses";
    const ApplyOutcome applied = apply("1", doubtful.mark);
    ASSERT_EQ(applied.status, STSYNC_OK) << applied.text;
    EXPECT_EQ(b_->client().text(amounts), "4\n5");
    expect_steady(*b_, package_.mark, "closed");
}

TEST_F(AutoCloseStations, AnEditBeforeTheDecisionIsNotOverwritten) {
    begin(false);
    change_a();
    EXPECT_EQ(apply("1", b_->object().mark).status, STSYNC_CONFLICT);
    const sdk::Mark doubtful = b_->object().mark;
    b_->client().run("UPDATE plant.dbo.recipe SET amount = 6 WHERE id = 2");
    EXPECT_EQ(apply("1", doubtful).status, STSYNC_CONFLICT);
    EXPECT_EQ(b_->client().text(amounts), "3\n6");
    EXPECT_NE(b_->object().mark, doubtful);
}

} // namespace
} // namespace stationsync::test
