#include "folder_check.hpp"

#include "own_account.hpp"

#include <stationsync/paths.hpp>

#include <algorithm>
#include <fstream>

namespace stationsync::sqlserver {

namespace {

std::string account_of_server(SqlSession& session, const ServerFacts& facts, const sdk::Op* op) {
    RunOptions options;
    options.op = op;
    return service_account(session.run(service_account_statement(), options), facts);
}

} // namespace

sdk::Finding check_folder(SqlSession& session, const ServerFacts& facts,
                          const ExchangeFolder& folder, const std::filesystem::path& near,
                          const ProviderSettings& settings, const sdk::Op* op) {
    const ExchangeFile probe = folder.new_file(near);
    {
        std::ofstream file(probe.here(), std::ios::binary);
        file << "This is no backup; the service asks whether SQL Server can read here: "
             << probe.there();
        if (!file)
            return {STSYNC_FINDING_ERROR, "sqlserver.folder",
                    "The service cannot write in the folder " +
                        sdk::utf8_from_path(folder.folder_here(near)) + ".",
                    "Make the folder, and give the account of the service the right to write in "
                    "it."};
    }
    RunOptions options;
    options.op = op;
    const Answer answer = session.run(folder_probe_statement(probe.there()), options);
    if (op != nullptr)
        op->check();
    return folder_finding(judge_folder_probe(answer), rights_folder(settings, probe.there()),
                          account_of_server(session, facts, op), own_account(), facts);
}

std::string rights_folder(const ProviderSettings& settings, const std::string& file_there) {
    const std::filesystem::path& all = settings.packages_folder;
    const std::filesystem::path file = sdk::path_from_utf8(file_there).lexically_normal();
    const std::filesystem::path root = all.lexically_normal();
    if (settings.backup_folder.empty() && !all.empty() &&
        std::mismatch(root.begin(), root.end(), file.begin(), file.end()).first == root.end())
        return sdk::utf8_from_path(all);
    const std::size_t separator = file_there.find_last_of("/\\");
    return separator == std::string::npos ? file_there : file_there.substr(0, separator);
}

std::map<std::string, std::string, std::less<>> folder_values(SqlSession& session,
                                                              const ServerFacts& facts,
                                                              const std::string& folder_there,
                                                              const sdk::Op* op) {
    std::string lines;
    for (const std::string& line : grant_access_lines(
             folder_there, account_of_server(session, facts, op), own_account(), facts.is_linux))
        lines += (lines.empty() ? "" : " ; ") + line;
    return {{"folder", folder_there}, {"access", lines}};
}

} // namespace stationsync::sqlserver
