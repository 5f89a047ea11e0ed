// The table of commands with their help: what `stationsync help` says.
#include "cli/commands.hpp"

namespace stationsync::host::cli {
namespace {

constexpr const char* listen_text = "Address for links of other stations, such as 192.168.1.5 or "
                                    "0.0.0.0:8883; may be given several "
                                    "times. Default: all addresses, port 8883.";
constexpr const char* api_text =
    "Address of the local API, by default the loopback address of --listen or else 127.0.0.1, port "
    "8884.";

std::vector<OptionSpec> station_options() {
    return {{"station", "NAME", "Name of this station; only when there is none yet."},
            {"listen", "ADDR[:PORT]", listen_text},
            {"api", "ADDR:PORT", api_text}};
}

std::vector<CommandSpec> setup_commands() {
    auto init_options = station_options();
    init_options.insert(
        init_options.begin(),
        {"project", "NAME", "Name of the project: 1 to 48 bytes, no / \\ : * ? \" < > |."});
    return {
        {"init", "--project P [--station S]", 0, 0, "Make the first station of a project",
         "Makes the project's key, the station's identity and commented configuration files. All "
         "other "
         "stations join with a code from `stationsync invite`.\n"
         "On a folder that is a station already it adds a project; then leave out --station.",
         false, init_options, run_init},
        {"invite",
         "",
         0,
         0,
         "Print a join code for further stations",
         "The code holds the project's key and this station's addresses. It IS the key: whoever "
         "has it "
         "is a member of the project. Only the code goes to standard output, so that it can be "
         "piped "
         "into `stationsync join -`.",
         true,
         {{"address", "ADDR[:PORT]",
           "Address under which others reach this station; may be given several times. Default: "
           "where "
           "the station listens."}},
         run_invite},
        {"join", "CODE|- [--station S]", 1, 1, "Join a project with a code",
         "Makes this computer a station of the project, or adds the project to the station. `-` "
         "reads the "
         "code from standard input. It works offline; the first exchange follows when the service "
         "runs "
         "and reaches a station of the project.",
         false, station_options(), run_join},
        {"run",
         "",
         0,
         0,
         "Run the service in the foreground",
         "Ends cleanly on SIGTERM or Ctrl-C. Plugins are taken from --plugins, else from the "
         "folder in "
         "the environment variable STATIONSYNC_PLUGINS, else from `plugins` beside the program.",
         false,
         {{"listen", "ADDR[:PORT]", "Overrides `listen` of station.toml for this run."},
          {"api", "ADDR:PORT", "Overrides `api` of station.toml for this run."},
          {"plugins", "DIR", "Folder of plugin libraries."},
          {"quiet,q", "", "Do not copy the log to standard error."}},
         run_run}};
}

std::vector<CommandSpec> view_commands() {
    return {
        {"status",
         "",
         0,
         0,
         "Show project, engine, providers and messages",
         "UNSYNCED counts the objects that are not in step; `stationsync objects` shows them and "
         "`stationsync explain PROVIDER/KEY` says why.",
         true,
         {},
         run_status},
        {"stations",
         "",
         0,
         0,
         "Show all other stations and their links",
         "FOUND means that we reach the station, FOUND BY that it reaches us; one is enough, and "
         "the other then is marked as NONE. TIME is the station's clock minus ours with the "
         "uncertainty of the measurement. Below the table stands why a station is rejected or a "
         "direction is missing, with --checks every check with the values of both stations.",
         true,
         {{"checks", "", "Show every check of the compatibility report, passed or not."}},
         run_stations},
        {"discover",
         "",
         0,
         0,
         "Search the network for stations of every project",
         "Takes 5 seconds. Shows each station that answers or is known, with its project and "
         "versions, and why it is not connected.",
         true,
         {},
         run_discover},
        {"objects",
         "",
         0,
         0,
         "Show all objects and their states",
         "",
         true,
         {{"provider", "P", "Only the objects of one provider."}},
         run_objects},
        {"explain",
         "PROVIDER/KEY",
         1,
         1,
         "Say why an object is as it is",
         "Tells the object's state here and at every station, the one reason when it is not in "
         "step, and "
         "what to do about it.",
         true,
         {},
         run_explain},
        {"history",
         "[PROVIDER/KEY]",
         0,
         1,
         "Show what happened to objects",
         "KEPT tells whether the content is kept on this station; `stationsync restore "
         "PROVIDER/KEY "
         "--version N` brings a kept one back, also from another station.",
         true,
         {},
         run_history},
        {"log",
         "",
         0,
         0,
         "Show the log",
         "With --json each entry is a JSON object on a line of its own.",
         true,
         {{"follow,f", "", "Keep showing new entries."},
          {"lines,n", "N", "Number of past entries to begin with, at most 1000 (default 100)."}},
         run_log},
        {"wait",
         "[PROVIDER[/KEY]]",
         0,
         1,
         "Wait until everything, or one thing, is in step",
         "Ends with 0 as soon as the object, the provider or all enabled providers are in step on "
         "this "
         "station, with 1 when the time is over. With --timeout it also waits for the service to "
         "start.",
         false,
         {{"timeout", "S", "Seconds to wait at most (default: for ever)."}},
         run_wait},
        {"doctor",
         "",
         0,
         0,
         "Check this station and say what to do",
         "Looks at configuration, ports, firewall, clock, directories, keys, plugins, ODBC and the "
         "providers, whether the service runs or not. Each line is OK, WARNING or PROBLEM; below "
         "the last two stands what to do. Changes nothing. As administrator it sees more.\n"
         "Ends with 0 when there is no problem (warnings do not count), with 1 when there is one.",
         true,
         {{"plugins", "DIR", "Folder of plugin libraries, as for `stationsync run`."}},
         run_doctor},
        {"verify",
         "[PROVIDER]",
         0,
         1,
         "Read everything again, compare with all stations",
         "Reads all content of the provider, or of all providers, and compares its digests with "
         "those of "
         "every linked station. Ends with 1 when something differs.",
         true,
         {},
         run_verify}};
}

std::vector<CommandSpec> action_commands() {
    return {
        {"send-now",
         "[PROVIDER/KEY]",
         0,
         1,
         "Send pending changes without waiting for quiet",
         "Ends the settling of one object, of a provider or of everything.",
         false,
         {},
         run_send_now},
        {"publish",
         "PROVIDER/KEY",
         1,
         1,
         "Make this station's state of an object win everywhere",
         "Makes a new change of what is live here, which has seen everything this station knows. "
         "For a "
         "backup that was restored on purpose and is shown as `held`. While the service does not "
         "run "
         "it is done at its next start.",
         false,
         {},
         run_publish},
        {"restore",
         "PROVIDER/KEY --version N",
         1,
         1,
         "Bring an earlier state back, everywhere",
         "The versions are shown by `stationsync history PROVIDER/KEY`. The state becomes a new "
         "change; "
         "what it replaces goes to the history.",
         false,
         {{"version", "N", "The version from the history."}},
         run_restore},
        {"hold",
         "PROVIDER",
         1,
         1,
         "Let new states of a provider wait on this station",
         "What comes from the other stations is fetched and verified, and waits until `stationsync "
         "release PROVIDER`; what is changed here is sent as always. All stations show that this "
         "one waits. An apply that runs already finishes. It lasts over restarts.",
         false,
         {{"for", "DURATION", "Ends by itself after so long, e.g. 30m or 2h."}},
         run_hold},
        {"release",
         "PROVIDER",
         1,
         1,
         "Bring in what waits since `hold`",
         "",
         false,
         {},
         run_release},
        {"start", "", 0, 0, "Start the engine in the running service", "", false, {}, run_start},
        {"stop",
         "",
         0,
         0,
         "Stop the engine; the service stays up",
         "Nothing is sent, received or applied until `stationsync start`. What is edited meanwhile "
         "counts "
         "as an ordinary change.",
         false,
         {},
         run_stop},
        {"restart",
         "",
         0,
         0,
         "Stop and start the engine",
         "Reads the project file again; station.toml is read when the service starts.",
         false,
         {},
         run_restart},
        {"establish",
         "[PROVIDER]",
         0,
         1,
         "Declare this station's data to be the plant's",
         "For a provider that is new in the whole plant, or when no established station is left. "
         "The data "
         "of this station then wins over that of newcomers. Use it on one station only.",
         false,
         {},
         run_establish},
        {"provider accept-root",
         "NAME",
         1,
         1,
         "Accept a folder that was changed on purpose",
         "A provider refuses a folder without its marker file, because a disk may be missing. This "
         "writes "
         "the marker: the station is a newcomer for what it did not hold before.",
         false,
         {},
         run_accept_root}};
}

std::vector<CommandSpec> project_commands() {
    return {
        {"project list",
         "",
         0,
         0,
         "Show the projects of this station",
         "",
         true,
         {},
         run_project_list},
        {"project use",
         "NAME",
         1,
         1,
         "Work for another project",
         "Links of the project before end; its files stay as they are.",
         false,
         {},
         run_project_use},
        {"project activate",
         "",
         0,
         0,
         "Synchronize the selected project",
         "",
         false,
         {},
         run_project_activate},
        {"project deactivate",
         "",
         0,
         0,
         "Stop synchronizing the selected project",
         "Lasts across restarts, until `stationsync project activate`.",
         false,
         {},
         run_project_deactivate},
        {"project enable",
         "PROVIDER",
         1,
         1,
         "Enable a provider",
         "Sets `enabled = true` in the project's file. Links and other providers stay untouched.",
         false,
         {},
         run_project_enable},
        {"project disable",
         "PROVIDER",
         1,
         1,
         "Disable a provider",
         "Sets `enabled = false` in the project's file. Its data stays as it is.",
         false,
         {},
         run_project_disable},
        {"plugin list",
         "",
         0,
         0,
         "Show the plugins and why one was refused",
         "",
         true,
         {},
         run_plugin_list},
        {"plugin test",
         "",
         0,
         0,
         "Load the plugins and run the providers' self-tests",
         "Asks the running service; while none runs, this process loads the plugins and makes an "
         "instance of each enabled provider. Ends with 1 when one has a problem; with --json with "
         "0 as soon as all were asked.",
         true,
         {{"plugins", "DIR", "Folder of plugin libraries, as for `stationsync run`."},
          {"here", "", "In this process, also while a service runs."}},
         run_plugin_test},
        {"secret set",
         "NAME",
         1,
         1,
         "Store a secret, read from standard input",
         "Configuration files refer to it as password = { secret = \"NAME\" }. Its value is never "
         "shown again.",
         false,
         {},
         run_secret_set},
        {"secret list", "", 0, 0, "Show the names of all secrets", "", true, {}, run_secret_list},
        {"secret remove", "NAME", 1, 1, "Remove a secret", "", false, {}, run_secret_remove}};
}

OptionSpec database_option() {
    return {"database", "FILE",
            "The list's file. Default: `database` of discovery-static in the selected project."};
}

std::vector<CommandSpec> configurator_commands() {
    return {
        {"configurator init",
         "[--database FILE]",
         0,
         0,
         "Make a station list for a plant that has none",
         "An SQLite database with the table `stations` (name, address) and the table `settings`, "
         "where the project's name stands. Stations whose discovery-static names it as `database` "
         "connect to everyone in it. As an object of a provider with the plugin sqlite it is on "
         "all stations by itself; the service then needs the right to write the file and its "
         "folder.",
         false,
         {database_option(),
          {"project", "NAME", "The project that stands in it. Default: the selected one."}},
         run_configurator_init},
        {"configurator list",
         "[--database FILE]",
         0,
         0,
         "Show the station list",
         "With --json: database, project, stations with name and addresses.",
         true,
         {database_option()},
         run_configurator_list},
        {"configurator add-station",
         "NAME ADDRESS…",
         2,
         9,
         "Add a station, or an address of it, to the list",
         "An address is a name or an IP address with an optional port: filling-2, "
         "192.168.1.12:8883, [fd00::7]. Services that look into the list connect within seconds; "
         "programs may have it open meanwhile.",
         false,
         {database_option()},
         run_configurator_add_station},
        {"configurator remove-station",
         "NAME [ADDRESS]",
         1,
         2,
         "Remove a station, or an address, from the list",
         "It is not looked for any more; links that stand stay, and stations that are linked go on "
         "introducing it. `stationsync forget-station` and `block` go further.",
         false,
         {database_option()},
         run_configurator_remove_station}};
}

std::vector<CommandSpec> station_commands() {
    return {
        {"key list",
         "",
         0,
         0,
         "Show the accepted keys of the project",
         "Fingerprints only; the key itself is in the code of `stationsync invite`.",
         true,
         {},
         run_key_list},
        {"key rotate",
         "",
         0,
         0,
         "Make a new project key",
         "It travels over the links of all stations that are not blocked. The old one is accepted "
         "until `stationsync key retire`, at most 30 days.",
         false,
         {},
         run_key_rotate},
        {"key retire",
         "",
         0,
         0,
         "Accept only the current key",
         "A station that has not received it yet needs a new join code.",
         false,
         {},
         run_key_retire},
        {"block",
         "ID",
         1,
         1,
         "Exclude a station from the project",
         "Spreads to all stations. To lock out who knows the key, rotate and retire the key as "
         "well.",
         false,
         {},
         run_block},
        {"unblock", "ID", 1, 1, "Admit a blocked station again", "", false, {}, run_unblock},
        {"forget-station",
         "ID",
         1,
         1,
         "Remove a station that is gone from the lists",
         "It appears again when it is found again.",
         false,
         {},
         run_forget_station},
        {"station rename",
         "NAME",
         1,
         1,
         "Give this station another name",
         "",
         false,
         {},
         run_station_rename},
        {"station new-identity",
         "",
         0,
         0,
         "Give this station a new id",
         "For the copy of a computer whose disk was cloned. The station is a newcomer then.",
         false,
         {},
         run_station_new_identity}};
}

} // namespace

const std::vector<CommandSpec>& all_commands() {
    static const auto commands = [] {
        std::vector<CommandSpec> all;
        for (auto part : {setup_commands(), view_commands(), action_commands(), project_commands(),
                          configurator_commands(), station_commands()}) {
            all.insert(all.end(), part.begin(), part.end());
        }
        return all;
    }();
    return commands;
}

} // namespace stationsync::host::cli
