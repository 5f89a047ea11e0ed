#include "backup_header.hpp"

#include "scripted_session.hpp"

#include <stationsync/error.hpp>

namespace stationsync::sqlserver::test {
namespace {

std::vector<std::pair<std::string, std::string>> header_fields() {
    return {{"BackupName", "p1"},
            {"BackupDescription", "station=a"},
            {"BackupType", "1"},
            {"Compressed", "0"},
            {"Position", "1"},
            {"DatabaseName", "x'y; DROP DATABASE plant--"},
            {"DatabaseVersion", "904"},
            {"FirstLSN", "45000000016600190"},
            {"LastLSN", "45000000016600191"},
            {"BackupStartDate", "2024-05-01 13:45:10.000"},
            {"BackupFinishDate", "2024-05-01 13:45:11.003"},
            {"CompatibilityLevel", "150"},
            {"SoftwareVersionMajor", "15"},
            {"SoftwareVersionMinor", "0"},
            {"SoftwareVersionBuild", "4430"},
            {"RecoveryForkID", "6f9619ff-8b86-d011-b42d-00c04fc964ff"},
            {"Collation", "Czech_CI_AS"},
            {"FamilyGUID", "6F9619FF-8B86-D011-B42D-00C04FC964FE"},
            {"HasBackupChecksums", "1"},
            {"IsDamaged", "0"},
            {"IsCopyOnly", "1"},
            {"RecoveryModel", "SIMPLE"},
            {"BackupSetGUID", "6F9619FF-8B86-D011-B42D-00C04FC964FD"}};
}

std::vector<std::pair<std::string, std::string>>
file_fields(const std::string& name, const std::string& kind, const std::string& size) {
    return {{"LogicalName", name}, {"PhysicalName", "C:\\" + name},
            {"Type", kind},        {"Size", size},
            {"FileId", "1"},       {"IsPresent", "1"}};
}

Answer rows(std::vector<Answer> answers) {
    Answer all = std::move(answers.front());
    for (std::size_t i = 1; i < answers.size(); ++i)
        all.results.front().rows.push_back(answers[i].results.front().rows.front());
    return all;
}

Backup good_backup() {
    Backup backup;
    backup.headers.push_back(parse_header(one_row(header_fields()).row()));
    backup.files = {parse_file(one_row(file_fields("plant", "D", "8388608")).row()),
                    parse_file(one_row(file_fields("plant_log", "L", "1048576")).row())};
    return backup;
}

TEST(BackupHeader, IsReadByNameFromThreeQuestions) {
    ScriptedSession session;
    session.expect("RESTORE LABELONLY FROM DISK = N'C:\\it''s.bak'",
                   one_row({{"MediaName", "p1"}, {"FamilyCount", "1"}}));
    session.expect("RESTORE HEADERONLY FROM DISK = N'C:\\it''s.bak'", one_row(header_fields()));
    session.expect("RESTORE FILELISTONLY FROM DISK = N'C:\\it''s.bak'",
                   rows({one_row(file_fields("plant", "D", "20000000000000000000")),
                         one_row(file_fields("log", "L", "1024"))}));
    const Backup backup = read_backup(session, "C:\\it's.bak", nullptr);
    EXPECT_EQ(backup.label.media_name, "p1");
    const BackupHeader& header = backup.header();
    EXPECT_EQ(header.database, "x'y; DROP DATABASE plant--");
    EXPECT_EQ(header.version.version, (ServerVersion{15, 0, 4430, 0}));
    EXPECT_EQ(header.version.format, 904);
    EXPECT_EQ(header.first_lsn, parse_lsn("45000000016600190"));
    EXPECT_EQ(header.fork_guid, "6F9619FF-8B86-D011-B42D-00C04FC964FF");
    EXPECT_EQ(header.finished->microseconds() - header.started->microseconds(), 1003000);
    EXPECT_TRUE(header.is_copy_only && header.has_checksums);
    ASSERT_EQ(backup.files.size(), 2u);
    EXPECT_EQ(backup.files[1].kind, FileKind::log);
    EXPECT_EQ(backup.data_bytes(), std::numeric_limits<std::uint64_t>::max())
        << "a size of nonsense is large, not small";
    EXPECT_EQ(backup.all_bytes(), std::numeric_limits<std::uint64_t>::max());
}

TEST(BackupHeader, ColumnsThatAVersionLacksAreAsIfNull) {
    const BackupHeader header = parse_header(one_row({{"BackupType", "1"},
                                                      {"SoftwareVersionMajor", "11"},
                                                      {"SoftwareVersionMinor", "0"},
                                                      {"SoftwareVersionBuild", "NULL"},
                                                      {"DatabaseVersion", "706"}})
                                                 .row());
    EXPECT_EQ(header.kind, 1);
    EXPECT_EQ(header.key_algorithm, "");
    EXPECT_FALSE(header.first_lsn);
    EXPECT_FALSE(header.has_checksums);
}

TEST(BackupHeader, WhatTheServerSaysOfTheFileIsTold) {
    ScriptedSession session;
    session.expect("LABELONLY", failed({error(3241), error(3013)}));
    try {
        read_backup(session, "C:\\x.bak", nullptr);
        FAIL();
    } catch (const sdk::Error& failure) {
        EXPECT_EQ(failure.status(), STSYNC_CORRUPT);
    }
    ScriptedSession other;
    other.expect("LABELONLY",
                 failed({error(3201, "Cannot open 'C:\\x.bak'. Operating system error 5(no)"),
                         error(3013)}));
    try {
        read_backup(other, "C:\\x.bak", nullptr);
        FAIL();
    } catch (const sdk::Error& failure) {
        EXPECT_EQ(failure.status(), STSYNC_DENIED);
        EXPECT_NE(std::string(failure.what()).find("C:\\x.bak"), std::string::npos);
    }
}

TEST(BackupHeader, OnlyOneWholeCheckedCopyIsAPackage) {
    EXPECT_EQ(defect_of(good_backup()), "");
    const std::vector<std::pair<std::string, void (*)(Backup&)>> cases = {
        {"over 2 files", [](Backup& b) { b.label.family_count = 2; }},
        {"0 backups", [](Backup& b) { b.headers.clear(); }},
        {"2 backups", [](Backup& b) { b.headers.push_back(b.headers.front()); }},
        {"not a full backup", [](Backup& b) { b.headers.front().kind = 5; }},
        {"not a full backup", [](Backup& b) { b.headers.front().is_snapshot = true; }},
        {"damage", [](Backup& b) { b.headers.front().is_damaged = true; }},
        {"no checksums", [](Backup& b) { b.headers.front().has_checksums = false; }},
        {"not a copy-only", [](Backup& b) { b.headers.front().is_copy_only = false; }},
        {"all files", [](Backup& b) { b.files.front().is_present = false; }},
        {"no data file", [](Backup& b) { b.files.pop_back(); }},
    };
    for (const auto& [text, spoil] : cases) {
        Backup backup = good_backup();
        spoil(backup);
        EXPECT_NE(defect_of(backup).find(text), std::string::npos) << text;
    }
}

} // namespace
} // namespace stationsync::sqlserver::test
