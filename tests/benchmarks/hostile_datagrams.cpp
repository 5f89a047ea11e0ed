// What one datagram of each hostile kind costs discovery-wsd, beside an ordinary question and
// beside expat reading the same bytes without any guard: microseconds, the reason it was dropped
// for, and by how much the process has grown after many of them.
//
//   hostile_datagrams [ROUNDS]      default 20000 of each kind
#include "protocol.hpp"
#include "writer.hpp"

#include <expat.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

namespace stationsync::discovery_wsd {
namespace {

using Clock = std::chrono::steady_clock;

struct Sample {
    const char* name;
    std::string bytes;
};

std::string repeated(const std::string& text, std::size_t count) {
    std::string result;
    for (std::size_t i = 0; i < count; ++i)
        result += text;
    return result;
}

std::string probe_with(const std::string& inside) {
    std::string text = write_probe({Version::draft_2005, "urn:uuid:one"}, "");
    const std::size_t end = text.find("</wsd:Probe>");
    if (end == std::string::npos)
        std::abort(); // the writer uses another prefix: mend this program
    return text.insert(end, inside);
}

// What is sent to the port of WS-Discovery by those who mean harm, and what a defect would send.
std::vector<Sample> samples() {
    std::string utf16("\xff\xfe", 2);
    for (const char byte : std::string("<?xml version=\"1.0\"?><a/>"))
        utf16 += std::string(1, byte) + '\0';
    const auto attributes = [](int count) {
        std::string text;
        for (int i = 0; i < count; ++i)
            text += " a" + std::to_string(i) + "=\"\"";
        return text;
    };
    std::string no_id = write_probe({Version::draft_2005, ""}, "");
    return {
        {"ordinary question, repeated",
         write_probe({Version::draft_2005, "urn:uuid:one"}, project_scope("Other"))},
        {"<:/>", "<:/>"},
        {"entity bomb", "<!DOCTYPE a [<!ENTITY b \"bbbbbbbbbbbbbbbb\">"
                        "<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">"
                        "<!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;\">]><a>&d;&d;&d;</a>"},
        {"without a message id", no_id},
        {"64 KB of <a>", repeated("<a>", 21'846)},
        {"64 KB of <a> in a question", probe_with(repeated("<a>", 21'846))},
        {"9 KB, well-formed", probe_with("<x>" + repeated("y", 9000) + "</x>")},
        {"8 KB, deep", probe_with(repeated("<a>", 1000) + repeated("</a>", 1000))},
        {"8 KB, many elements", probe_with(repeated("<a/>", 1800))},
        {"bad UTF-8", probe_with("<x>\xc3\x28</x>")},
        {"UTF-16", utf16},
        {"two roots", probe_with("") + "<b/>"},
        {"6000 attributes", probe_with("<x" + attributes(6000) + "/>")},
        {"8 KB of attributes", probe_with("<x" + attributes(900) + "/>")},
    };
}

std::size_t resident_kib() {
    std::ifstream file("/proc/self/status");
    std::string word;
    while (file >> word)
        if (word == "VmRSS:") {
            std::size_t kib = 0;
            file >> kib;
            return kib;
        }
    return 0;
}

double microseconds(Clock::duration time) {
    return std::chrono::duration<double, std::micro>(time).count();
}

struct Cost {
    double median_us = 0;
    double p99_us = 0;
    std::string reason;
    long grown_kib = 0;
};

std::string reason_between(const Protocol& protocol, const std::vector<std::uint64_t>& before) {
    for (std::size_t i = 0; i < drop_reason_count; ++i)
        if (protocol.dropped(static_cast<DropReason>(i)) > before[i])
            return std::string(to_text(static_cast<DropReason>(i)));
    return "not dropped";
}

std::vector<std::uint64_t> drops_of(const Protocol& protocol) {
    std::vector<std::uint64_t> drops;
    for (std::size_t i = 0; i < drop_reason_count; ++i)
        drops.push_back(protocol.dropped(static_cast<DropReason>(i)));
    return drops;
}

// Each comes a second after the one before, so that no limit of rates spares it from being read.
Cost cost_of(Protocol& protocol, const Channel& channel, const std::string& bytes, Time& now,
             int rounds) {
    const Limits limits;
    const Datagram datagram{channel.id(), false, true, *parse_endpoint("10.0.0.9:5000"),
                            std::string_view(bytes).substr(0, limits.datagram_bytes + 1)};
    Cost cost;
    const std::vector<std::uint64_t> before = drops_of(protocol);
    std::vector<double> times;
    times.reserve(static_cast<std::size_t>(rounds));
    for (int i = 0; i < 100; ++i)
        protocol.receive(datagram, now += Time(1000));
    const std::size_t resident = resident_kib();
    for (int i = 0; i < rounds; ++i) {
        now += Time(1000);
        const Clock::time_point begin = Clock::now();
        protocol.receive(datagram, now);
        times.push_back(microseconds(Clock::now() - begin));
        protocol.take_due(now);
        protocol.take_drop_lines(now);
    }
    cost.grown_kib = static_cast<long>(resident_kib()) - static_cast<long>(resident);
    std::sort(times.begin(), times.end());
    cost.median_us = times[times.size() / 2];
    cost.p99_us = times[times.size() - 1 - times.size() / 100];
    cost.reason = reason_between(protocol, before);
    return cost;
}

double unguarded_us(const std::string& bytes) {
    std::vector<double> times;
    for (int i = 0; i < 200; ++i) {
        const Clock::time_point begin = Clock::now();
        XML_Parser parser = XML_ParserCreateNS("UTF-8", '\x1f');
        XML_Parse(parser, bytes.data(), static_cast<int>(bytes.size()), XML_TRUE);
        XML_ParserFree(parser);
        times.push_back(microseconds(Clock::now() - begin));
    }
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
}

void run(int rounds) {
    ProtocolSettings settings;
    settings.project = "Plant";
    Protocol protocol(settings, [] { return 7U; });
    const Prefix prefix = *parse_prefix("10.0.0.1/24");
    const Channel channel{2, "eth0", prefix.address.family, {prefix}};
    Time now{1'000'000};
    protocol.set_channels({channel}, {}, now);
    protocol.announce({{"00000000-0000-4000-8000-000000000001", "Plant", "Own", "1.0", "2.3"},
                       {{IpAddress{}, 8883}},
                       100,
                       1},
                      now);
    std::printf("%-28s %7s %10s %10s %12s %9s  %s\n", "datagram", "bytes", "median us", "p99 us",
                "bare expat", "grown KiB", "dropped as");
    for (const Sample& sample : samples()) {
        const Cost cost = cost_of(protocol, channel, sample.bytes, now, rounds);
        std::printf("%-28s %7zu %10.2f %10.1f %12.2f %9ld  %s\n", sample.name, sample.bytes.size(),
                    cost.median_us, cost.p99_us, unguarded_us(sample.bytes), cost.grown_kib,
                    cost.reason.c_str());
    }
}

} // namespace
} // namespace stationsync::discovery_wsd

int main(int argc, char** argv) {
    stationsync::discovery_wsd::run(argc > 1 ? std::stoi(argv[1]) : 20'000);
}
