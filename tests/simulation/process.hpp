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
    void handle(const core::Event& event);
    const core::Engine& engine() const { return *engine_; }
    std::uint64_t epoch() const { return epoch_; }
    void enable_provider(const std::string& name);
    void tell_tokens(const std::string& name);
    void compare_history(); // with the records: what is there that they do not name
    void tell_lost(const core::ObjectId& object, const core::Digest& package, bool from_history);
    void end() { ended_ = true; }
    bool idle() const { return jobs_.empty() && applies_.empty(); }
    std::vector<core::StartApply>& open_applies() { return applies_; }
    void perform(const core::StartApply& order); // the effect of an apply on the live data

private:
    enum class JobKind { scan, export_, fetch, save, judge, ask };
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
    std::int64_t call_time(const std::string& provider);
    std::optional<core::JobStatus> call_trouble(const std::string& provider);
    bool full(bool of_history) const;
    void tell(const std::string& text);

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
    void perform_action(core::AskApplyWhen& action);
    void perform_action(core::RaiseMessage& action);
    void perform_action(core::ClearMessage& action);
    void perform_action(core::ObjectChanged& action);
    void perform_action(core::StationChanged& action);
    void perform_action(core::ProviderChanged& action);
    void perform_action(core::CommandAnswered& action);

    void observe(core::JobId job, const std::string& provider,
                 const std::vector<std::string>& keys);
    void finish_export(const core::Export& order);
    void fetch_step(const core::StartFetch& order);
    bool source_has(const core::StationId& source, const core::StartFetch& order,
                    std::string& why_not);
    void finish_save(const core::SaveToHistory& order);
    core::SavedItem save_item(const core::ObjectId& object, const core::SaveItem& item);
    void finish_apply(const core::StartApply& order, core::JobStatus trouble);
    core::PackageInfo make_package(const core::ObjectId& object);
    Content package_content(const core::StartApply& order) const;

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
    struct ApplyWhen {
        core::JobId question{};        // whose answer counts: the last one since it was enabled
        std::int64_t stands_until = 0; // world's time
    };
    std::map<std::string, ApplyWhen> apply_when_; // by provider
};

} // namespace stationsync::simulation
