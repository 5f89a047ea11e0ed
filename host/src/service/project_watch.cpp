#include "service/project_watch.hpp"

#include "base/durable.hpp"
#include "base/path_text.hpp"
#include "base/program.hpp"

#include <algorithm>
#include <regex>
#include <sstream>

namespace stationsync::host {
namespace {

constexpr std::chrono::seconds command_time_max{10};
constexpr std::size_t version_file_bytes_max = std::size_t{1} << 20;
// A pattern is tried on each line; the library's matcher takes a stack frame for each character.
constexpr std::size_t version_line_bytes_max = 4096;
constexpr std::size_t version_bytes_max = 100;
constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

void take_version(std::string found, ProjectAnswer& answer, const std::string& source) {
    const auto first = found.find_first_not_of(" \t\r\n");
    const auto last = found.find_last_not_of(" \t\r\n");
    found = first == std::string::npos ? std::string() : found.substr(first, last - first + 1);
    const bool plain = found.find_first_of(std::string_view("\0\t\r\n", 4)) == std::string::npos;
    if (found.empty())
        answer.version_trouble = source + " names no version";
    else if (found.size() > version_bytes_max || !plain || !is_valid_utf8(found))
        answer.version_trouble = source + " gives something that is no version";
    else
        answer.product_version = std::move(found);
}

void read_version_file(const ProjectConditions& conditions, ProjectAnswer& answer) {
    const std::string name = path_text(conditions.version_file);
    auto read = read_whole(conditions.version_file, version_file_bytes_max);
    if (!read) {
        answer.version_trouble = read.error().text;
        return;
    }
    const std::string text = read->starts_with(byte_order_mark)
                                 ? read->substr(byte_order_mark.size())
                                 : std::move(*read);
    if (conditions.version_pattern.empty()) {
        take_version(text.substr(0, text.find('\n')), answer, "the first line of " + name);
        return;
    }
    const std::regex pattern(conditions.version_pattern); // checked when it was read
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.ends_with('\r')) // the file comes from Windows: `$` stands before it
            line.pop_back();
        line.resize(std::min(line.size(), version_line_bytes_max));
        std::smatch match;
        if (!std::regex_search(line, match, pattern))
            continue;
        take_version(match.size() > 1 ? match[1].str() : match[0].str(), answer,
                     "product_version_pattern in " + name);
        return;
    }
    answer.version_trouble = "no line of " + name + " matches product_version_pattern '" +
                             conditions.version_pattern + '\'';
}

void ask_version_command(const ProjectConditions& conditions, ProjectAnswer& answer,
                         const std::atomic<bool>* given_up) {
    const std::string name = "the command '" + conditions.version_command + '\'';
    const ProgramRun result =
        run_command_line(conditions.version_command, command_time_max, given_up);
    if (result.end != ProgramRun::End::ended)
        answer.version_trouble = name + ' ' + result.trouble;
    else if (result.code != 0)
        answer.version_trouble = name + " fails with exit status " + std::to_string(result.code);
    else
        take_version(result.out.substr(0, result.out.find('\n')), answer, name);
}

void ask_follow(const ProjectConditions& conditions, ProjectAnswer& answer,
                const std::atomic<bool>* given_up) {
    const ProgramRun result = run_command_line(conditions.follow, command_time_max, given_up);
    answer.project_runs = result.succeeded();
    if (answer.project_runs)
        return;
    answer.why_not = "the plant's project does not run: the command '" + conditions.follow +
                     "' (follow) " +
                     (result.end == ProgramRun::End::ended
                          ? "ends with exit status " + std::to_string(result.code)
                          : result.trouble) +
                     "; the engine starts when it succeeds";
}

} // namespace

ProjectAnswer ask_project(const ProjectConditions& conditions, const std::atomic<bool>* given_up) {
    ProjectAnswer answer;
    if (!conditions.follow.empty())
        ask_follow(conditions, answer, given_up);
    try {
        if (!conditions.version_file.empty())
            read_version_file(conditions, answer);
        else if (!conditions.version_command.empty())
            ask_version_command(conditions, answer, given_up);
    } catch (const std::exception& problem) { // a pattern may be too much for a long line
        answer.version_trouble = std::string("product_version cannot be found: ") + problem.what();
    }
    return answer;
}

ProjectWatch::ProjectWatch(boost::asio::io_context& context, WorkerPool& pool, Told told)
    : pool_(pool),
      told_(std::move(told)),
      timer_(context),
      self_(std::make_shared<ProjectWatch*>(this)) {}

ProjectWatch::~ProjectWatch() {
    if (given_up_)
        *given_up_ = true;
    *self_ = nullptr;
}

void ProjectWatch::watch(const ProjectConditions& conditions) {
    if (conditions == conditions_ && round_ != 0)
        return;
    stop();
    conditions_ = conditions;
    if (conditions_.asks_anything())
        ask();
}

void ProjectWatch::stop() {
    ++round_;
    timer_.cancel();
    last_.reset();
    conditions_ = {};
    if (given_up_)
        *given_up_ = true;
    given_up_ = std::make_shared<std::atomic<bool>>(false);
}

void ProjectWatch::ask() {
    const auto answer = std::make_shared<ProjectAnswer>();
    pool_.submit([answer, conditions = conditions_,
                  given_up = given_up_] { *answer = ask_project(conditions, given_up.get()); },
                 [this, self = self_, answer, round = round_] {
                     if (*self == nullptr || round != round_)
                         return;
                     last_ = *answer;
                     timer_.set(every, [this] { ask(); });
                     told_(*answer);
                 });
}

} // namespace stationsync::host
