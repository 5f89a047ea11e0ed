// Where files go, what is refused, and what is written down before a restore.
#include "restore_journal.hpp"
#include "restore_plan.hpp"

#include "support/fake_host.hpp"

#include <gtest/gtest.h>

#include <set>

namespace stationsync::sqlserver::test {
namespace {

constexpr std::uint64_t mebibyte = 1 << 20;

// A package of two files for a database of two files, on one server.
RestoreCase plain_case() {
    RestoreCase restore;
    restore.database = "plant";
    restore.server.version = {15, 0, 4430, 1};
    restore.server.format = 904;
    restore.server.engine_edition = 4;
    restore.server.edition = "Express Edition (64-bit)";
    restore.server.data_folder = "C:\\data\\";
    restore.server.log_folder = "D:\\log";
    restore.server.path_separator = "\\";
    BackupHeader header;
    header.version = {{15, 0, 4430, 0}, 904, "Latin1_General_CI_AS"};
    header.database = "plant";
    header.kind = 1;
    header.family_guid = "A";
    header.is_copy_only = header.has_checksums = true;
    restore.backup.headers.push_back(header);
    restore.backup.files = {
        {"plant", "X:\\p.mdf", FileKind::data, "", 100 * mebibyte, 1, "", true},
        {"plant_log", "X:\\p.ldf", FileKind::log, "", 10 * mebibyte, 2, "", true}};
    return restore;
}

RestoreCase case_over_existing() {
    RestoreCase restore = plain_case();
    DatabaseEntry entry;
    entry.id = 7;
    entry.name = "plant";
    entry.state = "ONLINE";
    entry.access = "MULTI_USER";
    restore.target.entry = entry;
    restore.target.family_guid = "A";
    restore.target.has_baseline = true;
    restore.target.files = {{1, FileKind::data, "p", "E:\\db\\plant.mdf", 90 * mebibyte},
                            {2, FileKind::log, "l", "F:\\db\\plant.ldf", 10 * mebibyte}};
    return restore;
}

std::string refused(const RestoreCase& restore) {
    const auto refusal = first_refusal(restore);
    return refusal ? std::string(refusal->id) : std::string();
}

stsync_status planning(const RestoreCase& restore) {
    try {
        plan_restore(restore, "g1");
        return STSYNC_OK;
    } catch (const sdk::Error& error) {
        return error.status();
    }
}

TEST(RestorePlan, NewFilesGoToTheDefaultFoldersUnderTheNameOfTheDatabase) {
    const RestorePlan plan = plan_restore(plain_case(), "g1");
    EXPECT_FALSE(plan.is_in_place);
    ASSERT_EQ(plan.moves.size(), 2u);
    EXPECT_EQ(plan.moves[0].path, "C:\\data\\plant.g1.mdf");
    EXPECT_EQ(plan.moves[1].path, "D:\\log\\plant.g1.ldf");
    EXPECT_EQ(plan.primary, plan.moves[0].path);
}

TEST(RestorePlan, FilesStayBesideThoseThatAreThere) {
    const RestorePlan plan = plan_restore(case_over_existing(), "g1");
    EXPECT_EQ(plan.moves[0].path, "E:\\db\\plant.g1.mdf");
    EXPECT_EQ(plan.moves[1].path, "F:\\db\\plant.g1.ldf");
}

TEST(RestorePlan, ConfiguredFoldersWinAndAnUnknownOneIsThatOfMaster) {
    RestoreCase restore = case_over_existing();
    restore.settings.data_folder = "G:\\new";
    EXPECT_EQ(plan_restore(restore, "g").moves[0].path, "G:\\new\\plant.g.mdf");
    restore = plain_case();
    restore.server.data_folder.clear();
    restore.target.master_folder = "M:\\sys\\";
    EXPECT_EQ(plan_restore(restore, "g").moves[0].path, "M:\\sys\\plant.g.mdf");
}

TEST(RestorePlan, EveryFileHasAPathOfItsOwn) {
    RestoreCase restore = plain_case();
    for (int i = 3; i < 9; ++i)
        restore.backup.files.push_back({"more" + std::to_string(i), "X:\\same.ndf",
                                        i % 2 == 0 ? FileKind::data : FileKind::log, "", 1, i, "",
                                        true});
    const RestorePlan plan = plan_restore(restore, "g1");
    std::set<std::string> paths;
    for (const Move& move : plan.moves)
        paths.insert(move.path);
    EXPECT_EQ(paths.size(), restore.backup.files.size());
}

TEST(RestorePlan, InPlaceTakesTheFilesThatAreThereAndNewNamesForTheRest) {
    RestoreCase restore = case_over_existing();
    restore.settings.restore_mode = RestoreMode::in_place;
    restore.backup.files.push_back({"more", "X:\\m.ndf", FileKind::data, "", 1, 3, "", true});
    const RestorePlan plan = plan_restore(restore, "g1");
    EXPECT_TRUE(plan.is_in_place);
    EXPECT_EQ(plan.moves[0].path, "E:\\db\\plant.mdf");
    EXPECT_EQ(plan.moves[1].path, "F:\\db\\plant.ldf");
    EXPECT_EQ(plan.moves[2].path, "E:\\db\\plant.g1.3.ndf");
}

TEST(RestorePlan, NamesOfFilesAreHarmlessWhateverTheDatabaseIsCalled) {
    EXPECT_EQ(file_stem_of("plant-1_A"), "plant-1_A");
    EXPECT_EQ(file_stem_of("a/../b"), "a____b");
    EXPECT_EQ(file_stem_of("CON"), "db_CON");
    EXPECT_EQ(file_stem_of("lpt1"), "db_lpt1");
    EXPECT_EQ(file_stem_of(std::string(200, 'x')).size(), 60u);
    EXPECT_EQ(file_stem_of("ž").find_first_not_of('_'), std::string::npos);
}

TEST(RestorePlan, TheVolumeIsTheLongestMountPointThatFits) {
    const std::vector<Volume> volumes = {{"C:\\", 1}, {"C:\\data\\", 2}, {"D:\\", 3}, {"D:\\", 2}};
    EXPECT_EQ(volume_of(volumes, "c:\\data\\x.mdf")->free_bytes, 2u);
    EXPECT_EQ(volume_of(volumes, "C:\\dat\\x.mdf")->free_bytes, 1u);
    EXPECT_EQ(volume_of(volumes, "D:\\x.mdf")->free_bytes, 2u) << "of two readings the smaller";
    EXPECT_EQ(volume_of(volumes, "E:\\x.mdf"), nullptr);
}

TEST(RestorePlan, SpaceDecidesBetweenTheWays) {
    RestoreCase restore = case_over_existing();
    restore.target.volumes = {{"E:\\", 50 * mebibyte}, {"F:\\", 50 * mebibyte}};
    EXPECT_TRUE(plan_restore(restore, "g").is_in_place) << "90 MiB of old files go";
    restore.settings.restore_mode = RestoreMode::side_by_side;
    EXPECT_EQ(planning(restore), STSYNC_NO_SPACE);
    restore.settings.restore_mode = RestoreMode::automatic;
    restore.target.volumes[0].free_bytes = 5 * mebibyte;
    EXPECT_EQ(planning(restore), STSYNC_NO_SPACE);
    restore.target.volumes[0].free_bytes = 100 * mebibyte;
    EXPECT_FALSE(plan_restore(restore, "g").is_in_place);
}

TEST(RestorePlan, StreamsAreRestoredInPlace) {
    RestoreCase restore = case_over_existing();
    restore.server.filestream_level = 1;
    restore.backup.files.push_back({"fs", "X:\\fs", FileKind::stream, "", 1, 3, "", true});
    EXPECT_TRUE(plan_restore(restore, "g").is_in_place);
    restore.settings.restore_mode = RestoreMode::side_by_side;
    EXPECT_EQ(planning(restore), STSYNC_INCOMPATIBLE);
}

TEST(RestorePlan, TextsOfThePackageCannotLeaveTheirQuotes) {
    RestoreCase restore = plain_case();
    restore.backup.files[0].name = "x'; DROP DATABASE plant;--";
    const std::string statement =
        restore_statement("a]b", "C:\\it's.bak", plan_restore(restore, "g"));
    EXPECT_NE(statement.find("RESTORE DATABASE [a]]b] FROM DISK = N'C:\\it''s.bak'"),
              std::string::npos);
    EXPECT_NE(statement.find("MOVE N'x''; DROP DATABASE plant;--' TO N'C:\\data\\plant.g.mdf'"),
              std::string::npos);
}

TEST(RestorePlan, WorkNamesAreTheSameWheneverTheyAreMadeAndDifferByInstance) {
    EXPECT_EQ(work_names_of("a", "Plant").incoming, work_names_of("a", "plant").incoming);
    EXPECT_NE(work_names_of("a", "plant").incoming, work_names_of("b", "plant").incoming);
    EXPECT_NE(work_names_of("a", "plant").incoming, work_names_of("a", "plant2").incoming);
    EXPECT_TRUE(work_names_of("a", "plant").incoming.starts_with(incoming_prefix));
    EXPECT_TRUE(work_names_of("a", "plant").outgoing.starts_with(replaced_prefix));
}

TEST(RestorePlan, WorkNamesOfTwoRestoresBeginAlikeAndDiffer) {
    const WorkNames stems = work_names_of("a", "plant");
    const WorkNames one = work_names_of("a", "plant", "11112222");
    EXPECT_NE(one.outgoing, work_names_of("a", "plant", "33334444").outgoing);
    EXPECT_TRUE(one.outgoing.starts_with(stems.outgoing));
    EXPECT_EQ(work_stem_of(one.outgoing), stems.outgoing);
    EXPECT_EQ(work_stem_of(one.incoming), stems.incoming);
}

TEST(RestorePlan, AFolderOnWindowsIsWrittenAsTheServerStoresIt) {
    RestoreCase restore = plain_case();
    restore.settings.data_folder = "D:/SQL/data";
    EXPECT_TRUE(plan_restore(restore, "g").primary.starts_with("D:\\SQL\\data\\"));
    restore.server.path_separator = "/";
    restore.settings.data_folder = "/srv/data";
    EXPECT_TRUE(plan_restore(restore, "g").primary.starts_with("/srv/data/"));
}

TEST(RestorePlan, TheCopyNeedsRoomBesideWhatTheDatabaseGrowsBy) {
    RestoreCase restore = case_over_existing();
    restore.settings.restore_mode = RestoreMode::in_place;
    restore.target.volumes = {{"E:\\", 60 * mebibyte}, {"F:\\", 1000 * mebibyte}};
    const RestorePlan plan = plan_restore(restore, "g");
    const auto shortage = [&](std::uint64_t bytes, std::optional<std::uint64_t> here) {
        return copy_shortage(restore, plan, "E:\\copy.bak", bytes, here);
    };
    EXPECT_EQ(shortage(50 * mebibyte, {}), "");
    EXPECT_NE(shortage(51 * mebibyte, {}), "") << "the data file grows by 10";
    EXPECT_EQ(shortage(60 * mebibyte, 61 * mebibyte), "") << "another disk, as this computer says";
    EXPECT_NE(shortage(62 * mebibyte, 61 * mebibyte), "");
    EXPECT_EQ(copy_shortage(restore, plan, "Z:\\copy.bak", mebibyte << 20, {}), "") << "not known";
}

// 28, 29 and 31: each rule alone.
TEST(Preconditions, EachSpeaksForItselfWithASentence) {
    EXPECT_EQ(refused(case_over_existing()), "");
    EXPECT_EQ(refused(plain_case()), "");
    using Spoil = void (*)(RestoreCase&);
    const std::vector<std::pair<std::string, Spoil>> cases = {
        {"system-database", [](RestoreCase& r) { r.database = "MSDB"; }},
        {"system-package", [](RestoreCase& r) { r.backup.headers[0].database = "master"; }},
        {"server", [](RestoreCase& r) { r.server.engine_edition = 5; }},
        {"version", [](RestoreCase& r) { r.backup.headers[0].version.version.major = 16; }},
        {"version", [](RestoreCase& r) { r.backup.headers[0].version.version.major = 14; }},
        {"version", [](RestoreCase& r) { r.backup.headers[0].version.format = 869; }},
        {"snapshot", [](RestoreCase& r) { r.target.entry->is_snapshot = true; }},
        {"snapshot", [](RestoreCase& r) { r.target.snapshots = {"s"}; }},
        {"availability-group", [](RestoreCase& r) { r.target.entry->is_in_group = true; }},
        {"mirror", [](RestoreCase& r) { r.target.entry->is_mirrored = true; }},
        {"standby", [](RestoreCase& r) { r.target.entry->is_standby = true; }},
        {"state", [](RestoreCase& r) { r.target.entry->state = "OFFLINE"; }},
        {"state", [](RestoreCase& r) { r.target.entry->state = "RESTORING"; }},
        {"state", [](RestoreCase& r) { r.target.entry->state = "SUSPECT"; }},
        {"read-only", [](RestoreCase& r) { r.target.entry->is_read_only = true; }},
        {"single-user", [](RestoreCase& r) { r.target.entry->access = "SINGLE_USER"; }},
        {"replication", [](RestoreCase& r) { r.target.entry->is_published = true; }},
        {"replication", [](RestoreCase& r) { r.target.entry->is_cdc_enabled = true; }},
        {"replication", [](RestoreCase& r) { r.target.entry->is_distributor = true; }},
        {"family", [](RestoreCase& r) { r.target.family_guid = "B"; }},
        {"certificate", [](RestoreCase& r) { r.backup.files[0].tde_thumbprint = "\x01"; }},
        {"certificate", [](RestoreCase& r) { r.backup.headers[0].encryptor_thumbprint = "x"; }},
        {"streams", [](RestoreCase& r) { r.backup.files[0].kind = FileKind::stream; }},
        {"unknown-streams",
         [](RestoreCase& r) {
             r.server.has_in_memory = true;
             r.backup.files[0].kind = FileKind::stream;
         }},
        {"containment",
         [](RestoreCase& r) {
             r.backup.headers[0].containment = 1;
             r.target.takes_contained = false;
         }},
        {"express-limit", [](RestoreCase& r) { r.backup.files[0].byte_count = 10241 * mebibyte; }},
    };
    std::set<std::string> seen;
    for (const auto& [id, spoil] : cases) {
        RestoreCase restore = case_over_existing();
        spoil(restore);
        const auto refusal = first_refusal(restore);
        ASSERT_TRUE(refusal) << id;
        EXPECT_EQ(refusal->id, id) << refusal->sentence;
        EXPECT_TRUE(refusal->sentence.ends_with(".")) << refusal->sentence;
        seen.emplace(refusal->id);
    }
    EXPECT_EQ(seen.size(), preconditions().size()) << "a rule without a case";
}

TEST(Preconditions, SettingsAndWhatIsThereAllowWhatWouldBeRefused) {
    RestoreCase restore = case_over_existing();
    restore.target.family_guid = "B";
    restore.target.has_baseline = false;
    EXPECT_EQ(refused(restore), "") << "the first time";
    restore.target.has_baseline = true;
    restore.settings.accepts_foreign_family = true;
    EXPECT_EQ(refused(restore), "");
    restore.target.entry->is_published = true;
    restore.settings.accepts_replication = true;
    EXPECT_EQ(refused(restore), "");
    restore.backup.files[0].tde_thumbprint = "\x01";
    restore.target.thumbprints = {"\x01"};
    EXPECT_EQ(refused(restore), "");
    restore.backup.files[0].byte_count = 20000 * mebibyte;
    restore.server.version.major = 17;
    restore.backup.headers[0].version.version.major = 17;
    EXPECT_EQ(refused(restore), "") << "50 GB since 2025";
}

Intent full_intent() {
    Intent intent;
    std::vector<std::string*> texts = {&intent.key,         &intent.database,    &intent.backup_set,
                                       &intent.content,     &intent.apply_id,    &intent.primary,
                                       &intent.incoming,    &intent.outgoing,    &intent.kept_name,
                                       &intent.safety_file, &intent.safety_here, &intent.access,
                                       &intent.owner,       &intent.fork};
    for (std::size_t i = 0; i < texts.size(); ++i)
        *texts[i] = "value=\\n\n\\" + std::to_string(i) + "Žluť😀";
    intent.step = RestoreStep::replacing;
    intent.changed_at = -5;
    intent.last_restore = 77;
    intent.was_there = intent.was_trustworthy = intent.was_chaining = true;
    intent.had_broker = intent.is_given_up = true;
    return intent;
}

TEST(RestoreJournal, AnIntentComesBackWhole) {
    EXPECT_EQ(decode_intent(encode(full_intent())), full_intent());
    EXPECT_EQ(decode_intent(encode(Intent())), Intent());
    EXPECT_FALSE(decode_intent(""));
    EXPECT_FALSE(decode_intent("something else"));
    const std::string whole = encode(full_intent());
    for (std::size_t cut = 0; cut < whole.size(); cut += 7)
        decode_intent(whole.substr(0, cut)); // never more than nothing
}

TEST(RestoreJournal, OpenIntentsAreThoseThatWereNotRemoved) {
    stationsync::test::FakeHost host;
    RestoreJournal journal{sdk::Host(host.abi())};
    EXPECT_TRUE(journal.open_intents().empty());
    Intent first = full_intent();
    first.key = "a";
    Intent second = full_intent();
    second.key = std::string(4000, 'k');
    journal.put(first);
    journal.put(second);
    first.step = RestoreStep::replaced;
    journal.put(first);
    EXPECT_EQ(journal.open_intents(), (std::vector{first, second}));
    EXPECT_EQ(journal.find("a"), first);
    journal.remove("a");
    journal.remove("a");
    EXPECT_FALSE(journal.find("a"));
    RestoreJournal later{sdk::Host(host.abi())};
    EXPECT_EQ(later.open_intents(), std::vector{second});
    later.remove(second.key);
    EXPECT_TRUE(later.open_intents().empty());
}

} // namespace
} // namespace stationsync::sqlserver::test
