#include "base/command.hpp"

#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>

#include "base/path_text.hpp"

#include <algorithm>
#include <utility>

namespace stationsync::host {
namespace {

class Handle {
public:
    explicit Handle(HANDLE handle = nullptr) : handle_(handle) {}
    ~Handle() { close(); }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    HANDLE get() const { return handle_; }
    HANDLE* address() { return &handle_; }
    void close() {
        if (handle_ != nullptr && handle_ != INVALID_HANDLE_VALUE)
            CloseHandle(std::exchange(handle_, nullptr));
    }

private:
    HANDLE handle_;
};

std::string trouble(const char* what) {
    return std::string("cannot be started: ") + what + ", error " + std::to_string(GetLastError());
}

// Everything that the command starts belongs to the job, and ends with it.
HANDLE make_job() {
    const HANDLE job = CreateJobObjectW(nullptr, nullptr);
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits{};
    limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
    if (job != nullptr)
        SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits);
    return job;
}

// What is there now; never waits.
void drain(HANDLE pipe, std::string& output) {
    char buffer[4096];
    DWORD waiting = 0;
    while (PeekNamedPipe(pipe, nullptr, 0, nullptr, &waiting, nullptr) && waiting != 0) {
        DWORD count = 0;
        if (!ReadFile(pipe, buffer, std::min<DWORD>(waiting, sizeof buffer), &count, nullptr))
            return;
        output.append(buffer,
                      std::min<std::size_t>(count, command_output_bytes_max - output.size()));
    }
}

} // namespace

CommandResult run_command_line(const std::string& line, std::chrono::milliseconds time_max) {
    CommandResult result;
    SECURITY_ATTRIBUTES inherited{sizeof inherited, nullptr, TRUE};
    Handle output;
    Handle input;
    if (!CreatePipe(output.address(), input.address(), &inherited, 0)) {
        result.trouble = trouble("no pipe");
        return result;
    }
    SetHandleInformation(output.get(), HANDLE_FLAG_INHERIT, 0);
    const Handle nothing(CreateFileW(L"NUL", GENERIC_READ | GENERIC_WRITE,
                                     FILE_SHARE_READ | FILE_SHARE_WRITE, &inherited, OPEN_EXISTING,
                                     0, nullptr));
    STARTUPINFOW start{};
    start.cb = sizeof start;
    start.dwFlags = STARTF_USESTDHANDLES;
    start.hStdInput = nothing.get();
    start.hStdOutput = input.get();
    start.hStdError = nothing.get();
    std::wstring command = L"cmd.exe /d /s /c \"" + path_of(line).wstring() + L"\"";
    const Handle job(make_job());
    PROCESS_INFORMATION made{};
    if (job.get() == nullptr ||
        !CreateProcessW(nullptr, command.data(), nullptr, nullptr, TRUE,
                        CREATE_SUSPENDED | CREATE_NO_WINDOW, nullptr, nullptr, &start, &made)) {
        result.trouble = trouble("no process");
        return result;
    }
    const Handle process(made.hProcess);
    const Handle thread(made.hThread);
    AssignProcessToJobObject(job.get(), process.get());
    ResumeThread(thread.get());
    input.close();
    const auto end = std::chrono::steady_clock::now() + time_max;
    while (WaitForSingleObject(process.get(), 10) == WAIT_TIMEOUT) {
        drain(output.get(), result.output);
        if (std::chrono::steady_clock::now() >= end) {
            TerminateJobObject(job.get(), 1);
            result.trouble = "takes longer than " + std::to_string(time_max.count() / 1000) + " s";
            return result;
        }
    }
    drain(output.get(), result.output);
    DWORD status = 1;
    GetExitCodeProcess(process.get(), &status);
    result.exit_status = static_cast<int>(status);
    return result;
}

} // namespace stationsync::host
