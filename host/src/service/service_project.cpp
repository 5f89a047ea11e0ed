// The engine runs only while the plant's software lets it.
#include "base/log.hpp"
#include "service/service.hpp"

namespace stationsync::host {

bool Service::may_run(ProjectConfig& project) {
    if (!project.conditions.asks_anything())
        return true;
    const std::optional<ProjectAnswer>& answer = project_watch_.last();
    const std::string before = std::move(stopped_reason_);
    stopped_reason_.clear();
    if (!answer)
        stopped_reason_ = "waits for what the plant's software says";
    else if (!answer->project_runs)
        stopped_reason_ = answer->why_not;
    else if (project.conditions.asks_version() && !answer->product_version)
        stopped_reason_ =
            "the version of the plant software is not known: " + answer->version_trouble +
            "; it is tried again every few seconds";
    if (stopped_reason_.empty()) {
        if (project.conditions.asks_version())
            project.product_version = *answer->product_version;
        return true;
    }
    waits_for_project_ = true;
    if (stopped_reason_ != before)
        log::info("service", "the engine does not run: " + stopped_reason_,
                  {{}, project_, "start"});
    publish_status();
    return false;
}

void Service::project_answered(const ProjectAnswer& answer) {
    if (!run_wanted_ || ending_)
        return;
    if (!runtime_) {
        if (waits_for_project_)
            start_engine();
        tell_starters();
        return;
    }
    if (!answer.project_runs) {
        log::info("service", "the engine stops: " + answer.why_not, {{}, project_, "follow"});
        // Not by a person: what was restored meanwhile is judged as such when it starts again.
        end_engine({}, [this] {
            if (run_wanted_) // nobody has stopped it while it was leaving
                start_engine();
        });
        return;
    }
    ProjectConfig project = runtime_->settings().project;
    if (answer.product_version && *answer.product_version != project.product_version) {
        log::info("service", "the version of the plant software is " + *answer.product_version +
                                 " now, it was " + project.product_version);
        project.product_version = *answer.product_version;
        runtime_->reconfigure(std::move(project));
    }
    if (answer.version_trouble.empty())
        runtime_->clear_message("product-version", {});
    else
        runtime_->raise("product-version", {},
                        {{"text", answer.version_trouble},
                         {"version", runtime_->settings().project.product_version}});
}

} // namespace stationsync::host
