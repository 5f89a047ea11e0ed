#include "component/sqlserver_odbc/stand_in.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <sstream>
#include <stdexcept>

namespace stationsync::test {

namespace {

// Up to the end of the line; empty when the other side has gone.
std::string read_line(int file) {
    std::string line;
    char byte = 0;
    while (::read(file, &byte, 1) == 1 && byte != '\n')
        line += byte;
    return line;
}

} // namespace

StandIn::StandIn(const std::filesystem::path& folder, const std::vector<std::string>& options) {
    std::vector<std::string> words = {STATIONSYNC_PYTHON,
                                      "-B",
                                      "-m",
                                      "sqlserver",
                                      folder.string(),
                                      "--with-parent=" + std::to_string(::getpid())};
    words.insert(words.end(), options.begin(), options.end());
    std::vector<char*> arguments;
    for (std::string& word : words)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::array<int, 2> output{};
    if (::pipe(output.data()) != 0)
        throw std::runtime_error("no pipe");
    process_ = ::fork();
    if (process_ == 0) {
        ::dup2(output[1], STDOUT_FILENO);
        ::close(output[0]);
        ::close(output[1]);
        if (::chdir(STATIONSYNC_TEST_SUPPORT) == 0)
            ::execv(STATIONSYNC_PYTHON, arguments.data());
        ::_exit(127);
    }
    ::close(output[1]);
    std::istringstream line(read_line(output[0]));
    ::close(output[0]);
    std::string listening;
    std::string control;
    std::uint16_t control_port = 0;
    line >> listening >> port_ >> control >> control_port;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(control_port);
    control_ = ::socket(AF_INET, SOCK_STREAM, 0);
    if (listening != "listening" ||
        ::connect(control_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
        throw std::runtime_error("the stand-in for SQL Server does not start");
}

StandIn::~StandIn() {
    ::close(control_);
    ::kill(process_, SIGTERM);
    ::waitpid(process_, nullptr, 0);
}

std::string StandIn::tell(const std::string& request) {
    const std::string line = '{' + request + "}\n";
    ::send(control_, line.data(), line.size(), MSG_NOSIGNAL);
    std::string answer = read_line(control_);
    if (answer.find("\"ok\"") == std::string::npos)
        throw std::runtime_error("the stand-in answers " + answer + " to " + request);
    return answer;
}

std::string StandIn::problems() {
    const std::string answer = tell("\"do\":\"problems\"");
    return answer == R"({"ok": {"sins": [], "unknown": []}})" ? "" : answer;
}

} // namespace stationsync::test
