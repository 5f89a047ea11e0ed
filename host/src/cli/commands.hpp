#pragma once
// Every command of the program, and the program itself.

#include "cli/command_line.hpp"
#include "cli/environment.hpp"

#include <vector>

namespace stationsync::host::cli {

const std::vector<CommandSpec>& all_commands();

// Runs one command line (without the program's name); never throws. Returns the exit code.
int run_program(const std::vector<std::string>& arguments, Environment& environment) noexcept;

// Handlers, by file.
// setup_commands.cpp
int run_init(const Invocation& call, Environment& environment);
int run_join(const Invocation& call, Environment& environment);
int run_invite(const Invocation& call, Environment& environment);
// run_command.cpp
int run_run(const Invocation& call, Environment& environment);
// view_commands.cpp
int run_status(const Invocation& call, Environment& environment);
int run_stations(const Invocation& call, Environment& environment);
int run_discover(const Invocation& call, Environment& environment);
int run_objects(const Invocation& call, Environment& environment);
int run_explain(const Invocation& call, Environment& environment);
int run_history(const Invocation& call, Environment& environment);
int run_plugin_list(const Invocation& call, Environment& environment);
// doctor_command.cpp
int run_doctor(const Invocation& call, Environment& environment);
int run_plugin_test(const Invocation& call, Environment& environment);
// log_command.cpp
int run_log(const Invocation& call, Environment& environment);
// wait_command.cpp
int run_wait(const Invocation& call, Environment& environment);
// action_commands.cpp
int run_send_now(const Invocation& call, Environment& environment);
int run_publish(const Invocation& call, Environment& environment);
int run_restore(const Invocation& call, Environment& environment);
int run_start(const Invocation& call, Environment& environment);
int run_stop(const Invocation& call, Environment& environment);
int run_restart(const Invocation& call, Environment& environment);
int run_hold(const Invocation& call, Environment& environment);
int run_release(const Invocation& call, Environment& environment);
int run_establish(const Invocation& call, Environment& environment);
int run_verify(const Invocation& call, Environment& environment);
int run_accept_root(const Invocation& call, Environment& environment);
// project_commands.cpp
int run_project_list(const Invocation& call, Environment& environment);
int run_project_use(const Invocation& call, Environment& environment);
int run_project_activate(const Invocation& call, Environment& environment);
int run_project_deactivate(const Invocation& call, Environment& environment);
int run_project_enable(const Invocation& call, Environment& environment);
int run_project_disable(const Invocation& call, Environment& environment);
// configurator_commands.cpp
int run_configurator_init(const Invocation& call, Environment& environment);
int run_configurator_list(const Invocation& call, Environment& environment);
int run_configurator_add_station(const Invocation& call, Environment& environment);
int run_configurator_remove_station(const Invocation& call, Environment& environment);
// secret_commands.cpp
int run_secret_set(const Invocation& call, Environment& environment);
int run_secret_list(const Invocation& call, Environment& environment);
int run_secret_remove(const Invocation& call, Environment& environment);
// station_commands.cpp
int run_key_rotate(const Invocation& call, Environment& environment);
int run_key_list(const Invocation& call, Environment& environment);
int run_key_retire(const Invocation& call, Environment& environment);
int run_block(const Invocation& call, Environment& environment);
int run_unblock(const Invocation& call, Environment& environment);
int run_forget_station(const Invocation& call, Environment& environment);
int run_station_rename(const Invocation& call, Environment& environment);
int run_station_new_identity(const Invocation& call, Environment& environment);

} // namespace stationsync::host::cli
