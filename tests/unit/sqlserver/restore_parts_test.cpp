// The small parts of a restore that decide without a server.
#include "baseline.hpp"
#include "exchange_folder.hpp"
#include "job_progress.hpp"
#include "preconditions.hpp"
#include "restore_journal.hpp"
#include "scripted_session.hpp"
#include "support/fake_host.hpp"
#include "support/temp_folder.hpp"
#include "write_traces.hpp"

namespace stationsync::sqlserver::test {
namespace {

namespace st = ::stationsync::test;

TEST(ExchangeFolder, ASafetyCopyIsNoLeftover) {
    const st::TempFolder folder;
    ProviderSettings settings;
    settings.backup_folder = folder.path();
    const ExchangeFolder exchange(settings, "tag");
    const auto copy = folder / (exchange.safety_prefix() + "plant-1.bak");
    const auto package = folder / (exchange.prefix() + "0123.bak");
    const auto of_others = folder / "stationsync-other-0123.bak";
    for (const auto& each : {copy, package, of_others})
        st::write_file(each, "x");
    exchange.remove_leftovers();
    EXPECT_TRUE(std::filesystem::exists(copy)) << "it may be all that is left of a database";
    EXPECT_FALSE(std::filesystem::exists(package));
    EXPECT_TRUE(std::filesystem::exists(of_others));
}

TEST(RestoreJournal, AnIntentComesBackAsItWasPut) {
    st::FakeHost host;
    RestoreJournal journal{sdk::Host(host.abi())};
    EXPECT_FALSE(journal.has_open());
    Intent intent;
    intent.key = "plant";
    intent.step = RestoreStep::replaced;
    intent.before = std::string("a\nb\\n\0c", 7);
    intent.session = 77;
    intent.was_taken_offline = true;
    journal.put(intent);
    EXPECT_EQ(journal.find("plant"), intent);
    EXPECT_TRUE(journal.has_open());
    journal.remove("plant");
    EXPECT_FALSE(journal.has_open());
}

class OneMonitor final : public SqlServer {
public:
    Opened open(SessionRole, const sdk::Op*) override {
        Opened opened;
        auto session = std::make_unique<ScriptedSession>();
        for (const auto& [percent, reads] : says)
            session->expect("dm_exec_requests", one_row({{"percent_complete", percent},
                                                         {"wait_type", "BACKUPIO"},
                                                         {"reads", reads},
                                                         {"writes", "0"}}));
        opened.session = std::move(session);
        return opened;
    }
    std::vector<std::pair<std::string, std::string>> says;
};

TEST(JobProgress, ThePhasesThatCountNothingAreNeverTakenForAStall) {
    OneMonitor server;
    server.says = {{"0", "0"}, {"0", "0"}, {"100", "0"}, {"100", "0"}, {"50", "0"}};
    JobProgress progress(server, 55, nullptr, "restoring", std::chrono::seconds(0));
    for (int i = 0; i < 4; ++i)
        EXPECT_TRUE(progress.tick()) << i;
    EXPECT_EQ(progress.stalled(), "");
    EXPECT_FALSE(progress.tick());
    EXPECT_NE(progress.stalled().find("no progress with restoring"), std::string::npos)
        << progress.stalled();
}

WriteTraces traces(std::int64_t updates, LocalTime last, const std::string& rows) {
    WriteTraces found;
    found.usage = {updates, last};
    found.fingerprint.parts = {{"rows", rows}};
    return found;
}

TEST(WriteTraces, CountersThatBeganAnewTellNothingByThemselves) {
    Evidence before;
    before.usage = {10, 1000};
    before.fingerprint.parts = {{"rows", "5"}};
    EXPECT_FALSE(were_written(before, traces(10, 1000, "5")));
    EXPECT_TRUE(were_written(before, traces(11, 1000, "5")));
    EXPECT_TRUE(were_written(before, traces(1, 1001, "5"))) << "after a restart";
    EXPECT_TRUE(were_written(before, traces(10, 1000, "6")));
    WriteTraces closed = traces(0, 0, "5");
    closed.usage = {};
    EXPECT_FALSE(were_written(before, closed)) << "AUTO_CLOSE emptied them";
}

} // namespace
} // namespace stationsync::sqlserver::test
