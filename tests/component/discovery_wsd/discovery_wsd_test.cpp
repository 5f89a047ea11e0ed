// The plugin as the service loads it: real sockets over the loopback interface of a network of its
// own. Each test waits for what the plugin says.
#include "component/discovery_wsd/own_network.hpp"
#include "support/end_discovery.hpp"
#include "support/fake_plugin.hpp"

#include "ip_address.hpp"
#include "parser.hpp"
#include "writer.hpp"

#include <gtest/gtest.h>

#include <stationsync/detail/discovery_table.hpp>
#include <stationsync/discovery.h>
#include <stationsync/discovery.hpp>

#include <condition_variable>
#include <map>
#include <memory>

namespace stationsync::test {
namespace {

namespace wsd = stationsync::discovery_wsd;

const FakeLibrary& library() {
    static const FakeLibrary loaded(STATIONSYNC_DISCOVERY_WSD_PLUGIN);
    return loaded;
}

std::string id_of(int number) {
    return "00000000-0000-4000-8000-00000000000" + std::to_string(number);
}

// Collects what the plugin says.
class Finds {
public:
    Finds() : sink_{sizeof(stsync_discovery_sink), 0, this, &found, &found, &lost, &note} {}

    const stsync_discovery_sink* sink() const noexcept { return &sink_; }

    template <class Condition>
    bool wait(Condition&& condition, std::chrono::seconds limit = std::chrono::seconds(30)) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, limit, [&] { return condition(known_, note_); });
    }
    bool wait_for_name(int number, const std::string& name) {
        return wait([&](const auto& known, const auto&) {
            const auto place = known.find(id_of(number));
            return place != known.end() && place->second.name == name;
        });
    }
    bool wait_for_loss(int number) {
        return wait(
            [&](const auto& known, const auto&) { return known.count(id_of(number)) == 0; });
    }
    bool wait_for_note(const std::string& part) {
        return wait([&](const auto&, const std::string& text) {
            return part.empty() ? text.empty() : text.find(part) != std::string::npos;
        });
    }
    std::map<std::string, sdk::Peer> known() {
        const std::lock_guard lock(mutex_);
        return known_;
    }

private:
    static stsync_status found(void* ctx, const stsync_peer* raw) noexcept {
        auto* self = static_cast<Finds*>(ctx);
        const std::lock_guard lock(self->mutex_);
        const sdk::Peer peer = sdk::detail::copy_peer(raw);
        self->known_[peer.id] = peer;
        self->changed_.notify_all();
        return STSYNC_OK;
    }
    static stsync_status lost(void* ctx, stsync_str id) noexcept {
        auto* self = static_cast<Finds*>(ctx);
        const std::lock_guard lock(self->mutex_);
        self->known_.erase(sdk::copy(id));
        self->changed_.notify_all();
        return STSYNC_OK;
    }
    static stsync_status note(void* ctx, stsync_str text) noexcept {
        auto* self = static_cast<Finds*>(ctx);
        const std::lock_guard lock(self->mutex_);
        self->note_ = sdk::copy(text);
        self->changed_.notify_all();
        return STSYNC_OK;
    }

    stsync_discovery_sink sink_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, sdk::Peer> known_;
    std::string note_;
};

// One station's instance of the plugin.
class Instance {
public:
    explicit Instance(const std::string& project = "Plant") {
        host.config["@project"] = {project};
        host.config["interfaces"] = {"lo"};
        host.config["ipv6"] = {"false"};
        host.config["probe_period_s"] = {"1"};
        host.config["quiet_probe_period_s"] = {"1"};
        // All of them are at one address here.
        host.config["datagrams_per_source"] = {"1000"};
        host.config["answers_per_source"] = {"100"};
    }
    ~Instance() { end(); }
    Instance(const Instance&) = delete;
    Instance& operator=(const Instance&) = delete;

    // What create says when it fails.
    std::string make() {
        std::string text;
        const auto emit = [](void* ctx, stsync_str said) noexcept -> stsync_status {
            *static_cast<std::string*>(ctx) = sdk::copy(said);
            return STSYNC_OK;
        };
        const stsync_text_sink fail{sizeof fail, 0, &text, emit};
        if (library().module().create(host.abi(), sdk::to_abi("discovery-wsd"), &fail,
                                      &instance_) != STSYNC_OK) {
            instance_ = nullptr;
            return text.empty() ? "refused without a word" : text;
        }
        table_ = static_cast<const stsync_discovery_v1*>(
            instance_->query(instance_, STSYNC_DISCOVERY_V1));
        return "";
    }
    Instance& start() {
        EXPECT_EQ(make(), "");
        FakeOp op;
        EXPECT_EQ(table_->start(instance_, op.abi(), finds.sink()), STSYNC_OK) << op.failed_text();
        return *this;
    }
    // What announce says when it fails.
    std::string announce(int number, const std::string& name, const std::string& endpoint = "",
                         const std::string& project = "Plant") {
        const std::string id = id_of(number);
        const stsync_str address = sdk::to_abi(endpoint);
        const stsync_pair texts[] = {{sdk::to_abi("proto"), sdk::to_abi("1")},
                                     {sdk::to_abi("app"), sdk::to_abi("2.3.1")}};
        stsync_peer self{};
        self.size = sizeof self;
        self.id = sdk::to_abi(id);
        self.station_id = self.id;
        self.name = sdk::to_abi(name);
        self.project = sdk::to_abi(project);
        self.endpoints = &address;
        self.endpoint_count = endpoint.empty() ? 0 : 1;
        self.texts = texts;
        self.text_count = 2;
        FakeOp op;
        if (table_->announce(instance_, op.abi(), &self) == STSYNC_OK)
            return "";
        return op.failed_text();
    }
    void probe(const std::string& hint) {
        FakeOp op;
        EXPECT_EQ(table_->probe(instance_, op.abi(), sdk::to_abi(hint)), STSYNC_OK);
    }
    void withdraw() {
        FakeOp op;
        EXPECT_EQ(table_->withdraw(instance_, op.abi()), STSYNC_OK);
    }
    void end() { end_discovery(table_, instance_); }

    FakeHost host;
    Finds finds;

private:
    const stsync_instance* instance_ = nullptr;
    const stsync_discovery_v1* table_ = nullptr;
};

class DiscoveryWsd : public ::testing::Test {
protected:
    void SetUp() override {
        const std::string why = enter_own_network();
        if (!why.empty())
            GTEST_SKIP() << why;
    }
};

TEST_F(DiscoveryWsd, TwoStationsFindEachOther) {
    Instance a;
    Instance b;
    a.start();
    b.start();
    ASSERT_EQ(a.announce(1, "A", "0.0.0.0:8883"), "");
    ASSERT_EQ(b.announce(2, "Press \xc3\xbc", "127.0.0.1:8983"), "");
    ASSERT_TRUE(a.finds.wait_for_name(2, "Press \xc3\xbc"));
    ASSERT_TRUE(b.finds.wait_for_name(1, "A"));
    const sdk::Peer found = a.finds.known().at(id_of(2));
    EXPECT_EQ(found.station_id, id_of(2));
    EXPECT_EQ(found.project, "Plant");
    EXPECT_EQ(found.endpoints, std::vector<std::string>{"127.0.0.1:8983"});
    EXPECT_EQ(found.ttl_s, 3u);
    std::map<std::string, std::string> texts(found.texts.begin(), found.texts.end());
    EXPECT_EQ(texts["proto"], "1");
    EXPECT_EQ(texts["app"], "2.3.1");
    EXPECT_EQ(texts["source"], "127.0.0.1");
    EXPECT_EQ(texts["via"], "lo");
    EXPECT_EQ(b.finds.known().at(id_of(1)).endpoints, std::vector<std::string>{"127.0.0.1:8883"});
    // It is answered, so it stays beyond its first seconds; and itself it does not find.
    EXPECT_TRUE(a.finds.wait([](const auto& known, const auto&) {
        const auto place = known.find(id_of(2));
        if (place == known.end())
            return false;
        for (const auto& [name, value] : place->second.texts)
            if (name == "verified" && value == "true")
                return true;
        return false;
    }));
    EXPECT_EQ(a.finds.known().count(id_of(1)), 0u);
}

TEST_F(DiscoveryWsd, WhoLeavesIsLostAtOnceAndARenamedOneIsUpdated) {
    Instance a;
    Instance b;
    a.start().announce(1, "A");
    b.start().announce(2, "B");
    ASSERT_TRUE(a.finds.wait_for_name(2, "B"));
    b.announce(2, "New name");
    EXPECT_TRUE(a.finds.wait_for_name(2, "New name"));
    b.withdraw();
    EXPECT_TRUE(a.finds.wait_for_loss(2));
    b.announce(2, "Again");
    EXPECT_TRUE(a.finds.wait_for_name(2, "Again"));
    b.end();
    EXPECT_TRUE(a.finds.wait_for_loss(2));
}

TEST_F(DiscoveryWsd, OtherProjectsAreFoundOnlyWhenAskedForAll) {
    Instance a;
    Instance b("Other");
    Instance c;
    a.start().announce(1, "A");
    b.start().announce(2, "B", "", "Other");
    c.start().announce(3, "C");
    ASSERT_TRUE(a.finds.wait_for_name(3, "C"));
    EXPECT_EQ(a.finds.known().count(id_of(2)), 0u);
    a.probe("*");
    ASSERT_TRUE(a.finds.wait_for_name(2, "B"));
    EXPECT_EQ(a.finds.known().at(id_of(2)).project, "Other");
}

TEST_F(DiscoveryWsd, NumbersGrowOverARestartEvenWhenTheClockWasPutBack) {
    Instance a;
    a.start().announce(1, "A");
    RawSocket asker("127.0.0.1", 0, false);
    const auto ask = [&] {
        static int number = 0;
        const std::string id = "urn:uuid:ask-" + std::to_string(++number);
        for (int i = 0; i < 100; ++i) {
            asker.send_to_group(
                wsd::write_probe({wsd::Version::oasis_2009, id + std::to_string(i)}, ""));
            const auto answer = asker.receive(1000);
            if (!answer)
                continue;
            const auto parsed = wsd::parse_message(answer->bytes);
            EXPECT_TRUE(std::holds_alternative<wsd::Message>(parsed)) << answer->bytes;
            EXPECT_EQ(answer->port, wsd::discovery_port);
            return std::get<wsd::Message>(parsed);
        }
        ADD_FAILURE() << "no answer";
        return wsd::Message{};
    };
    const wsd::Message first = ask();
    ASSERT_EQ(first.version, wsd::Version::oasis_2009);
    ASSERT_EQ(first.targets.size(), 1u);
    EXPECT_EQ(first.targets[0].endpoint, wsd::endpoint_of(id_of(1)));
    a.end();
    a.host.set_clock_offset(-7200LL * 1'000'000);
    a.start().announce(1, "A");
    const wsd::Message second = ask();
    ASSERT_TRUE(second.sequence);
    EXPECT_GT(second.sequence->instance_id, first.sequence->instance_id);
    EXPECT_EQ(second.targets[0].metadata_version, first.targets[0].metadata_version);
    a.announce(1, "Other");
    for (int i = 0; i < 100; ++i) {
        const wsd::Message third = ask();
        ASSERT_EQ(third.targets.size(), 1u);
        if (wsd::record_of(third.targets[0])->name != "Other")
            continue;
        EXPECT_GT(third.targets[0].metadata_version, first.targets[0].metadata_version);
        return;
    }
    FAIL() << "the new name is not told";
}

TEST_F(DiscoveryWsd, HostileAndDirectedDatagramsAreNotAnswered) {
    Instance a;
    a.start().announce(1, "A");
    RawSocket asker("127.0.0.1", 0, false);
    RawSocket low("127.0.0.1", 53, false);
    std::string nothing;
    for (const std::string& bytes :
         {std::string("<:/>"), std::string("<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>"),
          std::string(9000, 'x'), std::string(60000, '<'), std::string("\xff\xfe<\0", 4)})
        asker.send_to_group(bytes);
    asker.send_to("127.0.0.1", wsd::discovery_port,
                  wsd::write_probe({wsd::Version::draft_2005, "urn:uuid:directed"}, ""));
    low.send_to_group(wsd::write_probe({wsd::Version::draft_2005, "urn:uuid:low"}, ""));
    // What comes first is the answer to this one.
    for (int i = 0; i < 100; ++i) {
        asker.send_to_group(
            wsd::write_probe({wsd::Version::draft_2005, "urn:uuid:good-" + std::to_string(i)}, ""));
        const auto answer = asker.receive(1000);
        if (!answer)
            continue;
        const auto parsed = wsd::parse_message(answer->bytes);
        ASSERT_TRUE(std::holds_alternative<wsd::Message>(parsed));
        EXPECT_EQ(std::get<wsd::Message>(parsed).relates_to.substr(0, 13), "urn:uuid:good");
        EXPECT_FALSE(low.receive(0));
        EXPECT_GE(a.host.count_log("discovery-wsd.dropped"), 1u);
        return;
    }
    FAIL() << "no answer";
}

TEST_F(DiscoveryWsd, APortThatIsTakenIsToldAndTakenUpWhenItIsFree) {
    auto holder = std::make_unique<RawSocket>("0.0.0.0", wsd::discovery_port, false);
    Instance a;
    Instance b;
    a.start().announce(1, "A");
    ASSERT_TRUE(a.finds.wait_for_note("Announcing is off on lo: UDP port 3702 is in use"));
    holder.reset();
    b.start().announce(2, "B");
    EXPECT_TRUE(a.finds.wait_for_name(2, "B"));
    EXPECT_TRUE(b.finds.wait_for_name(1, "A"));
    EXPECT_TRUE(a.finds.wait_for_note(""));
}

TEST_F(DiscoveryWsd, AProgramThatSharesThePortIsLeftWhatIsSentToIt) {
    RawSocket system("127.0.0.1", wsd::discovery_port, true);
    Instance a;
    Instance b;
    a.start().announce(1, "A");
    b.start().announce(2, "B");
    EXPECT_TRUE(a.finds.wait_for_name(2, "B"));
    RawSocket asker("127.0.0.1", 0, false);
    asker.send_to("127.0.0.1", wsd::discovery_port, "for you alone");
    const auto arrived = system.receive(5000);
    ASSERT_TRUE(arrived);
    EXPECT_EQ(arrived->bytes, "for you alone");
}

TEST_F(DiscoveryWsd, WithoutInterfaceASentenceTellsSo) {
    Instance a;
    a.host.config["interfaces"] = {"eth7"};
    a.start().announce(1, "A");
    EXPECT_TRUE(a.finds.wait_for_note("no network interface"));
}

TEST_F(DiscoveryWsd, SilenceIsToldAndEndsWithTheFirstAnswer) {
    Instance a;
    a.start().announce(1, "A");
    ASSERT_TRUE(a.finds.wait_for_note("No station has ever answered"));
    Instance b;
    b.start().announce(2, "B");
    EXPECT_TRUE(a.finds.wait_for_note(""));
}

TEST_F(DiscoveryWsd, StartingAndEndingLeavesNothingOpen) {
    Instance a;
    a.start().announce(1, "A");
    a.end();
    const std::size_t before = count_open_files();
    for (int i = 0; i < 5; ++i) {
        a.start().announce(1, "A");
        a.end();
    }
    EXPECT_EQ(count_open_files(), before);
}

TEST_F(DiscoveryWsd, WrongSettingsAreToldWithTheirRemedy) {
    const std::tuple<const char*, const char*, const char*> samples[] = {
        {"versions", "2006", "\"2005/04\", \"2009/01\" or both"},
        {"interfaces", "10.0.0.0/99", "name of an interface"},
        {"exclude_interfaces", "a b", "name of an interface"},
        {"probe_source_port", "3702", "other than 3702"},
        {"probe_source_port", "80", "1024"},
        {"collect_window_s", "11", "from 1 to 10"},
        {"probe_period_s", "0", "from 1 to 3600"},
        {"ipv4", "perhaps", "true or false"},
        {"stations_max", "x", "whole number"},
        {"@project", "", "@project"},
    };
    for (const auto& [key, value, part] : samples) {
        Instance a;
        a.host.config[key] = {value};
        EXPECT_NE(a.make().find(part), std::string::npos) << key << " = " << value;
    }
}

TEST_F(DiscoveryWsd, NamesThatCannotBeAnnouncedAreRefused) {
    Instance a;
    a.start();
    EXPECT_NE(a.announce(1, std::string(49, 'x')).find("1 to 48 bytes"), std::string::npos);
    EXPECT_NE(a.announce(1, "").find("name of the station"), std::string::npos);
    EXPECT_NE(a.announce(1, "a\nb").find("control characters"), std::string::npos);
    EXPECT_NE(a.announce(1, "A", "", "").find("name of the project"), std::string::npos);
    EXPECT_EQ(a.announce(1, std::string(48, 'x')), "");
    EXPECT_EQ(a.host.count_log("discovery-wsd.size"), 0u);
    std::string wide;
    for (int i = 0; i < 16; ++i)
        wide += "\xe4\xb8\xad";
    EXPECT_EQ(a.announce(1, wide, "", wide), "");
    EXPECT_EQ(a.host.count_log("discovery-wsd.size"), 1u);
}

} // namespace
} // namespace stationsync::test
