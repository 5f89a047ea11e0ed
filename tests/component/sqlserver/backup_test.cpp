// What an export writes, and what happens when it cannot.
#include "component/sqlserver/sqlserver_station.hpp"

#include "backup_header.hpp"
#include "package_label.hpp"
#include "quoting.hpp"

#include <algorithm>
#include <thread>

namespace stationsync::test {
namespace {

class SqlServerBackup : public SqlServerPlugin {
protected:
    SqlStation& begin(const std::string& version = "2019", const std::string& edition = "express") {
        SqlStation& made = station(version, edition);
        made.make_database();
        made.start();
        return made;
    }
    static void fault(SqlStation& station, const std::string& fields) {
        station.server().tell("\"do\":\"fault\"," + fields);
    }
};

TEST_F(SqlServerBackup, IsOneCopyOnlySetWithChecksumsThatSaysWhatItIs) {
    SqlStation& station = begin();
    const sdk::Object object = station.object();
    const std::string base = "SELECT differential_base_lsn FROM plant.sys.database_files "
                             "WHERE type = 0";
    const std::string before = station.client().text(base);
    const ExportOutcome exported = station.export_to("1.part");
    EXPECT_EQ(exported.mark, object.mark);
    EXPECT_EQ(station.client().text(base), before);
    EXPECT_EQ(station.files(), std::set<std::string>{"1.part"});

    const std::string file = sql::quoted_path(station.package("1.part").string());
    const sql::Answer header = station.client().run("RESTORE HEADERONLY FROM DISK = " + file);
    const sql::BackupHeader read = sql::parse_header(header.row());
    EXPECT_EQ(read.database, "plant");
    EXPECT_EQ(read.kind, 1);
    EXPECT_TRUE(read.is_copy_only);
    EXPECT_TRUE(read.has_checksums);
    const auto label = sql::parse_package_label(read.description);
    ASSERT_TRUE(label) << read.description;
    EXPECT_EQ(read.name, sql::to_text(label->content));
    EXPECT_EQ(label->changed_at, object.changed_at);
    EXPECT_EQ(sql::mark_of(label->content), object.mark);

    const VerifyOutcome verified = station.plugin().verify("plant", station.package("1.part"));
    EXPECT_EQ(verified.status, STSYNC_OK) << verified.text;
    EXPECT_EQ(verified.digest, exported.digest);
    EXPECT_EQ(station.object().mark, object.mark) << "our own backup is no change";
}

TEST_F(SqlServerBackup, HostileNamesAreOnlyNames) {
    const std::vector<std::string> names = {"a]b", "x'y", "Žluť😀", "a;b--", std::string(128, 'n')};
    SqlStation& station = this->station();
    station.host().config["databases"] = names;
    for (const std::string& name : names) {
        SqlClient client = station.client();
        const std::string quoted = sql::quoted_name(name);
        client.run("CREATE DATABASE " + quoted);
        client.run("CREATE TABLE " + quoted + ".dbo.t (id int)");
    }
    station.start();
    for (const std::string& name : names) {
        const sdk::Object object = station.object(name);
        EXPECT_EQ(station.export_to("p", name).mark, object.mark) << name;
        EXPECT_EQ(station.plugin().verify(name, station.package("p")).status, STSYNC_OK) << name;
        std::filesystem::remove(station.package("p"));
    }
    FakeHost other;
    other.config = station.host().config;
    other.config["databases"] = {std::string(129, 'n')};
    EXPECT_EQ(FakeProvider(sqlserver_library(), other).created().status, STSYNC_INVALID_ARG);
}

TEST_F(SqlServerBackup, AChangeMeanwhileIsFollowedByAnotherBackup) {
    SqlStation& station = begin();
    const sdk::Object object = station.object();
    fault(station, R"("match":"^BACKUP","stage":"data","percent":40,"action":"hang")");
    ExportOutcome exported;
    std::thread export_thread([&] { exported = station.export_to("1.part"); });
    while (station.server().tell(R"("do":"sessions")").find("BACKUP") == std::string::npos)
        std::this_thread::yield();
    station.client().run("UPDATE plant.dbo.recipe SET amount = 9 WHERE id = 1");
    station.server().tell(R"("do":"release","id":1)");
    export_thread.join();
    EXPECT_EQ(exported.mark, object.mark);
    const sdk::Mark after = station.object().mark;
    EXPECT_NE(after, exported.mark);
    EXPECT_EQ(station.export_to("2.part").mark, after);
}

TEST_F(SqlServerBackup, ItsProgressIsToldWhileTheWorkerWaits) {
    SqlStation& station = begin();
    fault(station, R"("match":"^BACKUP","stage":"data","action":"slow","seconds":0.1)");
    FakeOp op;
    const ExportOutcome exported =
        station.plugin().export_object(op, "plant", station.package("1.part"));
    EXPECT_EQ(exported.status, STSYNC_OK) << exported.text;
    EXPECT_GT(op.progress_calls(), 0u);
    expect_monotone(op.progress());
    // It is asked for while the job runs, not told at its end.
    const auto is_half = [](const FakeOp::Progress& each) {
        return each.done > 0 && each.done < 100;
    };
    EXPECT_TRUE(std::any_of(op.progress().begin(), op.progress().end(), is_half));
}

TEST_F(SqlServerBackup, AScanThatBeganBeforeItChangesNothingAfterIt) {
    SqlStation& station = begin();
    const sdk::Mark first = station.object().mark;
    station.client().run("USE plant; CHECKPOINT"); // so that the scan looks inside
    fault(station, R"("match":"newest_object","stage":"start","action":"hang")");
    ScanOutcome scan;
    std::thread scan_thread([&] { scan = station.plugin().scan(); });
    while (station.server().tell(R"("do":"sessions")").find("SELECT") == std::string::npos)
        std::this_thread::yield();
    station.client().run("UPDATE plant.dbo.recipe SET amount = 9 WHERE id = 1");
    const ExportOutcome exported = station.export_to("1");
    EXPECT_NE(exported.mark, first);
    station.server().tell(R"("do":"release","id":1)");
    scan_thread.join();
    EXPECT_EQ(scan.objects.at("plant").mark, exported.mark) << "what is stored is the answer";
    EXPECT_EQ(station.object().mark, exported.mark);
}

TEST_F(SqlServerBackup, OfWhatIsNotCountedIsTheOnlyOne) {
    for (const std::string sum_below_mb : {"64", "0"}) {
        SqlStation station(folder_ / ("sum" + sum_below_mb));
        station.host().config["sum_below_mb"] = {sum_below_mb};
        station.make_database();
        station.client().run("DBCC TRACEON(2330, -1) WITH NO_INFOMSGS");
        station.start();
        const sdk::Mark mark = station.object().mark;
        EXPECT_EQ(station.export_to("1").mark, mark) << sum_below_mb;
        for (int i = 0; i < 3; ++i)
            EXPECT_EQ(station.object().mark, mark) << sum_below_mb;
        if (sum_below_mb == "0") {
            EXPECT_EQ(station.host().count_log("sqlserver.not_counted"), 1u);
        } else { // the rows tell
            station.client().run("USE plant; CHECKPOINT");
            EXPECT_EQ(station.object().mark, mark);
            station.client().run("UPDATE plant.dbo.recipe SET amount = 9 WHERE id = 1");
            EXPECT_NE(station.object().mark, mark);
        }
        station.stop();
        EXPECT_EQ(station.server().problems(), "");
    }
}

TEST_F(SqlServerBackup, LeavesNothingBehindWhenItFails) {
    SqlStation& station = begin();
    const sdk::Mark mark = station.object().mark;
    for (const std::string how :
         {R"("stage":"data","percent":40,"action":"error","errors":[3202,3013])",
          R"("stage":"start","action":"late_error","results":3,"errors":[3271,3013])",
          R"("stage":"data","percent":60,"action":"drop")"}) {
        fault(station, R"("match":"^BACKUP",)" + how);
        const ExportOutcome failed = station.plugin().export_object("plant", station.package("1"));
        EXPECT_NE(failed.status, STSYNC_OK) << how;
        EXPECT_FALSE(failed.text.empty());
        EXPECT_TRUE(station.files().empty()) << how;
        EXPECT_EQ(station.object().mark, mark) << how;
    }
    station.export_to("1");
}

TEST_F(SqlServerBackup, AFullDiskIsToldAndTriedAgain) {
    SqlStation& station = begin();
    station.server().tell(R"("do":"volume","path":")" + station.package("").string() +
                          R"(","free":1000)");
    const ExportOutcome failed = station.plugin().export_object("plant", station.package("1"));
    EXPECT_EQ(failed.status, STSYNC_NO_SPACE) << failed.text;
    EXPECT_TRUE(station.files().empty());
    station.server().tell(R"("do":"clear_faults")");
    station.export_to("1");
}

TEST_F(SqlServerBackup, ACancelledOneEndsSoon) {
    SqlStation& station = begin();
    station.server().tell(R"("do":"allow_attentions","count":5)");
    fault(station, R"("match":"^BACKUP","stage":"data","percent":40,"action":"hang")");
    FakeOp op;
    const auto since = std::chrono::steady_clock::now();
    std::thread canceller([&] {
        while (station.server().tell(R"("do":"sessions")").find("BACKUP") == std::string::npos)
            std::this_thread::yield();
        op.cancel_at_poll(1);
    });
    const ExportOutcome ended = station.plugin().export_object(op, "plant", station.package("1"));
    canceller.join();
    EXPECT_EQ(ended.status, STSYNC_CANCELLED) << ended.text;
    EXPECT_LT(std::chrono::steady_clock::now() - since, std::chrono::seconds(10));
    EXPECT_TRUE(station.files().empty());
    station.export_to("1");
}

TEST_F(SqlServerBackup, CompressesWhereTheEditionCan) {
    SqlStation& station = this->station("2019", "standard");
    station.host().config["compression"] = {"true"};
    station.make_database();
    station.start();
    fault(station,
          R"("match":" COMPRESSION","stage":"start","action":"error","errors":[1844,3013])");
    station.object();
    station.export_to("1");
    const std::string journal = station.journal();
    EXPECT_NE(journal.find(", COMPRESSION"), std::string::npos);
    EXPECT_NE(journal.find(", NO_COMPRESSION"), std::string::npos);
}

TEST_F(SqlServerBackup, AFolderThatTheServerMayNotUseIsToldWithTheLineToType) {
    SqlStation& station = begin();
    station.server().tell(R"("do":"folder","path":")" + station.package("").string() +
                          R"(","readable":false,"writable":false)");
    const ExportOutcome failed = station.plugin().export_object("plant", station.package("1"));
    EXPECT_EQ(failed.status, STSYNC_DENIED);
    EXPECT_NE(failed.text.find("setfacl"), std::string::npos) << failed.text;
    const ScanOutcome scan = station.plugin().scan();
    ASSERT_EQ(scan.faults.size(), 1u);
    EXPECT_TRUE(scan.faults.begin()->second.is_subtree);
    EXPECT_NE(scan.faults.begin()->second.text.find("setfacl"), std::string::npos);
    station.server().tell(R"("do":"clear_faults")");
    station.object();
    station.export_to("1");
}

TEST_F(SqlServerBackup, AForeignFileIsNoPackage) {
    SqlStation& station = begin();
    station.object();
    station.export_to("good");
    write_file(station.package("empty"), "");
    write_file(station.package("zip"), "PK\x03\x04 and so on");
    std::string bytes = read_file(station.package("good"));
    write_file(station.package("short"), bytes.substr(0, bytes.size() / 2));
    bytes[bytes.size() * 3 / 4] = static_cast<char>(bytes[bytes.size() * 3 / 4] ^ 1);
    write_file(station.package("bit"), bytes);
    const std::string foreign = sql::quoted_path(station.package("foreign").string());
    station.client().run("BACKUP DATABASE plant TO DISK = " + foreign +
                         " WITH COPY_ONLY, FORMAT, INIT, CHECKSUM");
    for (const std::string name : {"empty", "zip", "short", "bit", "foreign"}) {
        const VerifyOutcome verified = station.plugin().verify("plant", station.package(name));
        EXPECT_EQ(verified.status, STSYNC_CORRUPT) << name << ": " << verified.text;
    }
}

} // namespace
} // namespace stationsync::test
