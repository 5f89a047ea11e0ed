#include "other_program.hpp"

#include <stdexcept>

#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

namespace stationsync::test {

OtherProgram::OtherProgram(const std::filesystem::path& database) {
    int input[2];
    int output[2];
    if (::pipe(input) != 0 || ::pipe(output) != 0)
        throw std::runtime_error("no pipe");
    process_ = ::fork();
    if (process_ == 0) {
        ::dup2(input[0], 0);
        ::dup2(output[1], 1);
        for (const int descriptor : {input[0], input[1], output[0], output[1]})
            ::close(descriptor);
        ::execl(STATIONSYNC_DATABASE_USER, "database_user", database.c_str(), nullptr);
        ::_exit(127);
    }
    ::close(input[0]);
    ::close(output[1]);
    to_ = ::fdopen(input[1], "w");
    from_ = ::fdopen(output[0], "r");
}

OtherProgram::~OtherProgram() {
    if (to_ != nullptr)
        std::fclose(to_);
    if (process_ > 0)
        wait_for(process_);
    if (from_ != nullptr)
        std::fclose(from_);
}

void OtherProgram::send(const std::string& line) {
    std::fputs((line + '\n').c_str(), to_);
    std::fflush(to_);
}

std::string OtherProgram::answer() {
    std::string line;
    for (int byte = std::fgetc(from_); byte != EOF && byte != '\n'; byte = std::fgetc(from_))
        line += static_cast<char>(byte);
    return line;
}

std::string OtherProgram::tell(const std::string& line) {
    send(line);
    return answer();
}

void OtherProgram::kill() {
    ::kill(process_, SIGKILL);
    wait_for(process_);
    process_ = -1;
}

int wait_for(int process) {
    int status = 0;
    while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int fork_process() {
    return ::fork();
}

void end_child(int status) {
    ::_exit(status);
}

} // namespace stationsync::test
