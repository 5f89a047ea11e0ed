// The commands against a directory that the service cannot write, run as they are told.
#include "base/program.hpp"
#include "doctor/checks.hpp"

#include "support/temp_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

namespace stationsync::host::doctor {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr uid_t stranger = 65534;

uid_t owner_of(const std::filesystem::path& path) {
    struct stat facts {};
    return ::lstat(path.c_str(), &facts) == 0 ? facts.st_uid : static_cast<uid_t>(-1);
}

bool run(const std::string& command) {
    constexpr std::chrono::seconds patience{60};
    return run_command_line(command.substr(0, command.find("   ")), patience).succeeded();
}

class DoctorDirectories : public testing::Test {
protected:
    DoctorDirectories() {
        facts_.paths = paths_of(folder_.path());
        std::filesystem::create_directories(facts_.paths.state);
        std::filesystem::create_directories(facts_.paths.history);
        test::write_file(facts_.paths.identity_file(), "key");
    }
    Finding sync() {
        Findings findings;
        check_directories(facts_, findings);
        const auto found = std::ranges::find(findings.all(), "directories.sync", &Finding::id);
        return found == findings.all().end() ? Finding{} : *found;
    }
    // The service has an account of its own.
    void give_to_stranger(const std::filesystem::path& path) {
        ASSERT_EQ(::lchown(path.c_str(), stranger, stranger), 0);
    }

    test::TempFolder folder_;
    StationFacts facts_;
};

TEST_F(DoctorDirectories, ADirectoryThatIsNotThereIsMadeAndNoAncestorIsGivenAway) {
    if (::geteuid() != 0) {
        GTEST_SKIP() << "needs root: gives files to another account";
    }
    give_to_stranger(facts_.paths.identity_file());
    const auto ancestor = folder_ / "programs of others";
    facts_.paths.sync = ancestor / "plant" / "sync";
    std::filesystem::create_directory(ancestor);
    const auto other = ancestor / "database";
    test::write_file(other, "of another program");
    const auto finding = sync();
    ASSERT_EQ(finding.severity, Severity::problem) << finding.text;
    EXPECT_THAT(finding.remedy, StartsWith("mkdir -p '"));
    ASSERT_TRUE(run(finding.remedy)) << finding.remedy;
    EXPECT_EQ(sync().severity, Severity::ok) << sync().text;
    EXPECT_EQ(owner_of(facts_.paths.sync), stranger);
    EXPECT_EQ(owner_of(ancestor), ::geteuid());
    EXPECT_EQ(owner_of(other), ::geteuid());
}

TEST_F(DoctorDirectories, ADirectoryThatIsThereIsGivenToTheService) {
    if (::geteuid() != 0) {
        GTEST_SKIP() << "needs root: gives files to another account";
    }
    give_to_stranger(facts_.paths.identity_file());
    std::filesystem::create_directories(facts_.paths.sync / "recipes");
    const auto finding = sync();
    ASSERT_EQ(finding.severity, Severity::problem) << finding.text;
    ASSERT_TRUE(run(finding.remedy)) << finding.remedy;
    EXPECT_EQ(sync().severity, Severity::ok) << sync().text;
    EXPECT_EQ(owner_of(facts_.paths.sync / "recipes"), stranger);
}

TEST_F(DoctorDirectories, AClosedAncestorOfTheOwnAccountIsNotTouchedEither) {
    if (::geteuid() == 0) {
        GTEST_SKIP() << "root may write everywhere";
    }
    const auto ancestor = folder_ / "closed";
    std::filesystem::create_directory(ancestor);
    std::filesystem::permissions(ancestor, std::filesystem::perms::owner_read |
                                               std::filesystem::perms::owner_exec);
    facts_.paths.sync = ancestor / "sync";
    const auto finding = sync();
    EXPECT_EQ(finding.severity, Severity::problem);
    EXPECT_THAT(finding.remedy, StartsWith("mkdir -p "));
    EXPECT_THAT(finding.remedy, Not(HasSubstr("-R")));
}

} // namespace
} // namespace stationsync::host::doctor
