#include "config/root_paths.hpp"

#include <shlobj.h>
#include <windows.h>

namespace stationsync::host {

RootPaths system_paths() {
    std::filesystem::path program_data = L"C:\\ProgramData";
    PWSTR known = nullptr;
    if (SUCCEEDED(SHGetKnownFolderPath(FOLDERID_ProgramData, 0, nullptr, &known))) {
        program_data = known;
    }
    CoTaskMemFree(known);
    const auto base = program_data / L"StationSync";
    RootPaths paths;
    paths.configuration = base;
    paths.state = base / L"state";
    paths.sync = L"C:\\Daten\\Transfer\\Data Sync";
    paths.history = base / L"history";
    paths.log = base / L"log";
    return paths;
}

ExamplePaths example_paths() {
    return {R"(C:\Daten\Recipes)", R"(C:\Daten\Batch\batch.db)"};
}

} // namespace stationsync::host
