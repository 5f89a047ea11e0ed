// Configuration files as a person leaves them behind.
#include "fuzz_target.hpp"

#include "config/config_text.hpp"
#include "config/project_config.hpp"
#include "config/station_config.hpp"
#include "config/units.hpp"

using namespace stationsync::host;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = text_of(data, size);
    const auto paths = paths_of("/nowhere");
    const auto station = parse_station_config(text, "station.toml", paths);
    expect(station.value.has_value() || !station.problems.empty());
    const auto project = parse_project_config(text, "Plant.toml", "Plant");
    expect(project.value.has_value() || !project.problems.empty());
    static_cast<void>(parse_duration(text));
    static_cast<void>(parse_size(text));
    static_cast<void>(parse_endpoint(text, 8883));
    return 0;
}

std::vector<std::string> good_inputs() {
    return {fresh_station_text({}), fresh_project_text({}), "1h30m", "20GB", "[::1]:8883"};
}
