// The list of stations, and what the checks of each pair say.
#include "cli/render.hpp"

#include "cli/table.hpp"

#include <cstdlib>
#include <string_view>

namespace stationsync::host::cli {
namespace {

std::string short_id(const std::string& id) {
    constexpr std::size_t shown = 8;
    return id.substr(0, shown);
}

std::string difference_text(const Json& station) {
    const auto& difference = field(station, "time_difference_ms");
    if (!difference.is_number()) {
        return {};
    }
    const auto ms = difference.get<std::int64_t>();
    constexpr std::int64_t second_ms = 1000;
    const bool in_seconds = std::abs(ms) >= second_ms;
    const auto amount = [in_seconds](std::int64_t of_ms) {
        return in_seconds ? std::to_string(of_ms / second_ms) + '.' +
                                std::to_string(of_ms % second_ms / 100)
                          : std::to_string(of_ms);
    };
    auto text = (ms >= 0 ? "+" : "-") + amount(std::abs(ms));
    const auto& uncertainty = field(station, "time_uncertainty_ms");
    if (uncertainty.is_number()) {
        const auto of_ms = uncertainty.get<std::int64_t>();
        // Rounded up: 0.0 would claim more than was measured.
        text += " ±" + amount(in_seconds ? (of_ms + 99) / 100 * 100 : of_ms);
    }
    return text + (in_seconds ? " s" : " ms");
}

// One of the two lists of links; a pair that works in one direction only stands out.
std::string direction_text(const Json& station, const char* mine, const char* other) {
    return truth_at(station, mine) ? "yes" : truth_at(station, other) ? "NONE" : "-";
}

// Without year and seconds: the lines are full.
std::string day_and_time(const std::string& time) {
    constexpr std::size_t begin = std::string_view("2026-").size();
    constexpr std::size_t length = std::string_view("03-01 08:15").size();
    return time.size() > begin + length ? time.substr(begin, length) : time;
}

std::string first_address(const Json& station) {
    const auto& addresses = list_at(station, "addresses");
    auto address = addresses.empty() || !addresses.front().is_string()
                       ? std::string()
                       : addresses.front().get<std::string>();
    constexpr std::string_view usual_port = ":8883";
    if (address.ends_with(usual_port)) {
        address.resize(address.size() - usual_port.size());
    }
    return address;
}

std::string title_of(const Json& station) {
    const auto name = text_at(station, "name");
    return name.empty() ? texts_at(station, "addresses") : name;
}

// A station without a name is called by its addresses, which most sentences about it name anyway.
std::string sentence_of(const Json& station, const std::string& text) {
    const std::string address = text_at(station, "name").empty() ? first_address(station) : "";
    return !address.empty() && text.find(address) != std::string::npos
               ? text
               : title_of(station) + ": " + text;
}

void write_reasons(std::ostream& out, const Json& stations) {
    for (const auto& station : stations) {
        for (const auto& reason : list_at(station, "reasons")) {
            write_wrapped(out, sentence_of(station, text_at(reason, "text")), 2);
            if (const auto remedy = text_at(reason, "remedy"); !remedy.empty()) {
                write_wrapped(out, "-> " + remedy, 4);
            }
        }
    }
}

std::string verdict_text(const Json& check) {
    return truth_at(check, "passed")          ? "fits"
           : truth_at(check, "suspends_only") ? "suspended"
                                              : "DIFFERS";
}

} // namespace

void render_stations(std::ostream& out, const Json& stations) {
    const auto& all = listing(stations, "stations");
    Table table({{"ID"},
                 {"NAME", false, true},
                 {"STATE"},
                 {"FOUND"},
                 {"FOUND BY"},
                 {"TIME", true},
                 {"LAST SEEN"},
                 {"ADDRESS", false, true, true}});
    for (const auto& station : all) {
        const auto connected = text_at(station, "state") == "connected";
        table.add({short_id(text_at(station, "id")), text_at(station, "name"),
                   text_at(station, "state"), direction_text(station, "found", "found_by"),
                   direction_text(station, "found_by", "found"), difference_text(station),
                   connected ? std::string() : day_and_time(time_at(station, "last_seen")),
                   first_address(station)});
    }
    if (table.empty()) {
        out << "No other station is known yet.\n";
        return;
    }
    table.write(out);
    write_reasons(out, all);
}

void render_station_checks(std::ostream& out, const Json& stations) {
    render_stations(out, stations);
    for (const auto& station : listing(stations, "stations")) {
        const auto& checks = list_at(station, "checks");
        if (checks.empty()) {
            continue;
        }
        out << "\n" << title_of(station) << '\n';
        Table table({{"CHECK"},
                     {"VERDICT"},
                     {"HERE", false, true},
                     {"THERE", false, true},
                     {"LIMIT", false, true}});
        for (const auto& check : checks) {
            table.add({text_at(check, "check"), verdict_text(check), text_at(check, "ours"),
                       text_at(check, "theirs"), text_at(check, "limit")});
        }
        table.write(out);
    }
}

void render_discover(std::ostream& out, const Json& answer) {
    const auto& all = list_at(answer, "stations");
    Table table({{"NAME", false, true},
                 {"PROJECT", false, true},
                 {"STATE"},
                 {"VERSION", false, true},
                 {"PROTOCOL"},
                 {"TIME", true},
                 {"ADDRESS", false, true}});
    for (const auto& station : all) {
        table.add({text_at(station, "name"), text_at(station, "project"), text_at(station, "state"),
                   text_at(station, "product_version"), text_at(station, "protocol"),
                   difference_text(station), first_address(station)});
    }
    if (table.empty()) {
        out << "No other station answers.\n";
    } else {
        table.write(out);
        write_reasons(out, all);
    }
    if (!truth_at(answer, "searches")) {
        write_wrapped(
            out,
            "Nothing searches the network: no discovery plugin such as `discovery-wsd` is "
            "enabled in the project file. These are the stations of the lists and those "
            "that they have introduced.",
            0);
    }
}

} // namespace stationsync::host::cli
