#include "cli/command_help.hpp"
#include "cli/commands.hpp"
#include "cli/table.hpp"
#include "cli/version.hpp"

#include <exception>

namespace stationsync::host::cli {

int run_program(const std::vector<std::string>& arguments, Environment& environment) noexcept {
    try {
        const auto call = parse_command_line(all_commands(), arguments);
        if (call.version) {
            environment.out << "stationsync " << version_text << '\n';
            return exit_done;
        }
        if (call.help) {
            environment.out << help_text(all_commands(), call.help_topic);
            return exit_done;
        }
        const auto code = call.command->handler(call, environment);
        environment.out.flush();
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
