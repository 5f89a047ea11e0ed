// The table of errors, held against a second one that was written down from the reference notes on
// SQL Server, number by number.
#include "errors.hpp"

#include "scripted_session.hpp"

#include <algorithm>
#include <tuple>

namespace stationsync::sqlserver {
namespace {

using test::error;
using test::information;

constexpr auto connecting = Phase::connecting;
constexpr auto running = Phase::running;

struct Expected {
    Handling handling;
    const char* sentence; // a part of it
    std::vector<std::int32_t> numbers;
};

// In the order of the notes.
const std::vector<Expected>& noted() {
    using enum Handling;
    static const std::vector<Expected> table = {
        {retry, "could not be locked", {3101}},
        {retry_once, "this service itself", {3102}},
        {never, "autocommit is off", {3021}},
        {retry, "is running", {3023, 5059, 952, 5034}},
        {none, "", {3041, 3013, 3119}},
        {never, "is damaged", {3043, 3049}},
        {after_change, "cannot open the backup", {3201}},
        {after_change, "could not write", {3202}},
        {retry, "broken off", {3204}},
        {none, "", {3211, 3014, 4035, 3262, 5060, 3406, 3407}},
        {after_change, "no right", {3110, 262, 15247, 297, 300, 229, 916}},
        {never, "not a full backup", {3117, 3118, 3136}},
        {never, "does not exist any more", {3123, 911, 5002}},
        {never, "several files", {3132, 3133, 3227, 3231}},
        {retry_once, "exists or belongs", {3142, 3156, 3176, 1834, 5104, 5170}},
        {never, "another database", {3154}},
        {never, "tail of the log", {3159}},
        {never, "system database", {3147, 3108, 3168, 3179}},
        {never, "availability group", {3104, 3059, 3062}},
        {never, "snapshot", {3002, 5094, 3137}},
        {never, "cannot be restored by", {3169, 3255, 943, 946, 948, 950}},
        {never, "edition", {905, 909, 932, 933, 934, 937, 3167}},
        {retry_once,
         "damaged or incomplete",
         {3183, 3186, 3187, 3189, 3241, 3242, 3243, 3256, 3266, 3203, 3208}},
        {retry_once, "under the names expected", {3234}},
        {after_change, "is full", {3257, 1105, 1101, 5149, 3140}},
        {never, "Express: 10 GB", {1827}},
        {after_change, "transaction log", {9002}},
        {never, "other sectors", {3268, 3269, 3272}},
        {never, "another backup is in it", {3097, 3098, 3095}},
        {retry_once, "neither compress nor encrypt", {1844}},
        {after_change, "certificate or the master key", {33111, 15581}},
        {after_change, "FILESTREAM", {5591, 41381, 41823}},
        {retry, "could not be locked", {5030, 5061, 5064, 5070, 924, 1807, 1222}},
        {retry, "waiting for each other", {1205}},
        {retry, "starting or recovering", {921, 922, 941}},
        {retry, "being restored", {927}},
        {after_change, "offline", {942}},
        {after_change, "missing", {945}},
        {never, "suspect", {926}},
        {retry, "begins in", {4060, 4064}},
        {after_change, "refuses the login", {18456, 18452, 18470, 18488}},
        {retry, "too little memory", {701, 802, 8645, 845, 833}},
        {never, "own disks", {823, 824, 825, 3271, 3313, 3314, 3414, 3456}},
        {retry,
         "connection to SQL Server was lost",
         {596, 20006, 20017, 233, 10054, 64, 121, 6005, 17142}},
        {after_change, "not trusted", {-2146893019}},
    };
    return table;
}

TEST(ErrorTable, HoldsEveryNumberOfTheNotesWithItsRetryClass) {
    for (const Expected& expected : noted())
        for (const std::int32_t number : expected.numbers) {
            const ErrorRule* const rule = rule_of(error(number), running);
            ASSERT_NE(rule, nullptr) << number;
            EXPECT_EQ(rule->handling, expected.handling) << number;
            EXPECT_NE(rule->sentence.find(expected.sentence), std::string_view::npos)
                << number << ": " << rule->sentence;
        }
}

TEST(ErrorTable, SomeNumbersMeanAServerOutOfReachWhileConnectingOnly) {
    for (const std::int32_t number : {2, 26, 53, 258, 10060, 10061, 11001}) {
        const ErrorRule* const rule = rule_of(error(number), connecting);
        ASSERT_NE(rule, nullptr) << number;
        EXPECT_EQ(rule->id, "server-unreachable") << number;
        EXPECT_EQ(rule_of(error(number), running), nullptr) << number;
    }
    EXPECT_EQ(rule_of(error(20009), running)->id, "server-unreachable");
    EXPECT_EQ(rule_of(error(20013), connecting)->id, "server-unreachable");
    EXPECT_EQ(rule_of(error(0, "timeout", "HYT00"), connecting)->id, "server-unreachable");
    EXPECT_EQ(rule_of(error(0, "gone", "08S01"), connecting)->id, "server-unreachable");
    EXPECT_EQ(rule_of(error(0, "gone", "08S01"), running)->id, "connection-lost");
    EXPECT_EQ(rule_of(error(0, "no driver", "IM002"), connecting)->id, "driver-missing");
    EXPECT_EQ(rule_of(error(0, "no driver", "IM003"), connecting)->id, "driver-missing");
    EXPECT_EQ(rule_of({"01000", 0, "[unixODBC][Driver Manager]Can't open lib 'x'"}, connecting)->id,
              "driver-missing");
    EXPECT_EQ(rule_of(error(0, "no", "28000"), connecting)->id, "login-refused");
}

TEST(ErrorTable, StatusesAreThoseOfTheirRetryClass) {
    const auto is_one_of = [](stsync_status status, std::initializer_list<stsync_status> all) {
        return std::find(all.begin(), all.end(), status) != all.end();
    };
    for (const ErrorRule& rule : error_rules()) {
        switch (rule.handling) {
        case Handling::none:
            EXPECT_EQ(rule.status, STSYNC_OK) << rule.id;
            break;
        case Handling::retry:
            EXPECT_EQ(rule.status, STSYNC_BUSY) << rule.id;
            break;
        case Handling::retry_once: // and if that does not help, a new package or another time
            EXPECT_TRUE(is_one_of(rule.status, {STSYNC_BUSY, STSYNC_CORRUPT})) << rule.id;
            break;
        case Handling::after_change:
            EXPECT_TRUE(
                is_one_of(rule.status, {STSYNC_DENIED, STSYNC_NO_SPACE, STSYNC_INCOMPATIBLE}))
                << rule.id;
            break;
        case Handling::never:
            EXPECT_TRUE(
                is_one_of(rule.status, {STSYNC_UNSUPPORTED, STSYNC_INVALID_ARG, STSYNC_CORRUPT,
                                        STSYNC_INCOMPATIBLE, STSYNC_NOT_FOUND}))
                << rule.id;
            break;
        }
    }
}

TEST(ErrorTable, IsSortedAndWhole) {
    const auto rules = error_rules();
    EXPECT_TRUE(std::is_sorted(rules.begin(), rules.end(),
                               [](const auto& a, const auto& b) { return a.id < b.id; }));
    const auto numbers = error_numbers();
    for (std::size_t i = 1; i < numbers.size(); ++i)
        EXPECT_LT(std::tuple(numbers[i - 1].number, numbers[i - 1].system),
                  std::tuple(numbers[i].number, numbers[i].system));
    for (const ErrorNumber& number : numbers)
        EXPECT_NE(find_error_rule(number.rule), nullptr) << number.number << ' ' << number.rule;
    for (const ErrorRule& rule : rules) {
        const bool is_used =
            rule.id == "driver-missing" ||
            std::any_of(numbers.begin(), numbers.end(),
                        [&](const ErrorNumber& each) { return each.rule == rule.id; });
        EXPECT_TRUE(is_used) << rule.id;
    }
}

TEST(ErrorTable, SentencesAreWholeAlsoWithoutValues) {
    for (const ErrorRule& rule : error_rules()) {
        const std::string sentence = fill_in(rule.sentence, {});
        EXPECT_TRUE(sentence.ends_with('.')) << rule.id << ": " << sentence;
        EXPECT_EQ(sentence.find_first_of("{}|"), std::string::npos) << sentence;
        const std::string remedy = fill_in(rule.remedy, {});
        EXPECT_EQ(remedy.empty(), rule.handling == Handling::none) << rule.id;
        EXPECT_EQ(remedy.find_first_of("{}|"), std::string::npos) << remedy;
        EXPECT_EQ(sentence.find("  "), std::string::npos) << sentence;
    }
}

TEST(FillIn, TakesTheValueOrWhatIsBehindTheBar) {
    EXPECT_EQ(fill_in("a {x|nothing} b", {{"x", "1"}}), "a 1 b");
    EXPECT_EQ(fill_in("a {x|nothing} b", {{"x", ""}}), "a nothing b");
    EXPECT_EQ(fill_in("a {x|nothing} b{y|}", {}), "a nothing b");
    EXPECT_EQ(fill_in("{x}{x}", {{"x", "{x}"}}), "{x}{x}") << "values are not filled in again";
    EXPECT_EQ(fill_in("open {x", {{"x", "1"}}), "open {x");
}

TEST(SystemError, IsReadFromTheTextInEveryLanguage) {
    EXPECT_EQ(system_error_in("Cannot open backup device 'C:\\a\\b.bak'. Operating system error "
                              "5(Access is denied.)."),
              5);
    EXPECT_EQ(system_error_in("Das Sicherungsmedium 'C:\\b.bak' kann nicht geöffnet werden. "
                              "Betriebssystemfehler 5(Zugriff verweigert)."),
              5);
    EXPECT_EQ(system_error_in("device 'C:\\copy 32(1)\\b.bak'. Operating system error 112(full)"),
              112)
        << "the name of the file is not looked at";
    EXPECT_EQ(system_error_in("Read on \"C:\\copy 5(1)\\b.bak\" failed: 38(Reached the end)"), 38);
    EXPECT_EQ(system_error_in("Impossible d'ouvrir l'unité de sauvegarde 'C:\\x.bak'. Erreur du "
                              "système d'exploitation 5(L'accès est refusé.)."),
              5);
    EXPECT_EQ(
        system_error_in("The operating system returned the error '5(Access is denied.)' while "
                        "attempting 'RestoreContainer::ValidateTargetForCreation' on 'C:\\x'."),
        5);
    EXPECT_EQ(system_error_in("Cannot open backup device '/var/x'. Operating system error (x)"), 0);
    EXPECT_EQ(system_error_in(""), 0);
    EXPECT_EQ(system_error_in("99999999999999(x)"), 0);
}

Diagnostic not_opened(int system) {
    return error(3201, "Cannot open backup device 'C:\\x.bak'. Operating system error " +
                           std::to_string(system) + "(text).");
}

TEST(SystemError, TellsWhyAFileWasNotOpened) {
    const auto rule = [](int system) {
        return std::string(rule_of(not_opened(system), running)->id);
    };
    EXPECT_EQ(rule(5), "folder-denied");
    EXPECT_EQ(rule(2), "path-missing");
    EXPECT_EQ(rule(3), "path-missing");
    EXPECT_EQ(rule(32), "file-locked");
    EXPECT_EQ(rule(53), "network-path");
    EXPECT_EQ(rule(1326), "network-path");
    EXPECT_EQ(rule(112), "disk-full-backup");
    EXPECT_EQ(rule(21), "file-not-opened");
    EXPECT_EQ(find_error_rule("file-locked")->handling, Handling::retry);
    EXPECT_EQ(find_error_rule("folder-denied")->handling, Handling::after_change);
    EXPECT_EQ(rule_of(error(3202, "Write on 'x' failed: 112(full)"), running)->status,
              STSYNC_NO_SPACE);
}

TEST(SystemError, OfAFolderForDatabaseFilesNamesNoPackage) {
    for (const std::int32_t number : {3634, 5120, 5133})
        for (const auto& [system, wanted] :
             {std::pair(5, "database-file-denied"), std::pair(3, "database-file-missing")}) {
            const Diagnostic said = error(number, "Lookup of 'D:\\x.mdf' failed with the operating "
                                                  "system error " +
                                                      std::to_string(system) + "(text).");
            const Problem problem =
                problem_of({said, error(3156), error(3013)}, Ending::failed, running,
                           {{"file", "C:\\sync\\1.bak"}, {"database", "plant"}});
            EXPECT_EQ(problem.rule, wanted) << number;
            const std::string text = problem.to_error().what();
            EXPECT_EQ(text.find("1.bak"), std::string::npos) << text;
            EXPECT_NE(text.find("data_folder"), std::string::npos) << text;
            EXPECT_NE(text.find("D:\\x.mdf"), std::string::npos) << text;
        }
}

TEST(SystemError, OfABackupThatCannotReadConcernsTheDatabaseAndNoPackage) {
    const Diagnostic said = error(3203, "Read on 'D:\\plant.mdf' failed: 23(Data error)");
    EXPECT_EQ(rule_of(said, Phase::backing_up)->id, "io-error");
    EXPECT_EQ(rule_of(said, running)->id, "package-damaged");
    EXPECT_EQ(rule_of(error(3203, "Read on 'x' failed: 5(denied)"), Phase::backing_up)->id,
              "io-error");
    EXPECT_EQ(problem_of({}, Ending::late, Phase::backing_up, {}).rule, "late");
}

TEST(Sentence, OfARefusedChangeNamesBothReasons) {
    const std::string text =
        problem_of({error(5011)}, Ending::failed, running, {}).to_error().what();
    EXPECT_NE(text.find("no right"), std::string::npos) << text;
    EXPECT_NE(text.find("state"), std::string::npos) << text;
}

TEST(Sentence, IsThereForWhatARestoreCanMeet) {
    for (const std::int32_t number : {1801, 3702, 3724, 5120, 12824, 15110})
        EXPECT_FALSE(problem_of({error(number)}, Ending::failed, running, {}).rule.empty())
            << number;
}

// Number of the message that counts, 0 = none.
std::int32_t main_of(const std::vector<Diagnostic>& messages, Phase phase = running) {
    const Diagnostic* const main = main_message(messages, phase);
    return main == nullptr ? 0 : main->number;
}

TEST(ComposedCause, IsReducedToTheOneThatCountsInAnyOrder) {
    struct Case {
        std::vector<Diagnostic> messages;
        std::int32_t main;
        Phase phase = running;
    };
    const std::vector<Case> cases = {
        {{not_opened(5), error(3013)}, 3201},
        {{error(3241), error(3013), information(3211)}, 3241},
        {{error(3203), error(3119), error(3013)}, 3203},
        {{error(5061), error(5069)}, 5061},
        {{error(4060), error(18456, "Login failed", "28000")}, 4060, connecting},
        {{error(4064), error(18456, "Login failed", "28000")}, 4064, connecting},
        {{error(0, "Operation canceled", "HY008"), error(3204), error(3013)}, 3204},
        {{error(0, "Operation canceled", "HY008"), error(3203)}, 3203},
        {{error(3634, "error '5(denied)' while attempting 'x' on 'y'"), error(3156), error(3013)},
         3634},
        {{error(5133, "Directory lookup for the file 'x' failed with the operating system error "
                      "3(not found)."),
          error(3156), error(3013)},
         5133},
        {{error(99999), error(3169)}, 3169},
        {{error(20017, "EOF", "08S01"), error(823)}, 823},
        {{information(5701), information(5703)}, 0},
        {{error(3013)}, 3013},
    };
    for (const Case& each : cases) {
        std::vector<Diagnostic> messages = each.messages;
        EXPECT_EQ(main_of(messages, each.phase), each.main);
        std::reverse(messages.begin(), messages.end());
        EXPECT_EQ(main_of(messages, each.phase), each.main) << "reversed";
    }
}

TEST(ComposedCause, OfEqualOnesTheFirstCounts) {
    EXPECT_EQ(main_of({error(3101), error(3201)}), 3101);
    EXPECT_EQ(main_of({error(99998), error(99999)}), 99998);
}

TEST(Problem, HasSentenceRemedyAndWhatTheServerSaid) {
    const Problem problem = problem_of(
        {error(3101, "Exclusive access could not be obtained"), error(3013)}, Ending::failed,
        running, {{"database", "Batch"}, {"sessions", ": Batch.exe on PC7 as plant"}});
    EXPECT_EQ(problem.rule, "lock-not-obtained");
    EXPECT_EQ(problem.status, STSYNC_BUSY);
    EXPECT_EQ(problem.sentence, "The database 'Batch' could not be locked, because others are in "
                                "it: Batch.exe on PC7 as plant.");
    const sdk::Error failure = problem.to_error();
    EXPECT_EQ(failure.status(), STSYNC_BUSY);
    EXPECT_NE(std::string(failure.what()).find("(3101: Exclusive access could not be obtained)"),
              std::string::npos)
        << failure.what();
}

TEST(Problem, UnknownNumbersAreToldAsTheyAre) {
    const Problem problem = problem_of({error(13579, "Kaputt")}, Ending::failed, running, {});
    EXPECT_EQ(problem.rule, "");
    EXPECT_EQ(problem.status, STSYNC_INTERNAL);
    EXPECT_NE(std::string(problem.to_error().what()).find("13579: Kaputt"), std::string::npos);
    EXPECT_EQ(problem_of({error(3013, "trailer")}, Ending::failed, running, {}).number, 3013);
}

TEST(Problem, OfAnEndOnRequestIsNoFaultOfTheServer) {
    const std::vector<Diagnostic> ended = {error(0, "Operation canceled", "HY008"), error(3013)};
    EXPECT_EQ(problem_of(ended, Ending::cancelled, running, {}).rule, "cancelled");
    EXPECT_EQ(problem_of(ended, Ending::late, running, {}).rule, "late");
    EXPECT_EQ(problem_of({error(3204), error(3013)}, Ending::late, running, {}).rule, "late");
    EXPECT_EQ(problem_of({error(3204), error(3013)}, Ending::failed, running, {}).rule,
              "backup-aborted")
        << "somebody else ended it";
    EXPECT_EQ(problem_of({error(823)}, Ending::cancelled, running, {}).rule, "io-error");
    EXPECT_EQ(problem_of({}, Ending::lost, running, {}).rule, "connection-lost");
}

TEST(Problem, OfALogin) {
    EXPECT_EQ(problem_of({error(18456, "Login failed for user 'x'", "28000")}, Ending::failed,
                         connecting, {})
                  .rule,
              "login-refused");
    EXPECT_EQ(problem_of({}, Ending::late, connecting, {}).rule, "server-unreachable");
    EXPECT_EQ(problem_of({error(0, "x", "HYT00")}, Ending::late, connecting, {}).rule,
              "server-unreachable");
    EXPECT_EQ(problem_of({error(0, "x", "HY008")}, Ending::cancelled, connecting, {}).rule,
              "cancelled");
    EXPECT_EQ(
        problem_of({error(-2146893019, "SSL Provider", "08001")}, Ending::failed, connecting, {})
            .rule,
        "certificate-not-trusted");
    const Problem missing = problem_of({error(0, "Data source name not found", "IM002")},
                                       Ending::failed, connecting, {{"drivers", "FreeTDS"}});
    EXPECT_NE(missing.sentence.find("installed are FreeTDS"), std::string::npos);
}

} // namespace
} // namespace stationsync::sqlserver
