#include "base/path_text.hpp"
#include "doctor/checks.hpp"
#include "doctor/file_access.hpp"
#include "net/private_file.hpp"
#include "net/project_key.hpp"
#include "net/station_identity.hpp"

namespace stationsync::host::doctor {
namespace {

namespace fs = std::filesystem;

struct KeyFile {
    fs::path path;
    std::string name;           // "The identity of this station"
    std::string missing_remedy; // empty: may be missing
};

bool is_there(const fs::path& path) {
    std::error_code error;
    return fs::exists(fs::symlink_status(path, error)) || (error && error.value() != ENOENT);
}

// False when the file needs no further look.
bool check_rights(const StationFacts& facts, const KeyFile& file, Findings& findings) {
    if (!is_there(file.path)) {
        if (!file.missing_remedy.empty()) {
            findings.problem("keys.missing",
                             file.name + " is missing: there is no " + path_text(file.path) + ".",
                             file.missing_remedy);
        }
        return false;
    }
    if (!may_judge(file.path)) {
        findings.warning("keys.rights",
                         "This account may not look at " + path_text(file.path) + ".",
                         "Run the command as administrator or as the account of the service.");
        return false;
    }
    std::error_code ignored;
    if (!fs::is_regular_file(fs::symlink_status(file.path, ignored))) {
        findings.problem("keys.kind",
                         file.name + " is no regular file: " + path_text(file.path) +
                             " is a folder or a link, and a key is never read through one.",
                         move_away_command(file.path) + (file.missing_remedy.empty()
                                                             ? std::string()
                                                             : "   then: " + file.missing_remedy));
        return false;
    }
    if (const auto identity = facts.paths.identity_file(); is_of_other_owner(file.path, identity)) {
        findings.problem("keys.owner",
                         file.name +
                             " belongs to another account than the station itself, and "
                             "the service cannot read it: " +
                             path_text(file.path) + ".",
                         same_owner_command(file.path, identity));
        return false;
    }
    if (const auto allowed = check_private(file.path); !allowed) {
        findings.problem("keys.rights", allowed.error().text,
                         owner_only_command(file.path) +
                             "   (if somebody may have read it, make a new key)");
        return false;
    }
    return true;
}

void check_identity_file(const StationFacts& facts, Findings& findings, std::size_t& good) {
    const KeyFile file{facts.paths.identity_file(), "The identity of this station",
                       "Put the file back from a backup, or: stationsync station new-identity"};
    if (!check_rights(facts, file, findings)) {
        return;
    }
    if (const auto loaded = StationIdentity::load(file.path); !loaded) {
        findings.problem("keys.content", loaded.error().text, file.missing_remedy);
        return;
    }
    ++good;
}

// `join` refuses a project that has a file or a key here.
std::string join_again_remedy(const StationFacts& facts, const std::string& project) {
    const auto file = facts.paths.project_file(project);
    std::string move;
    for (const auto& path : {file, facts.paths.project_key(project)}) {
        if (is_there(path)) {
            move += (move.empty() ? "" : " && ") + move_away_command(path);
        }
    }
    return (move.empty() ? move : move + "   then ") +
           "on another station: stationsync invite, and here: stationsync join CODE   (or put the "
           "key back from a backup; the providers stand in " +
           path_text(file) + ".old then)";
}

void check_project_keys(const StationFacts& facts, Findings& findings, std::size_t& good) {
    for (const auto& project : facts.projects) {
        const KeyFile file{facts.paths.project_key(project),
                           "The key of project \"" + project + "\"",
                           join_again_remedy(facts, project)};
        if (!check_rights(facts, file, findings)) {
            continue;
        }
        if (const auto loaded = KeyRing::load(file.path); !loaded) {
            findings.problem("keys.content", loaded.error().text, file.missing_remedy);
            continue;
        }
        ++good;
    }
}

void check_secrets(const StationFacts& facts, Findings& findings, std::size_t& good) {
    std::error_code error;
    for (fs::directory_iterator at(facts.paths.secrets(), error), end; !error && at != end;
         at.increment(error)) {
        good += check_rights(facts, {at->path(), "A secret", {}}, findings) ? 1u : 0u;
    }
}

void check_tokens(const StationFacts& facts, Findings& findings, std::size_t& good) {
    good += check_rights(facts, {facts.paths.act_token_file(), "The act token", {}}, findings) ? 1u
                                                                                               : 0u;
    const auto view = facts.paths.view_token_file();
    if (!is_there(view)) {
        return;
    }
    if (const auto identity = facts.paths.identity_file(); is_of_other_owner(view, identity)) {
        findings.problem("keys.owner",
                         "The view token belongs to another account than the station itself: " +
                             path_text(view) + ".",
                         same_owner_command(view, identity));
        return;
    }
    if (may_judge(view) && is_open_to_others(view)) {
        findings.problem("keys.rights",
                         "Every account of this computer has access to " + path_text(view) + ".",
                         owner_only_command(view) + "   (then start the service again)");
        return;
    }
    ++good;
}

} // namespace

void check_keys(const StationFacts& facts, Findings& findings) {
    if (facts.is_hidden) {
        return;
    }
    std::size_t good = 0;
    check_identity_file(facts, findings, good);
    check_project_keys(facts, findings, good);
    check_secrets(facts, findings, good);
    check_tokens(facts, findings, good);
    if (good > 0) {
        findings.ok("keys.files", good == 1 ? "1 file with a key or token is readable by its owner "
                                              "alone."
                                            : std::to_string(good) +
                                                  " files with keys and tokens are readable by "
                                                  "their owner alone.");
    }
}

} // namespace stationsync::host::doctor
