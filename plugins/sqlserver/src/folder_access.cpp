#include "folder_access.hpp"

#include "errors.hpp"
#include "quoting.hpp"

#include <algorithm>

namespace stationsync::sqlserver {

namespace {

// For a POSIX shell.
std::string shell_quoted(std::string_view text) {
    std::string result = "'";
    for (const char byte : text)
        result += byte == '\'' ? std::string("'\\''") : std::string(1, byte);
    return result + '\'';
}

// A backslash before the closing quote would take it for a part of the name.
std::string_view without_separator(std::string_view folder) {
    while (folder.size() > 1 && (folder.back() == '\\' || folder.back() == '/') &&
           folder[folder.size() - 2] != ':')
        folder.remove_suffix(1);
    return folder;
}

std::vector<std::string> icacls_lines(std::string_view folder, std::string_view account) {
    std::string name(without_separator(folder));
    if (name.size() == 3 && name[1] == ':')
        name += '.'; // "C:\." instead of "C:\", for the reason above
    return {"icacls \"" + name + "\" /grant \"" + std::string(account) + ":(OI)(CI)M\""};
}

std::vector<std::string> setfacl_lines(std::string_view folder, std::string_view account,
                                       std::string_view service) {
    const std::string user(account);
    // For what is there already as well, and handed down to what comes; X: files do not get x.
    std::string entries = "u:" + user + ":rwX,d:u:" + user + ":rwx";
    if (!service.empty() && service != "root")
        entries += ",d:u:" + std::string(service) + ":rwx";
    std::vector<std::string> lines = {"setfacl -R -m " + entries + ' ' +
                                      shell_quoted(without_separator(folder))};
    std::string parents;
    std::string_view parent = without_separator(folder);
    for (std::size_t slash = parent.rfind('/'); slash != std::string_view::npos && slash > 0;
         slash = parent.rfind('/')) {
        parent = parent.substr(0, slash);
        parents.insert(0, ' ' + shell_quoted(parent));
    }
    if (!parents.empty())
        lines.push_back("setfacl -m u:" + user + ":x" + parents);
    return lines;
}

// As icacls knows it.
std::string shown_account(const std::string& account, const ServerFacts& facts) {
    if (account == "LocalSystem")
        return "NT AUTHORITY\\SYSTEM";
    if (account.starts_with(".\\"))
        return facts.machine + account.substr(1);
    return account;
}

std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines)
        text += (text.empty() ? "" : " ; ") + line;
    return text;
}

} // namespace

std::string service_account_statement() {
    return "SELECT servicename, service_account FROM sys.dm_server_services";
}

std::string service_account(const Answer& answer, const ServerFacts& facts) {
    if (answer.is_complete() && !answer.results.empty()) {
        const ResultSet& set = answer.rows();
        for (std::size_t i = 0; i < set.rows.size(); ++i) {
            const std::string name = set.row(i)["servicename"].text().value_or("");
            const std::string account = set.row(i)["service_account"].text().value_or("");
            // Not "SQL Server Agent (…)" and "SQL Full-text Filter Daemon Launcher (…)".
            if (name.starts_with("SQL Server (") && !account.empty())
                return shown_account(account, facts);
        }
    }
    if (facts.is_linux)
        return "mssql";
    return facts.instance.empty() ? "NT SERVICE\\MSSQLSERVER"
                                  : "NT SERVICE\\MSSQL$" + facts.instance;
}

std::vector<std::string> grant_access_lines(std::string_view folder, std::string_view account,
                                            std::string_view service, bool is_linux) {
    return is_linux ? setfacl_lines(folder, account, service) : icacls_lines(folder, account);
}

std::string folder_probe_statement(std::string_view probe_file) {
    return "RESTORE LABELONLY FROM DISK = " + quoted_path(probe_file);
}

FolderProbe judge_folder_probe(const Answer& answer) {
    if (answer.is_complete())
        return FolderProbe::readable;
    const Diagnostic* const main = main_message(answer.messages, Phase::running);
    const ErrorRule* const rule = main == nullptr ? nullptr : rule_of(*main, Phase::running);
    if (rule == nullptr)
        return FolderProbe::unknown;
    // It has read the file and found no backup in it.
    if (rule->id == "package-damaged")
        return FolderProbe::readable;
    if (rule->id == "folder-denied")
        return FolderProbe::denied;
    if (rule->id == "path-missing")
        return FolderProbe::not_there;
    if (rule->id == "file-locked")
        return FolderProbe::locked;
    if (rule->id == "network-path")
        return FolderProbe::unreachable;
    return FolderProbe::unknown;
}

sdk::Finding folder_finding(FolderProbe probe, std::string_view folder, std::string_view account,
                            std::string_view service, const ServerFacts& facts) {
    const std::string name(folder);
    const std::string code = "sqlserver.folder";
    const std::string lines = joined(grant_access_lines(folder, account, service, facts.is_linux));
    switch (probe) {
    case FolderProbe::readable:
        return {STSYNC_FINDING_OK, code, "SQL Server can read in the folder " + name + ".", ""};
    case FolderProbe::denied:
        return {STSYNC_FINDING_ERROR, code,
                "SQL Server runs as " + std::string(account) +
                    ", and that account has no right on "
                    "the folder " +
                    name + ".",
                "Let an administrator run: " + lines};
    case FolderProbe::not_there:
        return {STSYNC_FINDING_ERROR, code,
                "SQL Server on " + facts.machine + " does not find the folder " + name + ".",
                "Use a folder that exists under this name on the computer of SQL Server itself; a "
                "drive letter of a user never works."};
    case FolderProbe::locked:
        return {STSYNC_FINDING_WARNING, code,
                "Another program held a file in the folder " + name + " while SQL Server read it.",
                "Except the folder from the scan of virus scanners."};
    case FolderProbe::unreachable:
        return {STSYNC_FINDING_ERROR, code,
                "SQL Server, running as " + std::string(account) +
                    ", does not reach the network "
                    "folder " +
                    name + ".",
                "Use a folder on a disk of the computer of SQL Server, or give its account rights "
                "on the share."};
    case FolderProbe::unknown:
        break;
    }
    return {STSYNC_FINDING_WARNING, code,
            "It is not clear whether SQL Server can read in the folder " + name + ".",
            "If backups fail, let an administrator run: " + lines};
}

} // namespace stationsync::sqlserver
