// Runs database_user, a process of its own that has a database open.
#pragma once

#include <cstdio>
#include <filesystem>
#include <string>

namespace stationsync::test {

class OtherProgram {
public:
    explicit OtherProgram(const std::filesystem::path& database);
    OtherProgram(const OtherProgram&) = delete;
    OtherProgram& operator=(const OtherProgram&) = delete;
    // Ends it in an orderly way.
    ~OtherProgram();

    // Sends a line and waits for the answer.
    std::string tell(const std::string& line);
    void send(const std::string& line);
    std::string answer();
    std::string sql(const std::string& text) { return tell("sql " + text); }
    // As a crash of that program.
    void kill();

private:
    int process_ = -1;
    std::FILE* to_ = nullptr;
    std::FILE* from_ = nullptr;
};

// Runs `body` in a copy of this process, as it stands now. Returns its exit status, or minus the
// number of the signal that ended it.
template <class Body>
int in_child(Body&& body);

int wait_for(int process);
int fork_process();
[[noreturn]] void end_child(int status);

template <class Body>
int in_child(Body&& body) {
    const int process = fork_process();
    if (process == 0)
        end_child(body());
    return wait_for(process);
}

} // namespace stationsync::test
