#include "workload.hpp"

#include <algorithm>
#include <exception>

namespace stationsync::simulation {

namespace {

ProviderSpec files_spec() {
    ProviderSpec spec;
    spec.name = "recipes";
    spec.live_above = 50'000;
    spec.settle_us = 5 * second;
    spec.settle_max_us = 30 * second;
    spec.scan_interval_us = 60 * second;
    return spec;
}

ProviderSpec database_spec() {
    ProviderSpec spec;
    spec.name = "batchdb";
    spec.reproducible = false;
    spec.settle_us = 20 * second;
    spec.settle_max_us = 90 * second;
    spec.scan_interval_us = 45 * second;
    return spec;
}

// A back end that proves equality of nothing but tells of restores.
ProviderSpec server_spec() {
    ProviderSpec spec = database_spec();
    spec.name = "server";
    spec.has_digest = false;
    spec.evidence_of_restore = true;
    return spec;
}

// 90 % 2 to 5 stations, 9 % 6 to 12, 1 % up to 50.
std::size_t choose_size(Random& random) {
    std::uint64_t const dice = random.below(100);
    if (dice < 90) {
        return static_cast<std::size_t>(random.between(2, 5));
    }
    return static_cast<std::size_t>(dice < 99 ? random.between(6, 12) : random.between(13, 50));
}

} // namespace

std::vector<ProviderSpec> Workload::choose_specs(Random& random, std::size_t stations) {
    const std::vector<ProviderSpec> all = {files_spec(), database_spec(), server_spec()};
    std::vector<ProviderSpec> chosen;
    chosen.push_back(
        all[random.below(100) < 50 ? 0 : static_cast<std::size_t>(random.between(1, 2))]);
    if (stations <= 5 && random.chance(40)) {
        for (const auto& spec : all) {
            if (spec.name != chosen.front().name && chosen.size() < 2 && random.chance(60)) {
                chosen.push_back(spec);
            }
        }
    }
    return chosen;
}

Workload::Workload(std::uint64_t seed, const Profile& profile, std::size_t stations)
    : random_(seed ^ 0x5bd1e995),
      profile_(profile),
      stations_(stations),
      cluster_(seed, choose_specs(random_, stations)) {
    for (const auto& weighted : profile_.steps) {
        weight_total_ += weighted.weight;
    }
}

void Workload::build() {
    std::size_t const keys = stations_ > 12 ? 1 : static_cast<std::size_t>(random_.between(1, 3));
    for (const auto& spec : cluster_.specs()) {
        for (std::size_t k = 0; k < keys; ++k) {
            objects_.push_back({spec.name, "object-" + std::to_string(k)});
        }
    }
    cluster_.restart_crashed = true;
    for (std::size_t i = 0; i < stations_; ++i) {
        Machine& machine = cluster_.add_station("S" + std::to_string(i), i == 0);
        machine.watch_percent = random_.chance(80) ? 95 : 20;
        for (auto& [name, provider] : machine.providers) {
            provider.apply_when = random_.chance(30);
        }
        machine.disk_time_max_us = random_.chance(90) ? 5 * millisecond : 500 * millisecond;
        if (profile_.clocks_off) {
            machine.clock.offset_us = random_.between(-25, 25) * second;
            machine.clock.drift_ppm = random_.between(-50, 50);
        }
    }
    // Everyone knows of a few; introductions do the rest.
    for (std::size_t i = 1; i < stations_; ++i) {
        std::size_t const known = random_.below(i);
        cluster_.configure(i, known);
        if (random_.chance(50)) {
            cluster_.configure(known, i);
        }
    }
    for (std::size_t i = 0; i < stations_; ++i) {
        const bool has_own = i == 0 || random_.chance(profile_.newcomers != 0 ? 60 : 25);
        for (const auto& object : objects_) {
            if (has_own && random_.chance(80)) {
                std::int64_t const age = random_.between(1, 60) * (i == 0 ? hour : day);
                cluster_.write_at(i, object, cluster_.new_content(),
                                  cluster_.station(i).wall() - age, WriteKind::edit);
            }
        }
    }
    if (profile_.islands) {
        for (std::size_t i = 0; i < stations_; ++i) {
            for (std::size_t j = 0; j < stations_; ++j) {
                if (i % 2 != j % 2) {
                    cluster_.world.network.cut(i, j);
                }
            }
        }
    }
    for (std::size_t i = 0; i < stations_; ++i) {
        Machine* const machine = &cluster_.station(i);
        cluster_.world.scheduler.after(random_.between(0, 20 * second),
                                       [machine] { machine->start(); });
    }
    cluster_.run_for(random_.between(1, 90) * second);
}

std::size_t Workload::any_station() {
    return random_.below(cluster_.stations());
}

std::size_t Workload::other_than(std::size_t station) {
    std::size_t const other = random_.below(cluster_.stations() - 1);
    return other < station ? other : other + 1;
}

core::ObjectId Workload::any_object() {
    return random_.pick(objects_);
}

Step Workload::choose_step() {
    auto dice = static_cast<unsigned>(random_.below(weight_total_));
    for (const auto& weighted : profile_.steps) {
        if (dice < weighted.weight) {
            return weighted.step;
        }
        dice -= weighted.weight;
    }
    return Step::wait;
}

void Workload::pause() {
    std::uint64_t const dice = random_.below(100);
    if (dice < 30) {
        cluster_.run_for(random_.between(0, 2 * second));
    } else if (dice < 85) {
        cluster_.run_for(random_.between(second, 40 * second));
    } else {
        cluster_.run_for(random_.between(minute, 4 * minute));
    }
}

void Workload::check_somebody() {
    cluster_.check_reasons(any_station());
}

void Workload::happen() {
    const auto steps =
        static_cast<std::size_t>(stations_ > 12 ? random_.between(5, 10) : random_.between(12, 30));
    for (std::size_t i = 0; i < steps; ++i) {
        perform(choose_step());
        pause();
        if (i % 4 == 0) {
            check_somebody();
        }
    }
}

void Workload::perform(Step step) {
    ++cluster_.world.trace.coverage.faults[std::string(to_text(step))];
    cluster_.world.trace.mix(static_cast<std::uint64_t>(step));
    if (cluster_.world.trace.wants_text()) {
        cluster_.world.trace.line("--- " + std::string(to_text(step)));
    }
    (void)(perform_user_step(step) || perform_order(step) || perform_network_step(step) ||
           perform_loss(step) || perform_clock_step(step) || perform_provider_step(step));
}

RunResult run_seed(std::uint64_t seed, const RunOptions& options) {
    Random random(seed * 7 + 3);
    const auto& all = profiles();
    const Profile& profile = options.profile ? *options.profile : all[random.below(all.size())];
    RunResult result;
    result.seed = seed;
    result.profile = profile.name;
    result.stations = choose_size(random);
    Workload workload(seed, profile, result.stations);
    Cluster& cluster = workload.cluster();
    cluster.world.invariants_every = options.invariants_every;
    if (options.trace_sink) {
        cluster.world.trace.print_to(options.trace_sink);
    }
    try {
        workload.build();
        workload.happen();
        cluster.heal();
        constexpr std::int64_t progress_deadline = 3 * hour;
        if (cluster.settle_down(progress_deadline)) {
            cluster.check_end();
        } else {
            cluster.model.violation("no quiet within 3 hours after healing: " +
                                    cluster.describe_unrest());
        }
    } catch (const std::exception& error) {
        cluster.model.violation(std::string("an invariant broke: ") + error.what());
    }
    result.copies_collided = cluster.model.copies_collided();
    result.violations = cluster.model.violations();
    result.trace_hash = cluster.world.trace.hash();
    result.tasks = cluster.world.scheduler.done();
    result.virtual_us = cluster.world.now();
    result.coverage = cluster.world.trace.coverage;
    return result;
}

} // namespace stationsync::simulation
