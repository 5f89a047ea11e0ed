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
bool check_rights(const KeyFile& file, Findings& findings) {
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
    if (!check_rights(file, findings)) {
        return;
    }
    if (const auto loaded = StationIdentity::load(file.path); !loaded) {
        findings.problem("keys.content", loaded.error().text, file.missing_remedy);
        return;
    }
    ++good;
}

void check_project_keys(const StationFacts& facts, Findings& findings, std::size_t& good) {
    for (const auto& project : facts.projects) {
        const KeyFile file{facts.paths.project_key(project),
                           "The key of project \"" + project + "\"",
                           "Put the file back from a backup, or on another station: stationsync "
                           "invite   and here: stationsync join CODE"};
        if (!check_rights(file, findings)) {
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
        good += check_rights({at->path(), "A secret", {}}, findings) ? 1u : 0u;
    }
}

void check_tokens(const StationFacts& facts, Findings& findings, std::size_t& good) {
    good += check_rights({facts.paths.act_token_file(), "The act token", {}}, findings) ? 1u : 0u;
    const auto view = facts.paths.view_token_file();
    if (!is_there(view)) {
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
        findings.ok("keys.files", std::to_string(good) +
                                      " files with keys and tokens are readable by their owner "
                                      "alone.");
    }
}

} // namespace stationsync::host::doctor
