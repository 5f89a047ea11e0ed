#include "cli/render.hpp"

#include "cli/table.hpp"
#include "config/units.hpp"

#include <algorithm>
#include <sstream>

namespace stationsync::host::cli {
namespace {

std::string short_id(const std::string& id) {
    constexpr std::size_t shown = 8;
    return id.substr(0, shown);
}

// "Engine   stopped: ..." with further lines below the text.
void write_fact(std::ostream& out, const char* name, const std::string& text) {
    constexpr std::size_t name_columns = 9;
    std::string head = name;
    head.resize(name_columns, ' ');
    std::istringstream given(text); // a configuration with several errors has a line for each
    for (std::string part; std::getline(given, part);) {
        for (const auto& line : wrapped(part, screen_columns - name_columns)) {
            out << head << line << '\n';
            head.assign(name_columns, ' ');
        }
    }
}

std::string behind_colon(const std::string& text) {
    return text.empty() ? text : ": " + text;
}

void render_messages(std::ostream& out, const Json& messages) {
    if (messages.empty()) {
        return;
    }
    out << "\nMessages\n";
    for (const auto& message : messages) {
        const auto subject = text_at(message, "subject");
        const auto text = text_at(message, "text");
        // A sentence that begins with its subject needs no other word for it.
        const bool names_it = subject.empty() || text.starts_with(subject);
        write_wrapped(out,
                      text_at(message, "severity") + " " + time_at(message, "since") +
                          (names_it ? "" : " " + subject) + behind_colon(text),
                      2);
        if (const auto remedy = text_at(message, "remedy"); !remedy.empty()) {
            write_wrapped(out, "-> " + remedy, 4);
        }
    }
}

void render_providers(std::ostream& out, const Json& providers) {
    Table table({{"PROVIDER", false, true},
                 {"PLUGIN", false, true},
                 {"STATE"},
                 {"OBJECTS", true},
                 {"UNSYNCED", true},
                 {"PUBL.", true},
                 {"APPL.", true},
                 {"LAST APPLIED"}});
    for (const auto& provider : providers) {
        table.add({text_at(provider, "name"), text_at(provider, "plugin"),
                   text_at(provider, "state"), text_at(provider, "objects"),
                   text_at(provider, "unsynced"), text_at(provider, "published"),
                   text_at(provider, "applied"), time_at(provider, "last_applied_at")});
    }
    if (table.empty()) {
        out << "No providers are configured.\n";
        return;
    }
    table.write(out);
    for (const auto& provider : providers) {
        if (const auto reason = text_at(provider, "reason"); !reason.empty()) {
            write_wrapped(out, text_at(provider, "name") + ": " + reason, 2);
        }
        for (const auto& wait : list_at(provider, "waits_on")) {
            if (!truth_at(wait, "here")) {
                write_wrapped(out,
                              text_at(provider, "name") + ": on " + text_at(wait, "station") +
                                  ": " + text_at(wait, "text"),
                              2);
            }
        }
    }
}

} // namespace

void render_status(std::ostream& out, const Json& status) {
    const auto& station = field(status, "station");
    const auto project = text_at(status, "project");
    write_fact(out, "Project", project.empty() ? "(none)" : project);
    write_fact(out, "Station", text_at(station, "name") + " (" + text_at(station, "id") + ")");
    write_fact(out, "Engine", text_at(status, "engine") + behind_colon(text_at(status, "reason")));
    out << '\n';
    render_providers(out, list_at(status, "providers"));
    render_messages(out, list_at(status, "messages"));
}

void render_objects(std::ostream& out, const Json& objects) {
    Table table({{"OBJECT", false, true, true},
                 {"STATE"},
                 {"SIZE", true},
                 {"CHANGED"},
                 {"BY", false, true},
                 {"REASON", false, true}});
    for (const auto& object : listing(objects, "objects")) {
        auto reason = text_at(object, "reason");
        if (reason.empty() && field(object, "conflict").is_object()) {
            reason = "conflict";
        }
        table.add({text_at(object, "provider") + "/" + text_at(object, "key"),
                   text_at(object, "state"), size_at(object, "size"), time_at(object, "changed_at"),
                   text_at(object, "author"), reason});
    }
    if (table.empty()) {
        out << "No objects.\n";
        return;
    }
    table.write(out);
}

void render_explain(std::ostream& out, const Json& explanation) {
    write_wrapped(out, text_at(explanation, "provider") + "/" + text_at(explanation, "key"), 0);
    write_wrapped(out, text_at(explanation, "state") + behind_colon(text_at(explanation, "reason")),
                  2);
    for (const auto& line : list_at(explanation, "text")) {
        if (line.is_string()) {
            write_wrapped(out, line.get<std::string>(), 2);
        }
    }
    const auto& stations = list_at(explanation, "stations");
    if (!stations.empty()) {
        out << '\n';
        Table table({{"STATION", false, true}, {"STATE"}, {"REASON", false, true}});
        for (const auto& station : stations) {
            auto name = text_at(station, "name");
            table.add({name.empty() ? short_id(text_at(station, "id")) : name,
                       text_at(station, "state"), text_at(station, "reason")});
        }
        table.write(out);
    }
    // The column of the table may be too narrow for a reason.
    for (const auto& wait : list_at(explanation, "waits_on")) {
        if (!truth_at(wait, "here")) {
            write_wrapped(out,
                          "waits on " + text_at(wait, "station") + ": " + text_at(wait, "text"), 2);
        }
    }
}

// Two lines an entry: the version must be readable in full, and it is long.
void render_history(std::ostream& out, const Json& history) {
    const auto& all = listing(history, "history");
    for (const auto& entry : all) {
        constexpr std::size_t what_columns = 17;
        auto what = text_at(entry, "what");
        what.resize(std::max(what.size(), what_columns), ' ');
        const auto head = time_at(entry, "at") + "  " + what + "  ";
        out << fitted(head, screen_columns)
            << fitted(text_at(entry, "provider") + "/" + text_at(entry, "key"),
                      screen_columns - std::min(screen_columns, display_width(head)), true)
            << '\n';
        auto facts = text_at(entry, "version") + "  " + size_at(entry, "size");
        if (const auto from = text_at(entry, "from"); !from.empty()) {
            facts += ", from " + from;
        }
        facts += truth_at(entry, "kept") ? ", kept here" : "";
        if (const auto others = texts_at(entry, "kept_on"); !others.empty()) {
            facts += ", kept on " + others;
        }
        out << "  " << fitted(facts, screen_columns - 2) << '\n';
    }
    if (all.empty()) {
        out << "Nothing has happened yet.\n";
    }
}

void render_projects(std::ostream& out, const Json& projects) {
    Table table({{"PROJECT", false, true}, {"STATE"}, {"PROVIDERS", false, true}});
    for (const auto& project : listing(projects, "projects")) {
        std::string providers;
        for (const auto& provider : list_at(project, "providers")) {
            providers += (providers.empty() ? "" : ", ") + text_at(provider, "name") +
                         (truth_at(provider, "enabled") ? "" : " (disabled)");
        }
        const auto selected = truth_at(project, "selected");
        const auto problem = text_at(project, "problem");
        table.add({text_at(project, "name"),
                   !selected                     ? "known"
                   : truth_at(project, "active") ? "active"
                                                 : "inactive",
                   problem.empty() ? providers : problem});
    }
    if (table.empty()) {
        out << "No project is known here. Use `stationsync init` or `stationsync join`.\n";
        return;
    }
    table.write(out);
}

void render_plugins(std::ostream& out, const Json& plugins) {
    Table table({{"PLUGIN", false, true},
                 {"KIND"},
                 {"VERSION", false, true},
                 {"STATE"},
                 {"FILE", false, true, true}});
    const auto& all = listing(plugins, "plugins");
    for (const auto& plugin : all) {
        const auto problem = text_at(plugin, "reason");
        table.add({text_at(plugin, "name"), text_at(plugin, "kind"), text_at(plugin, "version"),
                   problem.empty() ? "loaded" : "refused", text_at(plugin, "file")});
    }
    if (table.empty()) {
        out << "No plugins were found.\n";
        return;
    }
    table.write(out);
    for (const auto& plugin : all) {
        if (const auto reason = text_at(plugin, "reason"); !reason.empty()) {
            write_wrapped(out, text_at(plugin, "file") + ": " + reason, 2);
        }
    }
}

void render_keys(std::ostream& out, const Json& keys) {
    Table table({{"KEY"}, {"STATE"}, {"MADE"}, {"REPLACED"}, {"ACCEPTED UNTIL"}});
    for (const auto& key : listing(keys, "keys")) {
        table.add({text_at(key, "fingerprint"),
                   truth_at(key, "current") ? "current" : "still accepted", time_at(key, "made_at"),
                   time_at(key, "replaced_at"), time_at(key, "accepted_until")});
    }
    table.write(out);
}

void render_log_entry(std::ostream& out, const Json& entry) {
    auto line = time_at(entry, "at") + " " + text_at(entry, "level") + " " +
                text_at(entry, "part") + ": " + text_at(entry, "text");
    for (const auto* name : {"station", "object", "reason"}) {
        if (const auto value = text_at(entry, name); !value.empty()) {
            line += std::string(" ") + name + "=" + value;
        }
    }
    // Log lines are for searching: they are not cut.
    out << fitted(line, line.size() + 1) << '\n';
}

void render_done(std::ostream& out, const Json& answer) {
    const auto text = text_at(answer, "text");
    write_wrapped(out, text.empty() ? "Done." : text, 0);
    for (const auto& finding : list_at(answer, "findings")) {
        write_wrapped(
            out, finding.is_string() ? finding.get<std::string>() : text_at(finding, "text"), 2);
    }
}

} // namespace stationsync::host::cli
