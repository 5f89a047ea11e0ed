#include "base/program.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace stationsync::host::doctor {
namespace {

using End = ProgramRun::End;
using namespace std::chrono_literals;

TEST(Program, OutputErrorsAndExitCodeAreTold) {
    const auto run = run_external({"sh", "-c", "echo out; echo err >&2; exit 3"}, 60s);
    EXPECT_EQ(run.end, End::ended);
    EXPECT_EQ(run.code, 3);
    EXPECT_EQ(run.out, "out\n");
    EXPECT_EQ(run.err, "err\n");
    EXPECT_FALSE(run.succeeded());
}

TEST(Program, AProgramThatIsNotThereIsNoFailureOfTheSystem) {
    EXPECT_EQ(run_external({"stationsync-no-such-program"}, 60s).end, End::not_found);
    EXPECT_EQ(run_external({"/no/such/program"}, 60s).end, End::not_found);
    EXPECT_EQ(run_external({}, 60s).end, End::not_found);
}

TEST(Program, WhatHangsIsEndedWithItsChildren) {
    const auto begin = std::chrono::steady_clock::now();
    const auto run = run_external({"sh", "-c", "sleep 1000 & sleep 1000"}, 200ms);
    EXPECT_EQ(run.end, End::timed_out);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 60s);
}

TEST(Program, WhatClosesItsOutputAndHangsIsEnded) {
    const auto run = run_external({"sh", "-c", "exec >&- 2>&-; sleep 1000"}, 200ms);
    EXPECT_EQ(run.end, End::timed_out);
    EXPECT_EQ(run.trouble, "takes longer than 0 s");
}

TEST(Program, ACrashIsToldApartFromAnExitCode) {
    const auto run = run_external({"sh", "-c", "kill -SEGV $$"}, 60s);
    EXPECT_EQ(run.end, End::failed);
    EXPECT_EQ(run.trouble, "was ended by signal 11");
}

TEST(Program, ItReadsNothingAndSpeaksEnglish) {
    EXPECT_EQ(run_external({"sh", "-c", "cat; echo $LC_ALL"}, 60s).out, "C.UTF-8\n");
}

TEST(Program, MuchOutputDoesNotBlockIt) {
    const auto run = run_external({"sh", "-c", "head -c 20000000 /dev/zero"}, 60s);
    EXPECT_TRUE(run.succeeded());
    EXPECT_EQ(run.out.size(), program_output_bytes_max);
}

TEST(Program, ALineOfTheConfigurationGoesThroughTheShellAndItsErrorsAreDropped) {
    const auto run = run_command_line("echo one | tr o 0; echo err >&2; exit 4", 60s);
    EXPECT_EQ(run.end, End::ended);
    EXPECT_EQ(run.code, 4);
    EXPECT_EQ(run.out, "0ne\n");
    EXPECT_EQ(run.err, "");
}

} // namespace
} // namespace stationsync::host::doctor
