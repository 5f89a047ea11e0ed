// What a restore leaves to be done before users may come: things that belong to the server and not
// to the package.
#include "quoting.hpp"
#include "restore_scene.hpp"
#include "text.hpp"

namespace stationsync::sqlserver {

namespace {

// A statement in the context of a database, without the session staying in it.
std::string inside(const std::string& database, const std::string& statement) {
    return "EXEC " + quoted_name(database) + ".sys.sp_executesql " + quoted_text(statement);
}

// What is refused is worth one warning; a lost connection is not: whoever finishes comes here
// again.
void try_statement(RestoreScene& scene, const Intent& intent, const std::string& statement,
                   const std::string& what) {
    const Answer answer = scene.worker.run(statement);
    if (answer.is_complete())
        return;
    if (answer.ending != Ending::failed) {
        scene.worker.check();
        throw error_of(answer, {{"database", intent.database}});
    }
    scene.warn(intent, what + ' ' + error_of(answer, {{"database", intent.database}}).what());
}

struct OwnLogin {
    std::string name;
    bool is_sysadmin = false;
    std::string administrator; // the built-in one, whatever it was renamed to
};

OwnLogin ask_own_login(RestoreScene& scene) {
    const Answer answer = scene.worker.must("SELECT SUSER_SNAME() AS name, "
                                            "IS_SRVROLEMEMBER('sysadmin') AS is_sysadmin, "
                                            "SUSER_SNAME(0x01) AS administrator");
    const Row row = answer.row();
    return {row["name"].text().value_or(""), row["is_sysadmin"].flag().value_or(false),
            row["administrator"].text().value_or("")};
}

// The owner could not be set: it, who is not to be locked out, becomes db_owner instead.
void let_owner_in(RestoreScene& scene, const Intent& intent, const std::string& database,
                  const std::string& owner) {
    const Answer found = scene.worker.run("SELECT name FROM " + quoted_name(database) +
                                          ".sys.database_principals WHERE sid = SUSER_SID(" +
                                          quoted_text(owner) + ")");
    const bool has_user = found.is_complete() && !found.rows().rows.empty();
    const std::string user = has_user ? found.row()["name"].text().value_or(owner) : owner;
    std::string statements = "ALTER ROLE [db_owner] ADD MEMBER " + quoted_name(user);
    if (!has_user)
        statements.insert(0, "CREATE USER " + quoted_name(user) + " FOR LOGIN " +
                                 quoted_name(owner) + "; ");
    try_statement(scene, intent, inside(database, statements),
                  "The login " + in_quotes(owner) + ", which owned " + in_quotes(intent.database) +
                      ", could not be made a member of db_owner in it either, so it may be locked "
                      "out:");
}

// The owner is another one from here on, and our login comes back with the next package as a user
// of another server, or not at all. As the owner, whom we may impersonate, it is let in again.
void stay_inside(RestoreScene& scene, const Intent& intent, const std::string& database,
                 const std::string& owner, const OwnLogin& own) {
    const std::string user = quoted_name(own.name);
    const std::string state = scene.server.splits_server_state() ? "VIEW DATABASE PERFORMANCE STATE"
                                                                 : "VIEW DATABASE STATE";
    const std::string statements =
        "IF EXISTS (SELECT * FROM sys.database_principals WHERE name = " + quoted_text(own.name) +
        ") ALTER USER " + user + " WITH LOGIN = " + user + " ELSE CREATE USER " + user +
        " FOR LOGIN " + user + "; ALTER ROLE [db_backupoperator] ADD MEMBER " + user +
        "; GRANT VIEW DEFINITION TO " + user + "; GRANT " + state + " TO " + user;
    const Answer answer = scene.worker.run(
        "EXECUTE AS LOGIN = " + quoted_text(owner) + "; BEGIN TRY " + inside(database, statements) +
        "; REVERT; END TRY BEGIN CATCH REVERT; THROW; END CATCH");
    if (answer.is_complete())
        return;
    if (answer.ending != Ending::failed) {
        scene.worker.run("REVERT"); // a batch that was ended leaves its session as it was
        scene.worker.check();
        throw error_of(answer, {{"database", intent.database}});
    }
    scene.warn(intent, "The login of this service could not be made a user of " +
                           in_quotes(intent.database) +
                           " again, so it cannot be backed up from "
                           "here: `stationsync doctor` prints what is to be run. " +
                           error_of(answer, {{"database", intent.database}}).what());
}

// That of before, else the built-in administrator. Last of all: whoever is not sysadmin may do
// nothing else afterwards.
void set_owner(RestoreScene& scene, const Intent& intent, const std::string& database,
               const OwnLogin& own) {
    std::string owner = intent.owner.empty() ? own.administrator : intent.owner;
    // An administrator gets in anyway; to make it the owner takes rights that amount to its own.
    if (!own.is_sysadmin && owner == own.administrator)
        owner = own.name;
    if (owner.empty())
        return;
    const Answer answer = scene.worker.run(
        "ALTER AUTHORIZATION ON DATABASE::" + quoted_name(database) + " TO " + quoted_name(owner));
    if (answer.is_complete()) {
        if (!own.is_sysadmin && owner != own.name)
            stay_inside(scene, intent, database, owner, own);
        return;
    }
    if (answer.ending != Ending::failed) {
        scene.worker.check();
        throw error_of(answer, {{"database", intent.database}});
    }
    scene.warn(intent, in_quotes(intent.database) + " could not be given its owner " +
                           in_quotes(owner) + " again, which becomes a member of db_owner in it: " +
                           error_of(answer, {{"database", intent.database}}).what());
    if (owner != own.name)
        let_owner_in(scene, intent, database, owner);
}

// Users of the package whose login has another identity here. Logins are never made.
// Our own is the owner at this time, which cannot be a user as well.
void adopt_orphans(RestoreScene& scene, const Intent& intent, const std::string& database,
                   const OwnLogin& own) {
    const std::string name = quoted_name(database);
    const Answer answer = scene.worker.run(
        "SELECT dp.name, sl.name AS login_name FROM " + name +
        ".sys.database_principals dp LEFT JOIN sys.server_principals sp ON sp.sid = dp.sid "
        "LEFT JOIN sys.server_principals sl ON sl.name = dp.name AND sl.type = dp.type "
        "WHERE dp.type IN ('S', 'U') AND dp.authentication_type IN (1, 3) AND sp.sid IS NULL AND "
        "dp.principal_id > 4");
    if (!answer.is_complete()) {
        if (answer.ending != Ending::failed)
            throw error_of(answer, {{"database", intent.database}});
        scene.warn(intent, "The users of " + in_quotes(intent.database) +
                               " could not be compared with the logins of this server: " +
                               error_of(answer, {}).what());
        return;
    }
    std::string without_login;
    for (std::size_t i = 0; i < answer.rows().rows.size(); ++i) {
        const Row row = answer.rows().row(i);
        const std::string user = row["name"].text().value_or("");
        const auto login = row["login_name"].text();
        if (!own.is_sysadmin && login == own.name)
            continue;
        if (!login) {
            without_login += (without_login.empty() ? "" : ", ") + presentable(user, 100);
            continue;
        }
        try_statement(scene, intent,
                      inside(database, "ALTER USER " + quoted_name(user) +
                                           " WITH LOGIN = " + quoted_name(*login)),
                      "The user " + in_quotes(user) + " of " + in_quotes(intent.database) +
                          " could not be connected with the login of the same name:");
    }
    if (!without_login.empty())
        scene.warn(intent, "Users of " + in_quotes(intent.database) +
                               " have no login on this server and cannot use it here: " +
                               without_login + ". Make the logins if they are to.");
}

void set_options(RestoreScene& scene, const Intent& intent, const std::string& database) {
    const auto set = [&](const std::string& option) {
        try_statement(scene, intent, "ALTER DATABASE " + quoted_name(database) + " SET " + option,
                      in_quotes(intent.database) + " could not be given its option " + option +
                          " again:");
    };
    if (!scene.settings.preserves_trustworthy)
        return;
    if (intent.was_trustworthy)
        set("TRUSTWORTHY ON");
    if (intent.was_chaining)
        set("DB_CHAINING ON");
}

void warn_of_master_key(RestoreScene& scene, const Intent& intent, const std::string& database) {
    const Answer answer = scene.worker.run("SELECT COUNT(*) AS keys FROM " + quoted_name(database) +
                                           ".sys.symmetric_keys WHERE name = "
                                           "N'##MS_DatabaseMasterKey##'");
    if (answer.is_complete() && answer.row()["keys"].integer().value_or(0) > 0)
        scene.warn(intent, in_quotes(intent.database) +
                               " has a master key, which this server cannot open by itself: run "
                               "OPEN MASTER KEY and ALTER MASTER KEY ADD ENCRYPTION BY SERVICE "
                               "MASTER KEY in it.");
}

} // namespace

void fix_up(RestoreScene& scene, const Intent& intent, const std::string& database) {
    const OwnLogin own = ask_own_login(scene);
    adopt_orphans(scene, intent, database, own);
    set_options(scene, intent, database);
    warn_of_master_key(scene, intent, database);
    set_owner(scene, intent, database, own);
}

void check_database(RestoreScene& scene, const Intent& intent, const std::string& database,
                    const sdk::Op* teller) {
    if (!scene.settings.checks_database)
        return;
    const Answer answer = scene.worker.run_job(
        "DBCC CHECKDB (" + quoted_text(database) + ") WITH NO_INFOMSGS", teller, "checking");
    if (answer.is_complete())
        return;
    scene.worker.check();
    if (answer.ending != Ending::failed)
        throw error_of(answer, {{"database", intent.database}});
    throw sdk::Error(STSYNC_UNSUPPORTED,
                     "The package of " + in_quotes(intent.database) +
                         " is a damaged database, so it is not used. Run DBCC CHECKDB where it was "
                         "made and repair it there. (" +
                         to_text(answer.messages) + ")");
}

} // namespace stationsync::sqlserver
