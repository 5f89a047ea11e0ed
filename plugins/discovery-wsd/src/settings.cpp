#include "settings.hpp"

#include <algorithm>

namespace stationsync::discovery_wsd {

namespace {

std::int64_t integer(const sdk::Host& host, std::string_view name, std::int64_t otherwise,
                     std::int64_t least, std::int64_t most) {
    const std::int64_t value = host.config_integer(name, otherwise);
    if (value < least || value > most)
        throw sdk::Error(STSYNC_INVALID_ARG, "The setting \"" + std::string(name) +
                                                 "\" must be from " + std::to_string(least) +
                                                 " to " + std::to_string(most) + ", but is " +
                                                 std::to_string(value) + ".");
    return value;
}

unsigned count(const sdk::Host& host, std::string_view name, unsigned otherwise, unsigned most) {
    return static_cast<unsigned>(integer(host, name, otherwise, 1, most));
}

std::vector<Version> read_versions(const sdk::Host& host) {
    const auto texts = host.config_list("versions");
    if (texts.empty())
        return {all_versions.begin(), all_versions.end()};
    std::vector<Version> versions;
    for (const std::string& text : texts) {
        const auto place = std::find_if(all_versions.begin(), all_versions.end(),
                                        [&](Version version) { return to_text(version) == text; });
        if (place == all_versions.end())
            throw sdk::Error(STSYNC_INVALID_ARG, "The setting \"versions\" holds \"" + text +
                                                     "\": write \"2005/04\", \"2009/01\" or both.");
        if (std::find(versions.begin(), versions.end(), *place) == versions.end())
            versions.push_back(*place);
    }
    return versions;
}

std::vector<std::string> read_patterns(const sdk::Host& host, std::string_view name) {
    std::vector<std::string> patterns = host.config_list(name);
    for (const std::string& pattern : patterns)
        if (!is_pattern(pattern))
            throw sdk::Error(STSYNC_INVALID_ARG,
                             "The setting \"" + std::string(name) + "\" holds \"" + pattern +
                                 "\": write the name of an interface (\"eth0\", \"eth*\") or a "
                                 "network (\"10.0.0.0/8\").");
    return patterns;
}

Limits read_limits(const sdk::Host& host) {
    Limits limits;
    limits.datagram_bytes = count(host, "datagram_bytes_max", 8192, 65000);
    limits.source_datagrams = count(host, "datagrams_per_source", 20, 10000);
    limits.total_datagrams = count(host, "datagrams_per_second", 300, 100000);
    limits.source_answers = count(host, "answers_per_source", 5, 1000);
    limits.total_answers = count(host, "answers_per_second", 30, 10000);
    limits.resolves = count(host, "resolves_per_second", 5, 1000);
    limits.new_finds = count(host, "new_stations_per_second", 5, 1000);
    limits.finds = count(host, "stations_max", 256, 4096);
    limits.finds_per_source = count(host, "stations_per_source", 4, 256);
    return limits;
}

} // namespace

Settings read_settings(const sdk::Host& host) {
    Settings settings;
    settings.protocol.project = host.config_required("@project");
    settings.protocol.versions = read_versions(host);
    settings.protocol.limits = read_limits(host);
    Timing& timing = settings.protocol.timing;
    timing.collect_window = Time(1000 * integer(host, "collect_window_s", 4, 1, 10));
    timing.probe_period = Time(1000 * integer(host, "probe_period_s", 60, 1, 3600));
    timing.quiet_period = Time(1000 * integer(host, "quiet_probe_period_s", 300, 1, 3600));
    settings.interfaces.include = read_patterns(host, "interfaces");
    settings.interfaces.exclude = read_patterns(host, "exclude_interfaces");
    settings.interfaces.use_v4 = host.config_flag("ipv4", true);
    settings.interfaces.use_v6 = host.config_flag("ipv6", true);
    settings.question_port =
        static_cast<std::uint16_t>(integer(host, "probe_source_port", 0, 0, 65535));
    const bool is_own = settings.question_port == 0 || settings.question_port >= 1024;
    if (!is_own || settings.question_port == discovery_port)
        throw sdk::Error(STSYNC_INVALID_ARG,
                         "The setting \"probe_source_port\" must be 0 or a port "
                         "from 1024 on other than 3702.");
    settings.link_port = static_cast<std::uint16_t>(integer(host, "link_port", 8883, 1024, 65535));
    return settings;
}

} // namespace stationsync::discovery_wsd
