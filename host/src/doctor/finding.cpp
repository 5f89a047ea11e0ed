#include "doctor/finding.hpp"

#include <algorithm>

namespace stationsync::host::doctor {

void Findings::ok(std::string id, std::string text) {
    add({std::move(id), Severity::ok, std::move(text), {}});
}

void Findings::warning(std::string id, std::string text, std::string remedy) {
    add({std::move(id), Severity::warning, std::move(text), std::move(remedy)});
}

void Findings::problem(std::string id, std::string text, std::string remedy) {
    add({std::move(id), Severity::problem, std::move(text), std::move(remedy)});
}

Severity Findings::worst() const {
    auto worst = Severity::ok;
    for (const auto& finding : all_) {
        worst = std::max(worst, finding.severity);
    }
    return worst;
}

std::string_view to_text(Severity severity) {
    switch (severity) {
    case Severity::ok:
        return "ok";
    case Severity::warning:
        return "warning";
    default:
        return "problem";
    }
}

std::string_view topic_of(const Finding& finding) {
    return std::string_view(finding.id).substr(0, finding.id.find('.'));
}

} // namespace stationsync::host::doctor
