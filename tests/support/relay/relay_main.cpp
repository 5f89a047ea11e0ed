// stationsync-relay LISTEN TARGET [SOURCE]
// A bad network between two processes, told what to do line by line on standard input:
//   pass | swallow | reset | refuse    delay THERE_MS BACK_MS    rate BYTES_PER_SECOND (0: no
//   limit) cut     resets the standing connections           stats   prints accepted, bytes there,
//   bytes back
// Each line is answered by "ok" (or "error: …") once it is in force. Ends with standard input.
#include "relay/tcp_relay.hpp"

#include <exception>
#include <iostream>
#include <map>
#include <sstream>

namespace {

using stationsync::test::RelayMode;
using stationsync::test::RelaySettings;
using stationsync::test::TcpRelay;

std::string execute(TcpRelay& relay, RelaySettings& settings, const std::string& line) {
    static const std::map<std::string, RelayMode> modes{{"pass", RelayMode::pass},
                                                        {"swallow", RelayMode::swallow},
                                                        {"reset", RelayMode::reset},
                                                        {"refuse", RelayMode::refuse}};
    std::istringstream words(line);
    std::string command;
    words >> command;
    if (const auto mode = modes.find(command); mode != modes.end()) {
        settings.mode = mode->second;
    } else if (command == "delay") {
        long there = 0;
        long back = 0;
        if (!(words >> there >> back)) {
            return "error: delay THERE_MS BACK_MS";
        }
        settings.delay_there = std::chrono::milliseconds(there);
        settings.delay_back = std::chrono::milliseconds(back);
    } else if (command == "rate") {
        if (!(words >> settings.bytes_per_second)) {
            return "error: rate BYTES_PER_SECOND";
        }
    } else if (command == "cut") {
        relay.cut();
        return "ok";
    } else if (command == "stats") {
        return std::to_string(relay.accepted()) + " " + std::to_string(relay.bytes_there()) + " " +
               std::to_string(relay.bytes_back());
    } else {
        return "error: unknown command " + command;
    }
    relay.set(settings);
    return "ok";
}

} // namespace

int main(int count, char** arguments) {
    if (count != 3 && count != 4) {
        std::cerr << "usage: stationsync-relay LISTEN TARGET [SOURCE]\n";
        return 2;
    }
    try {
        TcpRelay relay(arguments[1], arguments[2], count == 4 ? arguments[3] : "");
        std::cout << "listening " << relay.address() << std::endl;
        RelaySettings settings;
        std::string line;
        while (std::getline(std::cin, line)) {
            std::cout << execute(relay, settings, line) << std::endl;
        }
    } catch (const std::exception& error) {
        std::cerr << "stationsync-relay: " << error.what() << "\n";
        return 1;
    }
    return 0;
}
