// What a look at the station has shown.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stationsync::host::doctor {

enum class Severity {
    ok,      // looked at and in order
    warning, // works, with a risk, or could not be looked at
    problem, // synchronization with this station cannot work as configured
};

struct Finding {
    std::string id; // stable, "TOPIC.WHAT": what scripts look for
    Severity severity = Severity::ok;
    std::string text;   // one sentence; no secret
    std::string remedy; // what to do, where possible a command line; empty when all is well
};

// Collects findings in the order in which they are shown.
class Findings {
public:
    void ok(std::string id, std::string text);
    void warning(std::string id, std::string text, std::string remedy);
    void problem(std::string id, std::string text, std::string remedy);
    void add(Finding finding) { all_.push_back(std::move(finding)); }

    [[nodiscard]] const std::vector<Finding>& all() const { return all_; }
    [[nodiscard]] Severity worst() const;

private:
    std::vector<Finding> all_;
};

[[nodiscard]] std::string_view to_text(Severity severity);       // "ok", "warning", "problem"
[[nodiscard]] std::string_view topic_of(const Finding& finding); // "ports" of "ports.link"

} // namespace stationsync::host::doctor
