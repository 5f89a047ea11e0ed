#pragma once
// Answers of the service as text for people, at most 80 columns wide.

#include "cli/json_read.hpp"

#include <ostream>

namespace stationsync::host::cli {

void render_status(std::ostream& out, const Json& status);
void render_stations(std::ostream& out, const Json& stations);
void render_station_checks(std::ostream& out, const Json& stations);
void render_discover(std::ostream& out, const Json& answer);
void render_objects(std::ostream& out, const Json& objects);
void render_explain(std::ostream& out, const Json& explanation);
void render_history(std::ostream& out, const Json& history);
void render_projects(std::ostream& out, const Json& projects);
void render_plugins(std::ostream& out, const Json& plugins);
void render_keys(std::ostream& out, const Json& keys);
void render_log_entry(std::ostream& out, const Json& entry);
// What `doctor` has found, by topic.
void render_doctor(std::ostream& out, const Json& answer);
// The answer to an action: its sentence, then its findings.
void render_done(std::ostream& out, const Json& answer);

} // namespace stationsync::host::cli
