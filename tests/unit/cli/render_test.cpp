#include "cli/render.hpp"

#include "cli/table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace stationsync::host::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
using Render = void (*)(std::ostream&, const Json&);

std::string rendered(Render render, const Json& json) {
    std::ostringstream out;
    render(out, json);
    std::istringstream lines(out.str());
    for (std::string line; std::getline(lines, line);) {
        EXPECT_LE(display_width(line), screen_columns) << line;
    }
    return out.str();
}

TEST(Render, StatusShowsEngineProvidersAndMessages) {
    const auto text = rendered(render_status, Json::parse(R"({
        "project":"Plant","station":{"id":"0d6bbfb6-0000-8000-8000-000000000000","name":"A"},
        "engine":"stopped","reason":"the key file is missing",
        "messages":[{"id":"1","severity":"warning","text":"Disk full.",
                     "remedy":"Make room.","subject":"recipes",
                      "since":"2026-03-01T08:15:00.000000Z"}],
        "providers":[{"name":"recipes","plugin":"filesync","state":"fault",
                      "reason":"no marker file",
                      "objects":120,"unsynced":3,"digest":"ab","published":4,
                      "applied":5,
                      "bytes_received":1,"bytes_sent":2,
                      "last_applied_at":"2026-03-01T08:15:00.000000Z"}]})"));
    EXPECT_THAT(text, HasSubstr("Engine   stopped: the key file is missing"));
    EXPECT_THAT(text, HasSubstr("recipes   filesync  fault      120         3"));
    EXPECT_THAT(text, HasSubstr("2026-03-01 08:15:00"));
    EXPECT_THAT(text, HasSubstr("recipes: no marker file"));
    EXPECT_THAT(text, HasSubstr("-> Make room."));
}

TEST(Render, StatusTellsWhichOtherStationsWaitAndWhy) {
    const auto text = rendered(render_status, Json::parse(R"({
        "project":"Plant","station":{"id":"0d6bbfb6-0000-8000-8000-000000000000","name":"A"},
        "engine":"running","reason":"","messages":[],
        "providers":[{"name":"recipes","plugin":"filesync","state":"held",
                      "reason":"held on purpose; what waits: 2; stationsync release recipes",
                      "objects":120,"unsynced":2,"published":4,"applied":5,"last_applied_at":null,
                      "waits_on":[
                        {"station":"A","here":true,"cause":"held","text":"held on purpose"},
                        {"station":"B","here":false,"cause":"condition",
                         "text":"apply_when does not allow it now: batch 4711 runs"}]}]})"));
    EXPECT_THAT(text, HasSubstr("recipes: held on purpose; what waits: 2; stationsync release"));
    EXPECT_THAT(text,
                HasSubstr("recipes: on B: apply_when does not allow it now: batch 4711 runs"));
    EXPECT_THAT(text, Not(HasSubstr("on A")));
}

TEST(Render, ExplainTellsInFullWhyOtherStationsWait) {
    const std::string reason =
        "apply_when does not allow it now: batch 4711 of the second line runs "
        "and is not to be disturbed before Monday morning";
    Json explanation = Json::parse(R"({"provider":"recipes","key":"r.txt","state":"in_sync",
        "reason":"","text":[],
        "stations":[{"id":"0d6bbfb6-0000-8000-8000-000000000000","name":"B","state":"waiting"}],
        "waits_on":[{"station":"A","here":true,"text":"held on purpose"},
                    {"station":"B","here":false}]})");
    explanation["stations"][0]["reason"] = reason;
    explanation["waits_on"][1]["text"] = reason;
    std::string text = rendered(render_explain, explanation);
    EXPECT_THAT(text, Not(HasSubstr("waits on A")));
    for (auto at = text.find("\n  "); at != std::string::npos; at = text.find("\n  ", at))
        text.replace(at, 3, " "); // wrapped
    EXPECT_THAT(text, HasSubstr("waits on B: " + reason));
}

TEST(Render, StationsShowDirectionsAndReasons) {
    const auto text = rendered(render_stations, Json::parse(R"([
        {"id":"0d6bbfb6-0000-8000-8000-000000000000","name":"B","project":"P",
         "addresses":["127.0.0.2:8883"],"found":true,"found_by":false,"state":"rejected",
         "reasons":[{"check":"time","ours":"1","theirs":"2","limit":"60 s",
                     "text":"The clocks differ by 61 s.","remedy":"Set both clocks."}],
         "time_difference_ms":-61000,"time_uncertainty_ms":3,
         "last_seen":"2026-03-01T08:15:00.000000Z"}])"));
    EXPECT_THAT(text, HasSubstr("0d6bbfb6  B     rejected  yes    NONE      -61.0 ±0.1 s  "
                                "03-01 08:15"));
    EXPECT_THAT(text, HasSubstr("B: The clocks differ by 61 s.\n    -> Set both clocks."));
}

TEST(Render, ASentenceThatNamesTheAddressOfANamelessStationIsNotIntroducedByIt) {
    const auto text = rendered(render_stations, Json::parse(R"([
        {"addresses":["127.0.9.6:8883"],"state":"searching",
         "reasons":[{"text":"127.0.9.6:8883 refuses the connection."}]},
        {"addresses":["127.0.9.7:8883"],"state":"searching",
         "reasons":[{"text":"The cable is out."}]}])"));
    EXPECT_THAT(text, HasSubstr("\n  127.0.9.6:8883 refuses the connection."));
    EXPECT_THAT(text, HasSubstr("\n  127.0.9.7:8883: The cable is out."));
}

TEST(Render, ChecksShowBothValuesWhetherTheyPassOrNot) {
    const auto text = rendered(render_station_checks, Json::parse(R"([
        {"id":"0d6bbfb6-0000-8000-8000-000000000000","name":"B","state":"rejected","reasons":[],
         "checks":[{"check":"project","ours":"P","theirs":"P","limit":"equal","passed":true},
                   {"check":"provider:a","ours":"1","theirs":"2","limit":"alike","passed":false,
                    "suspends_only":true},
                   {"check":"time","ours":"61 s","theirs":"61 s","limit":"60 s",
                    "passed":false}]}])"));
    EXPECT_THAT(text, HasSubstr("project     fits       P     P      equal"));
    EXPECT_THAT(text, HasSubstr("provider:a  suspended  1     2      alike"));
    EXPECT_THAT(text, HasSubstr("time        DIFFERS    61 s  61 s   60 s"));
}

TEST(Render, DiscoverShowsStationsOfEveryProjectAndSaysWhenNothingSearches) {
    const auto text = rendered(render_discover, Json::parse(R"({"searches":false,"stations":[
        {"name":"X","project":"Other","state":"rejected","product_version":"7.1","protocol":"1.0",
         "addresses":["10.0.0.9:8883"],
         "reasons":[{"text":"It belongs to project \"Other\"","remedy":"Use the same."}]}]})"));
    EXPECT_THAT(text, HasSubstr("X     Other    rejected  7.1      1.0       10.0.0.9\n"));
    EXPECT_THAT(text, HasSubstr("-> Use the same."));
    EXPECT_THAT(text, HasSubstr("Nothing searches the network"));
}

TEST(Render, ObjectsAndHistoryFitTheScreenWithLongKeys) {
    Json objects = Json::array();
    objects.push_back({{"provider", "recipes"},
                       {"key", std::string(300, 'x') + "/last.txt"},
                       {"state", "waiting"},
                       {"reason", "only on station B, which was seen last on Monday afternoon"},
                       {"size", 123456},
                       {"changed_at", "2026-03-01T08:15:00.000000Z"},
                       {"author", "Filling Line North"}});
    EXPECT_THAT(rendered(render_objects, objects), HasSubstr("waiting"));
    Json history = Json::array();
    history.push_back({{"version", "0d6bbfb6-1767225600000"},
                       {"at", "2026-03-01T08:15:00.000000Z"},
                       {"provider", "recipes"},
                       {"key", std::string(300, 'x') + "/last.txt"},
                       {"what", "newcomer_replaced"},
                       {"from", "Filling Line North"},
                       {"size", 123456},
                       {"kept", true}});
    const auto text = rendered(render_history, history);
    EXPECT_THAT(text, HasSubstr("0d6bbfb6-1767225600000")) << "a version must be readable in full";
}

TEST(Render, AnswersOfAnotherShapeAreShownAsFarAsTheyGo) {
    for (const auto render :
         {render_status, render_stations, render_objects, render_explain, render_history,
          render_projects, render_plugins, render_keys, render_log_entry, render_done,
          render_discover, render_station_checks}) {
        for (const auto* json : {"null", "7", "[]", "{}", "[7]", "[[1]]", R"({"providers":[7]})",
                                 R"([{"reasons":7,"addresses":[7]}])"}) {
            rendered(render, Json::parse(json));
        }
    }
}

} // namespace
} // namespace stationsync::host::cli
