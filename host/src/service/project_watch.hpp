// Asks what the plant's own software decides: whether the project runs on this computer, and the
// version of the software.
#pragma once

#include "base/worker_pool.hpp"
#include "config/project_config.hpp"
#include "service/timer.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace stationsync::host {

struct ProjectAnswer {
    bool project_runs = true;
    std::string why_not; // one sentence when it does not
    // Nothing when it could not be found out: `version_trouble` says why.
    std::optional<std::string> product_version;
    std::string version_trouble;
};

// Blocks, up to twice the time that a command has, or until `given_up` is true: on a worker thread
// only. A command or file that is not configured is not asked.
[[nodiscard]] ProjectAnswer ask_project(const ProjectConditions& conditions,
                                        const std::atomic<bool>* given_up = nullptr);

// Engine thread.
class ProjectWatch {
public:
    static constexpr std::chrono::seconds every{5};
    using Told = std::function<void(const ProjectAnswer& answer)>;

    ProjectWatch(boost::asio::io_context& context, WorkerPool& pool, Told told);
    ~ProjectWatch();

    // Asks at once, then again and again, `every` after each answer. Conditions that ask nothing
    // end it. What was asked before is forgotten when it is something else now.
    void watch(const ProjectConditions& conditions);
    // Ends a command that runs, too.
    void stop();
    // Of the present conditions; nothing before the first answer.
    [[nodiscard]] const std::optional<ProjectAnswer>& last() const { return last_; }

private:
    void ask();

    WorkerPool& pool_;
    Told told_;
    Timer timer_;
    std::shared_ptr<ProjectWatch*> self_;
    ProjectConditions conditions_;
    std::uint64_t round_ = 0; // answers of earlier ones come too late
    std::optional<ProjectAnswer> last_;
    std::shared_ptr<std::atomic<bool>> given_up_; // of this round
};

} // namespace stationsync::host
