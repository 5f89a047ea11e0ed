// What kinds of things happen in a random run. Each profile leans on one family of faults; the last
// one does everything.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace stationsync::simulation {

enum class Step : std::uint8_t {
    edit,
    edit_burst,
    conflict,
    backup,
    undo,
    copy_other,
    touch,
    remove,
    edit_while_off,
    edit_during_apply,
    publish,
    restore,
    stop_start,
    restart,
    send_now,
    scan_now,
    verify,
    hold,
    release,
    block,
    forget,
    rename,
    cut,
    cut_one_way,
    refuse_dials,
    break_link,
    lossy,
    unruly,
    slow_network,
    mend,
    arm_crash,
    crash,
    snapshot,
    roll_back,
    lose_state,
    lose_disk,
    lose_sync_directory,
    lose_history_directory,
    step_clock_little,
    step_clock,
    poison_clock,
    correct_clock,
    newcomer,
    isolate_newcomer,
    clone,
    busy,
    failing,
    slow_provider,
    disk_full,
    unmount,
    disable_provider,
    enable_late,
    backend_version,
    backend_unknown,
    product_version,
    close_applies,
    change_root,
    month_off,
    wait,
};
std::string_view to_text(Step step);

struct Weighted {
    Step step;
    unsigned weight;
};

struct Profile {
    std::string name;
    std::vector<Weighted> steps;
    bool islands = false;    // stations first meet in groups
    bool clocks_off = false; // up to 25 s from true time
    unsigned newcomers = 0;  // stations that join with old data of their own
};

const std::vector<Profile>& profiles();
const Profile* find_profile(std::string_view name);

} // namespace stationsync::simulation
