#include "cli/render.hpp"
#include "cli/table.hpp"

#include <algorithm>

namespace stationsync::host::cli {
namespace {

std::string upper(std::string text) {
    std::ranges::transform(text, text.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c;
    });
    return text;
}

std::string title_of(const std::string& topic) {
    static const std::vector<std::pair<std::string, std::string>> titles{
        {"discovery", "Discovery (UDP 3702)"},
        {"keys", "Keys and tokens"},
        {"identity", "Identity"},
        {"odbc", "ODBC"}};
    const auto found =
        std::ranges::find(titles, topic, &std::pair<std::string, std::string>::first);
    if (found != titles.end()) {
        return found->second;
    }
    return topic.empty() ? topic : upper(topic.substr(0, 1)) + topic.substr(1);
}

// "  OK       The clock is synchronized ..." with further lines below the text.
void render_finding(std::ostream& out, const Json& finding) {
    constexpr std::size_t name_columns = 11;
    std::string head = "  " + upper(text_at(finding, "severity"));
    head.resize(name_columns, ' ');
    for (const auto& line : wrapped(text_at(finding, "text"), screen_columns - name_columns)) {
        out << head << line << '\n';
        head.assign(name_columns, ' ');
    }
    // A command line is to be copied: it is not broken.
    if (const auto remedy = text_at(finding, "remedy"); !remedy.empty()) {
        out << head.assign(name_columns, ' ') << "-> " << fitted(remedy, remedy.size() + 1) << '\n';
    }
}

} // namespace

void render_doctor(std::ostream& out, const Json& answer) {
    std::string topic;
    std::size_t problems = 0;
    std::size_t warnings = 0;
    for (const auto& finding : list_at(answer, "findings")) {
        if (const auto its = text_at(finding, "topic"); its != topic) {
            out << (topic.empty() ? "" : "\n") << title_of(its) << '\n';
            topic = its;
        }
        render_finding(out, finding);
        const auto severity = text_at(finding, "severity");
        problems += severity == "problem" ? 1 : 0;
        warnings += severity == "warning" ? 1 : 0;
    }
    out << '\n'
        << problems << (problems == 1 ? " problem, " : " problems, ") << warnings
        << (warnings == 1 ? " warning.\n" : " warnings.\n");
}

} // namespace stationsync::host::cli
