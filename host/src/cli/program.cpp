#include "cli/command_help.hpp"
#include "cli/commands.hpp"
#include "cli/table.hpp"
#include "cli/version.hpp"

#include <exception>

namespace stationsync::host::cli {
namespace {

int carry_out(const Invocation& call, Environment& environment) {
    if (call.version) {
        environment.out << "stationsync " << version_text << '\n';
        return exit_done;
    }
    if (call.help) {
        environment.out << help_text(all_commands(), call.help_topic);
        return exit_done;
    }
    return call.command->handler(call, environment);
}

} // namespace

int run_program(const std::vector<std::string>& arguments, Environment& environment) noexcept {
    try {
        const auto call = parse_command_line(all_commands(), arguments);
        const auto code = carry_out(call, environment);
        environment.out.flush();
        if (!environment.out) {
            throw CommandFailure("what the command shows could not be written to its output",
                                 "Make room where the output goes, or keep the program open that "
                                 "reads it. What the command does was done nevertheless.");
        }
        return code;
    } catch (const UsageError& error) {
        environment.err << "stationsync: " << error.what() << '\n';
        return exit_usage;
    } catch (const CommandFailure& failure) {
        environment.err << "stationsync: " << failure.what() << '\n';
        if (!failure.remedy().empty()) {
            write_wrapped(environment.err, failure.remedy(), 2);
        }
        return exit_failed;
    } catch (const std::exception& error) {
        environment.err << "stationsync: " << error.what() << '\n';
        return exit_failed;
    } catch (...) {
        environment.err << "stationsync: an unknown error occurred\n";
        return exit_failed;
    }
}

} // namespace stationsync::host::cli
