#include "baseline_store.hpp"

#include "package_label.hpp"
#include "support/fake_host.hpp"

#include <gtest/gtest.h>

namespace stationsync::sqlserver {
namespace {

Baseline full_baseline() {
    Baseline baseline;
    baseline.server = "PLANT-PC\\SQLEXPRESS";
    baseline.database = "Žluť😀";
    baseline.content.bytes[15] = 7;
    baseline.origin = Origin::restore;
    baseline.changed_at = 1'700'000'000'000'000;
    baseline.changed_not_before = STSYNC_TIME_NONE;
    baseline.flags = STSYNC_OBJECT_RESTORED;
    baseline.clean_at = 1'700'000'000'000'001;
    baseline.was_closed = true;
    baseline.evidence.created = -5;
    baseline.evidence.options = "FULL|";
    baseline.evidence.restore_id = 9;
    Gate gate;
    gate.log_end = Lsn{1, 2, 3};
    gate.log_bytes = 77;
    baseline.evidence.gate = gate;
    baseline.evidence.usage = {3, 4};
    baseline.evidence.fingerprint.parts = {{"rows", "1"}, {"users", "-"}};
    baseline.evidence.fingerprint.fork_guid = "F";
    baseline.content_sum = std::string("\0x", 2);
    baseline.remember_backup("SET");
    stsync_apply_id id{};
    id.bytes[0] = 1;
    baseline.remember_applied(id);
    return baseline;
}

TEST(Baseline, SurvivesBeingStored) {
    const Baseline baseline = full_baseline();
    const auto read = decode(encode(baseline));
    ASSERT_TRUE(read);
    EXPECT_EQ(encode(*read), encode(baseline));
    EXPECT_EQ(read->evidence, baseline.evidence);
    EXPECT_EQ(read->mark(), baseline.mark());
    EXPECT_NE(read->find_past("SET"), nullptr);
    EXPECT_EQ(read->find_past(""), nullptr);
    stsync_apply_id id{};
    EXPECT_EQ(read->find_applied(id), nullptr);
    id.bytes[0] = 1;
    EXPECT_NE(read->find_applied(id), nullptr);
}

TEST(Baseline, DamagedBytesAreNone) {
    const std::string bytes = encode(full_baseline());
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_FALSE(decode(bytes.substr(0, size))) << size;
    EXPECT_FALSE(decode(bytes + 'x'));
    EXPECT_FALSE(decode(std::string(bytes.size(), '\xff')));
}

TEST(BaselineStore, KeepsOverARestartAndTellsDamageOnce) {
    test::FakeHost host;
    {
        BaselineStore store{sdk::Host(host.abi())};
        EXPECT_FALSE(store.get("plant").is_known());
        store.put("plant", full_baseline());
    }
    BaselineStore again{sdk::Host(host.abi())};
    EXPECT_EQ(encode(again.get("plant")), encode(full_baseline()));
    host.spoil_kv("database:");
    BaselineStore spoilt{sdk::Host(host.abi())};
    EXPECT_FALSE(spoilt.get("plant").is_known());
    EXPECT_FALSE(spoilt.get("plant").is_known());
    EXPECT_EQ(host.count_log("sqlserver.baseline"), 1u);
}

TEST(BaselineStore, KeepsWhatIsThereWhenTheCallerIsLate) {
    test::FakeHost host;
    BaselineStore store{sdk::Host(host.abi())};
    Baseline late = full_baseline();
    store.put("plant", full_baseline());
    late.content.bytes[0] = 77;
    EXPECT_FALSE(store.put_if("plant", late, [] { return false; }));
    EXPECT_EQ(store.get("plant").content, full_baseline().content);
    EXPECT_TRUE(store.put_if("plant", late, [] { return true; }));
    EXPECT_EQ(store.get("plant").content, late.content);
}

TEST(PackageLabel, SurvivesBeingWritten) {
    PackageLabel label;
    label.content.bytes = {1, 2, 3, 255};
    label.changed_at = 1'771'234'567'890'123;
    label.server = "PLANT-PC\\SQLEXPRESS";
    EXPECT_EQ(parse_package_label(to_text(label)), label);
    label.changed_at = STSYNC_TIME_NONE;
    EXPECT_EQ(parse_package_label(to_text(label)), label);
    label.server = std::string(5000, 'x');
    EXPECT_LE(to_text(label).size(), 255u);
}

TEST(PackageLabel, AnythingElseIsNone) {
    PackageLabel label;
    label.content.bytes[0] = 1;
    label.changed_at = 1'771'234'567'890'123;
    const std::string good = to_text(label);
    for (std::size_t size = 0; size + 1 < good.size(); ++size)
        EXPECT_FALSE(parse_package_label(good.substr(0, size))) << size;
    for (const std::string text :
         {"", "backup of Monday", "stationsync 1;content=';DROP DATABASE plant;--"})
        EXPECT_FALSE(parse_package_label(text)) << text;
    EXPECT_FALSE(parse_package_label(to_text(PackageLabel()))) << "no content";
}

} // namespace
} // namespace stationsync::sqlserver
