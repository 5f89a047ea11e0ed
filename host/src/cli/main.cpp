#include "cli/commands.hpp"
#include "cli/system.hpp"
#include "service/plugin_test.hpp"

#include <iostream>

int main(int count, char** arguments) {
    using namespace stationsync::host;
    cli::Environment environment{std::cin,    std::cout,   std::cerr, cli::program_path(),
                                 run_service, test_plugins};
    return cli::run_program(cli::program_arguments(count, arguments), environment);
}
