// One random run: a plant is built, things happen to it as its profile says, it is healed and
// judged.
#pragma once

#include "cluster.hpp"
#include "profile.hpp"

namespace stationsync::simulation {

struct RunResult {
    std::uint64_t seed = 0;
    std::string profile;
    std::size_t stations = 0;
    std::uint64_t trace_hash = 0;
    std::uint64_t tasks = 0;
    std::int64_t virtual_us = 0;
    std::vector<std::string> violations;
    bool copies_collided = false; // judged up to there only
    Coverage coverage;
};

struct RunOptions {
    const Profile* profile = nullptr; // none: chosen by the seed
    std::function<void(const std::string&)> trace_sink;
    std::uint64_t invariants_every = 64;
};

RunResult run_seed(std::uint64_t seed, const RunOptions& options);

class Workload {
public:
    Workload(std::uint64_t seed, const Profile& profile, std::size_t stations);

    void build();
    void happen();
    Cluster& cluster() { return cluster_; }

private:
    static std::vector<ProviderSpec> choose_specs(Random& random, std::size_t stations);

    std::size_t any_station();
    std::size_t other_than(std::size_t station);
    core::ObjectId any_object();
    Step choose_step();
    void perform(Step step);
    bool perform_user_step(Step step);
    void hit_an_apply(std::size_t station, const core::ObjectId& object);
    bool perform_order(Step step);
    bool perform_network_step(Step step);
    bool perform_loss(Step step);
    bool perform_clock_step(Step step);
    bool perform_provider_step(Step step);
    void pause();
    void arm_crash();
    void join_newcomer(bool isolated);
    void month_off();
    void edit_while_off();
    void switch_off_and_on(std::size_t station, bool by_person, std::int64_t off_us);
    void check_somebody();

    Random random_;
    const Profile& profile_;
    std::size_t stations_;
    unsigned weight_total_ = 0;
    Cluster cluster_;
    std::vector<core::ObjectId> objects_;
};

} // namespace stationsync::simulation
