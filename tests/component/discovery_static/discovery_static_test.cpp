// The plugin as the service loads it.
#include "component/sqlite/database.hpp"
#include "support/fake_plugin.hpp"
#include "support/temp_folder.hpp"

#include <gtest/gtest.h>

#include <stationsync/discovery.h>
#include <stationsync/discovery.hpp>

#include <algorithm>
#include <condition_variable>

namespace stationsync::test {
namespace {

const FakeLibrary& library() {
    static const FakeLibrary loaded(STATIONSYNC_DISCOVERY_STATIC_PLUGIN);
    return loaded;
}

// Collects what the plugin says.
class Finds {
public:
    Finds() : sink_{sizeof(stsync_discovery_sink), 0, this, &found, &updated, &lost, &note} {}

    const stsync_discovery_sink* sink() const noexcept { return &sink_; }

    // Waits until the known addresses are these, sorted and separated by blanks.
    bool wait_for(const std::string& addresses) {
        return wait([&] { return known_addresses() == addresses; });
    }
    bool wait_for_note(const std::string& part) {
        return wait(
            [&] { return part.empty() ? note_.empty() : note_.find(part) != std::string::npos; });
    }
    std::string addresses() {
        const std::lock_guard lock(mutex_);
        return known_addresses();
    }
    std::string note() {
        const std::lock_guard lock(mutex_);
        return note_;
    }
    std::size_t calls() {
        const std::lock_guard lock(mutex_);
        return calls_;
    }
    std::size_t notes() {
        const std::lock_guard lock(mutex_);
        return notes_;
    }
    std::size_t updates() {
        const std::lock_guard lock(mutex_);
        return updates_;
    }

private:
    template <class Condition>
    bool wait(Condition&& condition) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(20), condition);
    }
    std::string known_addresses() const {
        std::string text;
        for (const auto& [id, endpoints] : known_)
            text += (text.empty() ? "" : " ") + endpoints;
        return text;
    }
    template <class Change>
    static stsync_status change(void* ctx, Change&& body) noexcept {
        auto* self = static_cast<Finds*>(ctx);
        const std::lock_guard lock(self->mutex_);
        ++self->calls_;
        body(*self);
        self->changed_.notify_all();
        return STSYNC_OK;
    }
    static void store(Finds& self, const stsync_peer* peer) {
        std::string endpoints;
        for (std::uint32_t i = 0; i < peer->endpoint_count; ++i)
            endpoints += (i == 0 ? "" : ",") + sdk::copy(peer->endpoints[i]);
        self.known_[sdk::copy(peer->id)] = endpoints;
    }
    static stsync_status found(void* ctx, const stsync_peer* peer) noexcept {
        return change(ctx, [&](Finds& self) { store(self, peer); });
    }
    static stsync_status updated(void* ctx, const stsync_peer* peer) noexcept {
        return change(ctx, [&](Finds& self) {
            ++self.updates_;
            store(self, peer);
        });
    }
    static stsync_status lost(void* ctx, stsync_str id) noexcept {
        return change(ctx, [&](Finds& self) { self.known_.erase(sdk::copy(id)); });
    }
    static stsync_status note(void* ctx, stsync_str text) noexcept {
        return change(ctx, [&](Finds& self) {
            self.note_ = sdk::copy(text);
            ++self.notes_;
        });
    }

    stsync_discovery_sink sink_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, std::string> known_;
    std::string note_;
    std::size_t calls_ = 0;
    std::size_t notes_ = 0;
    std::size_t updates_ = 0;
};

class DiscoveryStatic : public ::testing::Test {
protected:
    void TearDown() override { end(); }

    // What create says when it fails.
    std::string make() {
        std::string text;
        const auto emit = [](void* ctx, stsync_str said) noexcept -> stsync_status {
            *static_cast<std::string*>(ctx) = sdk::copy(said);
            return STSYNC_OK;
        };
        const stsync_text_sink fail{sizeof fail, 0, &text, emit};
        const stsync_status status = library().module().create(
            host_.abi(), sdk::to_abi("discovery-static"), &fail, &instance_);
        if (status != STSYNC_OK) {
            instance_ = nullptr;
            EXPECT_EQ(status, STSYNC_INVALID_ARG);
            EXPECT_FALSE(text.empty());
            return text;
        }
        table_ = static_cast<const stsync_discovery_v1*>(
            instance_->query(instance_, STSYNC_DISCOVERY_V1));
        return "";
    }
    void start() {
        ASSERT_EQ(make(), "");
        FakeOp op;
        ASSERT_EQ(table_->start(instance_, op.abi(), finds_.sink()), STSYNC_OK);
    }
    void end() {
        if (instance_ == nullptr)
            return;
        FakeOp op;
        const auto begun = std::chrono::steady_clock::now();
        EXPECT_EQ(table_->stop(instance_, op.abi()), STSYNC_OK);
        EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(2));
        EXPECT_EQ(instance_->destroy(instance_), STSYNC_OK);
        instance_ = nullptr;
    }
    void announce(const std::string& name, const std::string& endpoint) {
        const stsync_str text = sdk::to_abi(endpoint);
        stsync_peer self{};
        self.size = sizeof self;
        self.id = sdk::to_abi("self");
        self.name = sdk::to_abi(name);
        self.endpoints = &text;
        self.endpoint_count = 1;
        FakeOp op;
        ASSERT_EQ(table_->announce(instance_, op.abi(), &self), STSYNC_OK);
    }
    std::filesystem::path use_database(const std::string& rows) {
        auto path = folder_ / "stations.db";
        run_sql(path, read_file(STATIONSYNC_STATIONS_SQL));
        if (!rows.empty())
            run_sql(path, "INSERT INTO stations VALUES" + rows);
        host_.config["database"] = {path};
        return path;
    }

    TempFolder folder_;
    FakeHost host_;
    Finds finds_;
    const stsync_instance* instance_ = nullptr;
    const stsync_discovery_v1* table_ = nullptr;
};

TEST_F(DiscoveryStatic, StationsOfTheConfigurationAreFound) {
    host_.config["stations"] = {"Station-B:8883", "10.0.0.3", "[fe80::1%2]:9000", " c "};
    start();
    EXPECT_TRUE(finds_.wait_for("10.0.0.3 [fe80::1%2]:9000 c station-b:8883"));
}

TEST_F(DiscoveryStatic, WrongConfigurationIsToldWithTheElement) {
    const std::vector<std::string> wrong = {"",        "a:b:c", "host:0", "host:65536", "host:",
                                            "[fe80::", "ho st", "[::1]8", "host:12x",   "[host]:1"};
    for (const std::string& element : wrong) {
        host_.config["stations"] = {"good", element};
        EXPECT_NE(make().find('"' + element + '"'), std::string::npos) << element;
    }
    host_.config.clear();
    EXPECT_NE(make().find("Neither"), std::string::npos);
    host_.config["query"] = {"SELECT 1"};
    EXPECT_NE(make().find("database"), std::string::npos);
    host_.config["database"] = {"relative.db"};
    EXPECT_NE(make().find("absolute"), std::string::npos);
}

TEST_F(DiscoveryStatic, ListIsReadAgainWhileRunning) {
    const auto path = use_database("('A','10.0.0.1'),('B','10.0.0.2:9000')");
    start();
    EXPECT_TRUE(finds_.wait_for("10.0.0.1 10.0.0.2:9000"));
    run_sql(path, "INSERT INTO stations VALUES('C','[fd00::3]')");
    EXPECT_TRUE(finds_.wait_for("10.0.0.1 10.0.0.2:9000 [fd00::3]"));
    run_sql(path, "UPDATE stations SET address='10.0.0.9' WHERE name='B'");
    EXPECT_TRUE(finds_.wait_for("10.0.0.1 10.0.0.9 [fd00::3]"));
    EXPECT_EQ(finds_.updates(), 1u);
    run_sql(path, "DELETE FROM stations WHERE name='A'");
    EXPECT_TRUE(finds_.wait_for("10.0.0.9 [fd00::3]"));
    EXPECT_EQ(finds_.note(), "");
}

TEST_F(DiscoveryStatic, SeveralRowsOfOneNameAreAddressesOfOneStation) {
    use_database("('A','10.0.0.1'),('A','a.plant')");
    start();
    EXPECT_TRUE(finds_.wait_for("10.0.0.1,a.plant"));
}

TEST_F(DiscoveryStatic, OwnQueryGivesTheColumnsByName) {
    const auto path = folder_ / "other.db";
    run_sql(path, "CREATE TABLE node(ip, port, label, active);"
                  "INSERT INTO node VALUES('10.1.1.1', 8883, 'A', 1), ('10.1.1.2', 1, 'B', 0)");
    host_.config["database"] = {path};
    host_.config["query"] = {
        "SELECT ip || ':' || port AS Address, label AS Name FROM node WHERE active"};
    start();
    EXPECT_TRUE(finds_.wait_for("10.1.1.1:8883"));
}

TEST_F(DiscoveryStatic, QueryCannotWrite) {
    const auto path = use_database("('A','10.0.0.1')");
    host_.config["query"] = {"DELETE FROM stations RETURNING name, address"};
    start();
    EXPECT_TRUE(finds_.wait_for_note("readonly"));
    end();
    EXPECT_EQ(run_sql(path, "SELECT count(*) FROM stations"), "1");
}

TEST_F(DiscoveryStatic, BadRowsAreLeftOutAndToldOnce) {
    const auto path = folder_ / "bad.db";
    run_sql(path, "CREATE TABLE stations(name, address); INSERT INTO stations VALUES('A','ok'),"
                  "('B','fe80::1'),('C',NULL),('D','host:99999'),(x'ff','host'),(NULL,'nameless')");
    host_.config["database"] = {path};
    start();
    EXPECT_TRUE(finds_.wait_for("ok nameless"));
    EXPECT_EQ(host_.count_log("discovery-static.row"), 4u);
    run_sql(path, "INSERT INTO stations VALUES('E','e')");
    EXPECT_TRUE(finds_.wait_for("ok e nameless"));
    EXPECT_EQ(host_.count_log("discovery-static.row"), 4u);
    for (const LogLine& line : host_.log())
        EXPECT_NE(line.text.find("Row "), std::string::npos) << line.text;
}

TEST_F(DiscoveryStatic, OwnRowIsSkipped) {
    use_database("('A','10.0.0.1'),('B','10.0.0.2'),('C','10.0.0.3:9000')");
    host_.config["stations"] = {"10.0.0.2:8883"};
    start();
    EXPECT_TRUE(finds_.wait_for("10.0.0.2:8883 10.0.0.1 10.0.0.2 10.0.0.3:9000"));
    announce("A", "10.0.0.2:8883");
    EXPECT_TRUE(finds_.wait_for("10.0.0.3:9000"));
}

TEST_F(DiscoveryStatic, LastListStaysWhileTheDatabaseIsAway) {
    const auto path = use_database("('A','10.0.0.1')");
    start();
    EXPECT_TRUE(finds_.wait_for("10.0.0.1"));
    std::filesystem::rename(path, folder_ / "moved.db");
    EXPECT_TRUE(finds_.wait_for_note("is not there"));
    EXPECT_EQ(finds_.addresses(), "10.0.0.1");
    const std::size_t notes = finds_.notes();
    FakeOp op;
    for (int i = 0; i < 3; ++i)
        table_->probe(instance_, op.abi(), sdk::to_abi(""));
    end();
    EXPECT_EQ(finds_.notes(), notes);
    start();
    EXPECT_TRUE(finds_.wait_for("10.0.0.1"));
    std::filesystem::rename(folder_ / "moved.db", path);
    run_sql(path, "INSERT INTO stations VALUES('B','10.0.0.2')");
    EXPECT_TRUE(finds_.wait_for("10.0.0.1 10.0.0.2"));
    EXPECT_TRUE(finds_.wait_for_note(""));
}

TEST_F(DiscoveryStatic, DamagedOrForeignFileKeepsTheLastList) {
    const auto path = use_database("('A','10.0.0.1')");
    start();
    EXPECT_TRUE(finds_.wait_for("10.0.0.1"));
    write_file(path, std::string(5000, 'x'));
    EXPECT_TRUE(finds_.wait_for_note("cannot be read"));
    EXPECT_EQ(finds_.addresses(), "10.0.0.1");
}

TEST_F(DiscoveryStatic, LockedDatabaseIsWaitedFor) {
    const auto path = use_database("('A','10.0.0.1')");
    start();
    EXPECT_TRUE(finds_.wait_for("10.0.0.1"));
    {
        Database writer(path);
        writer.run("BEGIN EXCLUSIVE; INSERT INTO stations VALUES('B','10.0.0.2')");
        FakeOp op;
        table_->probe(instance_, op.abi(), sdk::to_abi(""));
        EXPECT_TRUE(finds_.wait_for_note("cannot be read"));
        EXPECT_EQ(finds_.addresses(), "10.0.0.1");
        writer.run("COMMIT");
    }
    EXPECT_TRUE(finds_.wait_for("10.0.0.1 10.0.0.2"));
    EXPECT_TRUE(finds_.wait_for_note(""));
}

TEST_F(DiscoveryStatic, DatabaseWithALogIsRead) {
    const auto path = use_database("('A','10.0.0.1')");
    Database writer(path);
    writer.run("PRAGMA journal_mode=WAL; INSERT INTO stations VALUES('B','10.0.0.2')");
    start();
    EXPECT_TRUE(finds_.wait_for("10.0.0.1 10.0.0.2"));
    writer.run("INSERT INTO stations VALUES('C','10.0.0.3')");
    EXPECT_TRUE(finds_.wait_for("10.0.0.1 10.0.0.2 10.0.0.3"));
}

TEST_F(DiscoveryStatic, StopEndsALongQueryInTime) {
    use_database("('A','10.0.0.1')");
    host_.config["query"] = {"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) "
                             "SELECT 'x' AS name, max(i) AS address FROM n"};
    start();
    end();
}

TEST_F(DiscoveryStatic, QuietWhenNothingChanges) {
    use_database("('A','10.0.0.1')");
    start();
    EXPECT_TRUE(finds_.wait_for("10.0.0.1"));
    const std::size_t calls = finds_.calls();
    FakeOp op;
    for (int i = 0; i < 20; ++i)
        table_->probe(instance_, op.abi(), sdk::to_abi(""));
    end();
    EXPECT_EQ(finds_.calls(), calls);
}

} // namespace
} // namespace stationsync::test
