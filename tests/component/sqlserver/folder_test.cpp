// The rights of SQL Server's own account on the folders of packages.
#include "component/sqlserver/sqlserver_station.hpp"

namespace stationsync::test {
namespace {

class SqlServerFolder : public SqlServerPlugin {
protected:
    void deny(SqlStation& station, const std::filesystem::path& folder) {
        station.server().tell(R"("do":"folder","path":")" + folder.string() +
                              R"(","readable":false,"writable":false)");
    }
    // A station that has fetched packages, but has made none.
    SqlStation& receiver() {
        SqlStation& made = station();
        made.host().config["@packages"] = {made.folder() / "sync"};
        made.host().config["@project"] = {"plant"};
        made.host().config["@name"] = {"batchdb"};
        fetched_ = made.folder() / "sync" / "plant" / "batchdb";
        std::filesystem::create_directories(fetched_ / "object");
        return made;
    }
    std::string line(SqlStation& station) {
        return "'" + (station.folder() / "sync").string() + "'";
    }

    std::filesystem::path fetched_;
};

TEST_F(SqlServerFolder, ThatAReceiverReadsFromIsTriedAtTheStart) {
    SqlStation& station = receiver();
    for (const auto& closed : {station.folder() / "sync", fetched_}) {
        deny(station, closed);
        station.start();
        const ScanOutcome scan = station.plugin().scan();
        ASSERT_EQ(scan.faults.size(), 1u) << closed;
        const auto& fault = scan.faults.begin()->second;
        EXPECT_TRUE(fault.is_subtree);
        EXPECT_NE(fault.text.find("setfacl -R"), std::string::npos) << fault.text;
        EXPECT_NE(fault.text.find(line(station)), std::string::npos)
            << "the folder that hands its rights down: " << fault.text;
        EXPECT_EQ(fault.text.find(line(station).substr(0, line(station).size() - 1) + "/plant"),
                  std::string::npos)
            << fault.text;
        bool is_in_doctor = false;
        for (const auto& finding : station.plugin().self_test().findings)
            is_in_doctor = is_in_doctor || (finding.code == "sqlserver.folder" &&
                                            finding.severity == STSYNC_FINDING_ERROR);
        EXPECT_TRUE(is_in_doctor) << closed;
        station.server().tell(R"("do":"clear_faults")");
        EXPECT_TRUE(station.plugin().scan().faults.empty());
    }
    EXPECT_TRUE(std::filesystem::is_empty(fetched_ / "object"));
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(fetched_), {}), 1)
        << "no probe is left";
}

TEST_F(SqlServerFolder, OfAFetchedPackageIsToldWithAccountAndLine) {
    SqlStation& station = receiver();
    station.make_database();
    station.start();
    station.object();
    station.export_to("1");
    const auto package = fetched_ / "object" / "1.bak";
    std::filesystem::copy_file(station.package("1"), package);
    deny(station, fetched_ / "object");
    const VerifyOutcome verified = station.plugin().verify("plant", package);
    EXPECT_EQ(verified.status, STSYNC_DENIED);
    const ApplyOutcome applied = station.plugin().apply("plant", package, sdk::Mark(), 1);
    EXPECT_EQ(applied.status, STSYNC_DENIED);
    for (const std::string& text : {verified.text, applied.text}) {
        EXPECT_NE(text.find("setfacl -R -m u:"), std::string::npos) << text;
        EXPECT_NE(text.find(line(station)), std::string::npos) << text;
        EXPECT_NE(text.find(package.string()), std::string::npos) << text;
    }
}

} // namespace
} // namespace stationsync::test
