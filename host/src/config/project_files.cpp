#include "config/project_files.hpp"

#include "base/durable.hpp"
#include "base/path_text.hpp"
#include "config/project_config.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace stationsync::host {
namespace {

using nlohmann::json;

constexpr std::uint64_t file_bytes_max = 16 * std::uint64_t{1024} * 1024;
constexpr std::size_t publishes_max = 10'000;

std::filesystem::path origin_file(const RootPaths& paths, std::string_view project) {
    return paths.project_state(project) / "origin.json";
}

std::filesystem::path publish_file(const RootPaths& paths, std::string_view project) {
    return paths.project_state(project) / "publish-at-start.json";
}

std::filesystem::path stop_file(const RootPaths& paths, std::string_view project) {
    return paths.project_state(project) / "stopped-by-person.json";
}

IoError damaged(const std::filesystem::path& file) {
    return {IoErrorKind::other, path_text(file) + " is damaged: remove it and try again"};
}

// Fills `value`, or tells why not. (An IoResult<json> would take anything for JSON.)
std::optional<IoError> read_json(const std::filesystem::path& file, json& value) {
    const auto text = read_whole(file, file_bytes_max);
    if (!text) {
        return text.error();
    }
    value = json::parse(*text, nullptr, false);
    return value.is_discarded() ? std::optional(damaged(file)) : std::nullopt;
}

IoResult<void> write_json(const std::filesystem::path& file, const json& value) {
    if (auto made = make_directories(file.parent_path()); !made) {
        return made;
    }
    return atomic_write(file, value.dump(2) + "\n");
}

// The value at `name` when it has the kind of `standard`.
template <class T>
T value_or(const json& object, const char* name, T standard) {
    const auto found = object.find(name);
    if (found == object.end()) {
        return standard;
    }
    if constexpr (std::is_same_v<T, bool>) {
        return found->is_boolean() ? found->get<bool>() : standard;
    } else if constexpr (std::is_same_v<T, std::string>) {
        return found->is_string() ? found->get<std::string>() : standard;
    } else {
        return found->is_number_integer() ? found->get<T>() : standard;
    }
}

} // namespace

IoResult<ProjectChoice> load_project_choice(const RootPaths& paths) {
    json parsed;
    const auto problem = read_json(paths.choice_file(), parsed);
    if (!problem) {
        if (!parsed.is_object()) {
            return damaged(paths.choice_file());
        }
        return ProjectChoice{value_or(parsed, "project", std::string()),
                             value_or(parsed, "active", true)};
    }
    if (problem->kind != IoErrorKind::not_found) {
        return *problem;
    }
    const auto projects = list_projects(paths);
    return ProjectChoice{projects.size() == 1 ? projects.front() : std::string(), true};
}

IoResult<void> save_project_choice(const RootPaths& paths, const ProjectChoice& choice) {
    return write_json(paths.choice_file(),
                      {{"project", choice.project}, {"active", choice.active}});
}

IoResult<ProjectOrigin> load_project_origin(const RootPaths& paths, std::string_view project) {
    const auto file = origin_file(paths, project);
    json parsed;
    if (const auto problem = read_json(file, parsed)) {
        return *problem;
    }
    if (!parsed.is_object()) {
        return damaged(file);
    }
    return ProjectOrigin{value_or(parsed, "founder", false),
                         value_or(parsed, "made_at_us", std::int64_t{0}),
                         value_or(parsed, "inviter", std::string())};
}

IoResult<void> save_project_origin(const RootPaths& paths, std::string_view project,
                                   const ProjectOrigin& origin) {
    return write_json(origin_file(paths, project), {{"founder", origin.founder},
                                                    {"made_at_us", origin.made_at_us},
                                                    {"inviter", origin.inviter}});
}

IoResult<std::vector<PendingPublish>> load_pending_publishes(const RootPaths& paths,
                                                             std::string_view project) {
    const auto file = publish_file(paths, project);
    json parsed;
    std::vector<PendingPublish> publishes;
    if (const auto problem = read_json(file, parsed)) {
        if (problem->kind == IoErrorKind::not_found) {
            return publishes;
        }
        return *problem;
    }
    if (!parsed.is_array()) {
        return damaged(file);
    }
    for (const auto& item : parsed) {
        if (!item.is_object()) {
            return damaged(file);
        }
        publishes.push_back(
            {value_or(item, "provider", std::string()), value_or(item, "key", std::string())});
    }
    return publishes;
}

IoResult<void> add_pending_publish(const RootPaths& paths, std::string_view project,
                                   const PendingPublish& publish) {
    auto publishes = load_pending_publishes(paths, project);
    if (!publishes) {
        return publishes.error();
    }
    if (std::ranges::find(*publishes, publish) != publishes->end()) {
        return {};
    }
    if (publishes->size() >= publishes_max) {
        return IoError{IoErrorKind::other, "too many objects wait to be published: start the "
                                           "service first"};
    }
    publishes->push_back(publish);
    auto list = json::array();
    for (const auto& item : *publishes) {
        list.push_back({{"provider", item.provider}, {"key", item.key}});
    }
    return write_json(publish_file(paths, project), list);
}

IoResult<void> clear_pending_publishes(const RootPaths& paths, std::string_view project) {
    return remove_file(publish_file(paths, project));
}

IoResult<void> save_stop_by_person(const RootPaths& paths, std::string_view project) {
    return write_json(stop_file(paths, project), json{{"stopped_by_person", true}});
}

IoResult<bool> was_stopped_by_person(const RootPaths& paths, std::string_view project) {
    json parsed;
    const auto problem = read_json(stop_file(paths, project), parsed);
    if (!problem) {
        return true;
    }
    if (problem->kind == IoErrorKind::not_found) {
        return false;
    }
    return *problem;
}

IoResult<void> clear_stop_by_person(const RootPaths& paths, std::string_view project) {
    return remove_file(stop_file(paths, project));
}

} // namespace stationsync::host
