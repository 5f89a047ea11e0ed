// The service process of a simulated station: carries events into one engine and its actions out.
// Ends with all its jobs when the station crashes or stops.
#pragma once

#include "stationsync/core/engine.hpp"
#include "world.hpp"

namespace stationsync::simulation {

class Process {
public:
    Process(Machine& machine, std::uint64_t seed, std::uint64_t run_id);

    void begin_work(); // enables providers, names candidates
    void handle(core::Event event);
    core::Engine const& engine() const { return *engine_; }
    std::uint64_t epoch() const { return epoch_; }
    void enable_provider(std::string const& name);
    void tell_tokens(std::string const& name);
    void tell_lost(core::ObjectId const& object, core::Digest const& package, bool from_history);
    void end() { ended_ = true; }
    bool idle() const { return jobs_.empty() && applies_.empty(); }
    std::vector<core::StartApply>& open_applies() { return applies_; }
    void perform(core::StartApply const& order); // the effect of an apply on the live data

private:
    enum class JobKind { scan, export_, fetch, save, judge };
    struct Job {
        JobKind kind;
        core::ObjectId object; // or only its provider
        std::vector<core::StationId> sources;
        std::uint64_t bytes_done = 0;
    };

    void later(std::int64_t delay, Scheduler::Task task);
    void pump();
    void after_call();
    void plan_wake();
    bool crash_due(std::size_t action, bool before);
    void begin(core::Action& action);
    bool take_job(core::JobId id); // false: it was cancelled
    void answer(std::int64_t delay, core::JobId job, core::Event event);
    std::int64_t call_time(std::string const& provider);
    std::optional<core::JobStatus> call_trouble(std::string const& provider);
    bool full(bool of_history) const;
    void tell(std::string const& text);

    // One for each action; the answers come later, never from inside.
    void perform_action(core::Persist& action);
    void perform_action(core::SendMessage& action);
    void perform_action(core::Dial& action);
    void perform_action(core::CloseLink& action);
    void perform_action(core::ProbeLink& action);
    void perform_action(core::Recover& action);
    void perform_action(core::Scan& action);
    void perform_action(core::Export& action);
    void perform_action(core::DescribePackage& action);
    void perform_action(core::StartFetch& action);
    void perform_action(core::SetFetchSources& action);
    void perform_action(core::CancelJob& action);
    void perform_action(core::SaveToHistory& action);
    void perform_action(core::StartApply& action);
    void perform_action(core::DropPackage& action);
    void perform_action(core::AdoptKept& action);
    void perform_action(core::JudgeTokens& action);
    void perform_action(core::RaiseMessage& action);
    void perform_action(core::ClearMessage& action);
    void perform_action(core::ObjectChanged& action);
    void perform_action(core::StationChanged& action);
    void perform_action(core::ProviderChanged& action);
    void perform_action(core::CommandAnswered& action);

    void observe(core::JobId job, std::string const& provider,
                 std::vector<std::string> const& keys);
    void finish_export(core::Export const& order);
    void fetch_step(core::StartFetch const& order);
    bool source_has(core::StationId const& source, core::StartFetch const& order,
                    std::string& why_not);
    void finish_save(core::SaveToHistory const& order);
    core::SavedItem save_item(core::ObjectId const& object, core::SaveItem const& item);
    void finish_apply(core::StartApply const& order, core::JobStatus trouble);
    core::PackageInfo make_package(core::ObjectId const& object);
    Content package_content(core::StartApply const& order) const;

    Machine& machine_;
    World& world_;
    std::uint64_t epoch_;
    bool ended_ = false;
    bool in_pump_ = false;
    std::unique_ptr<core::Engine> engine_;
    std::map<core::JobId, Job> jobs_;
    std::vector<core::StartApply> applies_;
    std::int64_t wake_at_ = -1; // -1: none planned
    std::int64_t disk_free_at_ = 0;
    std::uint64_t handled_ = 0;
};

} // namespace stationsync::simulation
