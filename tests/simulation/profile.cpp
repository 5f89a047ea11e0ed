#include "profile.hpp"

#include <algorithm>
#include <array>

namespace stationsync::simulation {

namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(Step::wait) + 1> step_names = {
    "edit",
    "edit burst",
    "conflict",
    "backup",
    "undo",
    "copy other",
    "touch",
    "remove",
    "edit while off",
    "edit during apply",
    "publish",
    "restore",
    "stop and start",
    "restart",
    "send now",
    "scan now",
    "verify",
    "hold",
    "release",
    "block",
    "forget",
    "rename",
    "cut",
    "cut one way",
    "refuse dials",
    "break link",
    "lossy",
    "unruly",
    "slow network",
    "mend",
    "arm crash",
    "crash",
    "snapshot",
    "roll back",
    "lose state",
    "lose disk",
    "lose sync directory",
    "lose history directory",
    "step clock little",
    "step clock",
    "poison clock",
    "correct clock",
    "newcomer",
    "isolate newcomer",
    "clone",
    "busy",
    "failing",
    "slow provider",
    "disk full",
    "unmount",
    "disable provider",
    "enable late",
    "backend version",
    "backend unknown",
    "product version",
    "close applies",
    "change root",
    "month off",
    "wait"};

using S = Step;

std::vector<Weighted> with_users(std::vector<Weighted> steps) {
    for (const Weighted& usual : {Weighted{S::edit, 20},
                                  {S::edit_burst, 6},
                                  {S::conflict, 12},
                                  {S::undo, 2},
                                  {S::copy_other, 2},
                                  {S::remove, 3},
                                  {S::touch, 2},
                                  {S::edit_during_apply, 4},
                                  {S::wait, 10}}) {
        steps.push_back(usual);
    }
    return steps;
}

std::vector<Profile> make_profiles() {
    std::vector<Profile> all;
    all.push_back({"calm", with_users({{S::edit_while_off, 3}, {S::touch, 3}}), false, false, 0});
    all.push_back({"network",
                   with_users({{S::cut, 12},
                               {S::cut_one_way, 8},
                               {S::refuse_dials, 6},
                               {S::break_link, 10},
                               {S::lossy, 4},
                               {S::unruly, 4},
                               {S::slow_network, 4},
                               {S::mend, 12},
                               {S::crash, 2}}),
                   false, true, 0});
    all.push_back({"crash",
                   with_users({{S::arm_crash, 40},
                               {S::crash, 8},
                               {S::restart, 3},
                               {S::stop_start, 3},
                               {S::cut, 4},
                               {S::mend, 6}}),
                   false, true, 0});
    all.push_back({"backups",
                   with_users({{S::backup, 20},
                               {S::edit_while_off, 4},
                               {S::arm_crash, 8},
                               {S::publish, 4},
                               {S::restore, 4},
                               {S::stop_start, 4},
                               {S::restart, 2},
                               {S::cut, 4},
                               {S::mend, 4}}),
                   false, true, 0});
    all.push_back({"clocks",
                   with_users({{S::step_clock_little, 6},
                               {S::step_clock, 12},
                               {S::poison_clock, 3},
                               {S::correct_clock, 12},
                               {S::edit_while_off, 4},
                               {S::backup, 4},
                               {S::cut, 4},
                               {S::mend, 6}}),
                   false, true, 0});
    all.push_back({"poison",
                   with_users({{S::poison_clock, 12},
                               {S::correct_clock, 14},
                               {S::crash, 3},
                               {S::edit_while_off, 6},
                               {S::cut, 3},
                               {S::mend, 4}}),
                   false, true, 0});
    all.push_back({"newcomers",
                   with_users({{S::newcomer, 10},
                               {S::isolate_newcomer, 6},
                               {S::enable_late, 6},
                               {S::cut, 8},
                               {S::mend, 10},
                               {S::arm_crash, 8},
                               {S::slow_network, 3},
                               {S::publish, 2},
                               {S::lose_state, 2}}),
                   true, true, 2});
    all.push_back({"rollback",
                   with_users({{S::snapshot, 14},
                               {S::roll_back, 10},
                               {S::lose_state, 4},
                               {S::lose_disk, 3},
                               {S::lose_sync_directory, 4},
                               {S::lose_history_directory, 3},
                               {S::cut, 6},
                               {S::mend, 6},
                               {S::crash, 4}}),
                   false, true, 0});
    all.push_back({"clones", with_users({{S::clone, 8}, {S::cut, 6}, {S::mend, 8}, {S::crash, 3}}),
                   false, true, 0});
    all.push_back({"providers",
                   with_users({{S::busy, 8},
                               {S::failing, 8},
                               {S::slow_provider, 10},
                               {S::disk_full, 8},
                               {S::unmount, 5},
                               {S::disable_provider, 4},
                               {S::backend_version, 3},
                               {S::backend_unknown, 3},
                               {S::product_version, 3},
                               {S::close_applies, 8},
                               {S::change_root, 3},
                               {S::arm_crash, 10}}),
                   false, true, 0});
    all.push_back({"commands",
                   with_users({{S::publish, 10},
                               {S::restore, 14},
                               {S::stop_start, 8},
                               {S::restart, 4},
                               {S::send_now, 6},
                               {S::scan_now, 4},
                               {S::verify, 6},
                               {S::hold, 8},
                               {S::release, 6},
                               {S::block, 5},
                               {S::forget, 3},
                               {S::rename, 3},
                               {S::cut, 4},
                               {S::mend, 6},
                               {S::arm_crash, 8}}),
                   false, true, 0});
    all.push_back({"offline",
                   with_users({{S::edit_while_off, 20},
                               {S::stop_start, 6},
                               {S::month_off, 3},
                               {S::backup, 4},
                               {S::cut, 4},
                               {S::mend, 4}}),
                   false, true, 0});
    Profile everything{"everything", with_users({}), false, true, 1};
    for (std::size_t i = 0; i < static_cast<std::size_t>(S::wait); ++i) {
        everything.steps.push_back({static_cast<Step>(i), 2});
    }
    everything.steps.push_back({S::mend, 10});
    everything.steps.push_back({S::correct_clock, 5});
    all.push_back(everything);
    return all;
}

} // namespace

std::string_view to_text(Step step) {
    return step_names[static_cast<std::size_t>(step)];
}

const std::vector<Profile>& profiles() {
    static const std::vector<Profile> all = make_profiles();
    return all;
}

const Profile* find_profile(std::string_view name) {
    const auto found = std::find_if(profiles().begin(), profiles().end(),
                                    [&](const Profile& p) { return p.name == name; });
    return found == profiles().end() ? nullptr : &*found;
}

} // namespace stationsync::simulation
