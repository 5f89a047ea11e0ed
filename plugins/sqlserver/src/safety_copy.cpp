#include "safety_copy.hpp"

#include "backup_header.hpp"
#include "in_place.hpp"
#include "quoting.hpp"
#include "text.hpp"

namespace stationsync::sqlserver {

SafetyCopy safety_copy_of(const RestoreScene& scene, const ExchangeFolder& folder,
                          const std::string& database, const std::filesystem::path& package) {
    const WorkNames stems = work_names_of(scene.host.config("@instance").value_or(""), database);
    const std::string name = folder.safety_prefix() + file_stem_of(database) + '-' +
                             stems.incoming.substr(incoming_prefix.size()) + ".bak";
    const auto in = [&](const std::string& place) {
        const bool has_end = !place.empty() && (place.back() == '/' || place.back() == '\\');
        return place + (has_end ? "" : scene.server.path_separator) + name;
    };
    const std::string& own = scene.server.backup_folder;
    if (scene.settings.backup_folder.empty() && !own.empty())
        return {in(own), in(own)};
    return {in(folder.folder_there(package)),
            sdk::utf8_from_path(folder.folder_here(package) / sdk::path_from_utf8(name))};
}

std::optional<std::string> safety_copy_text(SqlSession& session, const std::string& database,
                                            const std::string& there, const sdk::Op* op) {
    try {
        const Backup copy = read_backup(session, there, op);
        if (copy.headers.size() != 1 || !is_same_name(copy.header().database, database))
            return std::nullopt;
    } catch (const sdk::Error&) {
        return std::nullopt; // there is none
    }
    return in_quotes(database) +
           " is in a restore of which this service has no record any more, but the copy that it "
           "made before is there. Unless somebody else is restoring it, an administrator can "
           "run: " +
           rescue_statement(database, there) + "; ALTER DATABASE " + quoted_name(database) +
           " SET MULTI_USER;";
}

} // namespace stationsync::sqlserver
