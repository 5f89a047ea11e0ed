#include "config/problem.hpp"

#include "base/path_text.hpp"

namespace stationsync::host {

std::string to_text(const ConfigProblem& problem) {
    auto text = path_text(problem.file);
    if (problem.line != 0) {
        text += ":" + std::to_string(problem.line);
    }
    return text + ": " + problem.text;
}

std::string to_text(const std::vector<ConfigProblem>& problems) {
    std::string text;
    for (const auto& problem : problems) {
        text += (text.empty() ? "" : "\n") + to_text(problem);
    }
    return text;
}

} // namespace stationsync::host
