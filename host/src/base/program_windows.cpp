#include "base/program.hpp"

#include <windows.h>

#include "base/path_text.hpp"

#include <algorithm>
#include <thread>
#include <utility>

namespace stationsync::host {
namespace {

using End = ProgramRun::End;

constexpr std::chrono::milliseconds given_up_look{50};

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

ProgramRun not_started(const char* what) {
    const auto error = GetLastError();
    ProgramRun run;
    if (error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND)
        run.end = End::not_found;
    run.trouble = std::string("cannot be started: ") + what + ", error " + std::to_string(error);
    return run;
}

// As CommandLineToArgvW takes it apart.
std::wstring quoted(const std::string& argument) {
    const auto wide = path_of(argument).wstring();
    std::wstring text = L"\"";
    std::size_t backslashes = 0;
    for (const wchar_t c : wide) {
        if (c == L'"')
            text.append(backslashes + 1, L'\\');
        backslashes = c == L'\\' ? backslashes + 1 : 0;
        text += c;
    }
    text.append(backslashes, L'\\');
    return text + L'"';
}

// Everything that the program starts belongs to the job, and ends with it.
HANDLE make_job() {
    const HANDLE job = CreateJobObjectW(nullptr, nullptr);
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits{};
    limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
    if (job != nullptr)
        SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits);
    return job;
}

// Until all that hold the other end have closed it.
void read_all(HANDLE pipe, std::string& text) {
    char buffer[16384];
    for (DWORD count = 0; ReadFile(pipe, buffer, sizeof buffer, &count, nullptr) && count > 0;)
        text.append(buffer, std::min<std::size_t>(count, program_output_bytes_max - text.size()));
}

struct Pipe {
    Handle reader;
    Handle writer;
    bool open(SECURITY_ATTRIBUTES& inherited) {
        return CreatePipe(reader.address(), writer.address(), &inherited, 0) &&
               SetHandleInformation(reader.get(), HANDLE_FLAG_INHERIT, 0);
    }
};

// False: it still runs when the time is over, or when somebody gives it up.
bool wait_for(HANDLE process, std::chrono::milliseconds time_max,
              const std::atomic<bool>* given_up) {
    const auto end = std::chrono::steady_clock::now() + time_max;
    while (true) {
        const auto rest = std::max(
            std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()),
            std::chrono::milliseconds(0));
        const auto slice = given_up == nullptr ? rest : std::min(rest, given_up_look);
        if (WaitForSingleObject(process, static_cast<DWORD>(slice.count())) == WAIT_OBJECT_0)
            return true;
        if (rest.count() == 0 || (given_up != nullptr && *given_up))
            return false;
    }
}

ProgramRun carry_out(std::wstring line, bool wants_errors, std::chrono::milliseconds time_max,
                     const std::atomic<bool>* given_up = nullptr) {
    SECURITY_ATTRIBUTES inherited{sizeof inherited, nullptr, TRUE};
    Pipe out;
    Pipe err;
    if (!out.open(inherited) || !err.open(inherited))
        return not_started("no pipe");
    const Handle nothing(CreateFileW(L"NUL", GENERIC_READ | GENERIC_WRITE,
                                     FILE_SHARE_READ | FILE_SHARE_WRITE, &inherited, OPEN_EXISTING,
                                     0, nullptr));
    STARTUPINFOW start{};
    start.cb = sizeof start;
    start.dwFlags = STARTF_USESTDHANDLES;
    start.hStdInput = nothing.get();
    start.hStdOutput = out.writer.get();
    start.hStdError = wants_errors ? err.writer.get() : nothing.get();
    Handle job(make_job());
    PROCESS_INFORMATION made{};
    if (job.get() == nullptr ||
        !CreateProcessW(nullptr, line.data(), nullptr, nullptr, TRUE,
                        CREATE_SUSPENDED | CREATE_NO_WINDOW, nullptr, nullptr, &start, &made))
        return not_started("no process");
    const Handle process(made.hProcess);
    const Handle thread(made.hThread);
    AssignProcessToJobObject(job.get(), process.get());
    ResumeThread(thread.get());
    out.writer.close();
    err.writer.close();
    ProgramRun run;
    std::thread out_reader([&] { read_all(out.reader.get(), run.out); });
    std::thread err_reader([&] { read_all(err.reader.get(), run.err); });
    DWORD code = 0;
    if (!wait_for(process.get(), time_max, given_up)) {
        run.end = End::timed_out;
        run.trouble = "takes longer than " + std::to_string(time_max.count() / 1000) + " s";
    } else if (GetExitCodeProcess(process.get(), &code)) {
        run.end = End::ended;
        run.code = static_cast<int>(code);
    }
    job.close(); // what it left behind would hold the pipes open
    out_reader.join();
    err_reader.join();
    return run;
}

} // namespace

ProgramRun run_external(const std::vector<std::string>& command,
                        std::chrono::milliseconds time_max) {
    std::wstring line;
    for (const auto& argument : command)
        line += (line.empty() ? L"" : L" ") + quoted(argument);
    return carry_out(std::move(line), true, time_max);
}

ProgramRun run_command_line(const std::string& line, std::chrono::milliseconds time_max,
                            const std::atomic<bool>* given_up) {
    return carry_out(L"cmd.exe /d /s /c \"" + path_of(line).wstring() + L"\"", false, time_max,
                     given_up);
}

} // namespace stationsync::host
