#include "doctor/external_program.hpp"

#include "base/path_text.hpp"

#include <windows.h>

#include <thread>

namespace stationsync::host::doctor {
namespace {

constexpr std::size_t output_max = std::size_t{4} << 20;

class Handle {
public:
    explicit Handle(HANDLE handle = nullptr) : handle_(handle) {}
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    ~Handle() { close(); }
    void close() {
        if (handle_ != nullptr && handle_ != INVALID_HANDLE_VALUE) {
            CloseHandle(handle_);
        }
        handle_ = nullptr;
    }
    HANDLE* address() { return &handle_; }
    [[nodiscard]] HANDLE get() const { return handle_; }

private:
    HANDLE handle_;
};

// As CommandLineToArgvW takes it apart.
std::wstring quoted(const std::string& argument) {
    const auto wide = path_of(argument).wstring();
    std::wstring text = L"\"";
    std::size_t backslashes = 0;
    for (const wchar_t c : wide) {
        if (c == L'"') {
            text.append(backslashes + 1, L'\\');
        }
        backslashes = c == L'\\' ? backslashes + 1 : 0;
        text += c;
    }
    text.append(backslashes, L'\\');
    return text + L'"';
}

void read_all(HANDLE pipe, std::string& text) {
    char buffer[16384];
    for (DWORD count = 0; ReadFile(pipe, buffer, sizeof buffer, &count, nullptr) && count > 0;) {
        if (text.size() < output_max) {
            text.append(buffer, count);
        }
    }
}

} // namespace

ProgramRun run_external(const std::vector<std::string>& command,
                        std::chrono::milliseconds time_max) {
    ProgramRun run;
    std::wstring line;
    for (const auto& argument : command) {
        line += (line.empty() ? L"" : L" ") + quoted(argument);
    }
    SECURITY_ATTRIBUTES inherited{sizeof inherited, nullptr, TRUE};
    Handle out_read;
    Handle out_write;
    Handle err_read;
    Handle err_write;
    Handle nothing(CreateFileW(L"NUL", GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, &inherited,
                               OPEN_EXISTING, 0, nullptr));
    if (!CreatePipe(out_read.address(), out_write.address(), &inherited, 0) ||
        !CreatePipe(err_read.address(), err_write.address(), &inherited, 0)) {
        return run;
    }
    SetHandleInformation(out_read.get(), HANDLE_FLAG_INHERIT, 0);
    SetHandleInformation(err_read.get(), HANDLE_FLAG_INHERIT, 0);
    STARTUPINFOW startup{};
    startup.cb = sizeof startup;
    startup.dwFlags = STARTF_USESTDHANDLES;
    startup.hStdInput = nothing.get();
    startup.hStdOutput = out_write.get();
    startup.hStdError = err_write.get();
    // Everything that it starts ends with the job.
    Handle job(CreateJobObjectW(nullptr, nullptr));
    PROCESS_INFORMATION process{};
    if (!CreateProcessW(nullptr, line.data(), nullptr, nullptr, TRUE,
                        CREATE_NO_WINDOW | CREATE_SUSPENDED, nullptr, nullptr, &startup,
                        &process)) {
        const auto error = GetLastError();
        if (error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND) {
            run.end = ProgramRun::End::not_found;
        }
        return run;
    }
    const Handle child(process.hProcess);
    const Handle thread(process.hThread);
    AssignProcessToJobObject(job.get(), child.get());
    ResumeThread(thread.get());
    out_write.close();
    err_write.close();
    std::thread out_reader([&] { read_all(out_read.get(), run.out); });
    std::thread err_reader([&] { read_all(err_read.get(), run.err); });
    const auto waited = WaitForSingleObject(child.get(), static_cast<DWORD>(time_max.count()));
    DWORD code = 0;
    if (waited != WAIT_OBJECT_0) {
        TerminateJobObject(job.get(), 1);
        run.end = ProgramRun::End::timed_out;
    } else if (GetExitCodeProcess(child.get(), &code)) {
        run.end = ProgramRun::End::ended;
        run.code = static_cast<int>(code);
    }
    out_reader.join();
    err_reader.join();
    return run;
}

} // namespace stationsync::host::doctor
