#include "config/project_config.hpp"

#include "base/path_text.hpp"
#include "config/schema.hpp"
#include "config/section_reader.hpp"
#include "config/toml_reader.hpp"
#include "config/units.hpp"

#include <algorithm>
#include <regex>

namespace stationsync::host {
namespace {

bool is_database_plugin(std::string_view plugin) {
    return plugin == "sqlite" || plugin == "sqlserver";
}

class ProjectReader {
public:
    ProjectReader(const ConfigValue& top, ProjectConfig& config, const KnownPlugins& plugins,
                  std::vector<ConfigProblem>& problems)
        : config_(config),
          plugins_(plugins),
          problems_(problems),
          top_(&top, "", config.file, problems) {}

    void read() {
        read_conditions();
        read_mismatch_policy();
        each("providers", [this](const std::string& name, unsigned line, SectionReader& reader) {
            read_provider(name, line, reader);
        });
        each("discovery", [this](const std::string& name, unsigned line, SectionReader& reader) {
            read_discovery(name, line, reader);
        });
        top_.report_unknown();
        std::ranges::sort(config_.providers, {}, &ProviderConfig::name);
        std::ranges::sort(config_.discoveries, {}, &DiscoveryConfig::name);
    }

private:
    void read_conditions() {
        config_.product_version = top_.text("product_version").value_or("");
        ProjectConditions& conditions = config_.conditions;
        conditions.follow = command("follow");
        conditions.version_command = command("product_version_command");
        conditions.version_pattern = top_.text("product_version_pattern").value_or("");
        if (const auto file = top_.text("product_version_file")) {
            conditions.version_file = path_of(*file);
            if (!conditions.version_file.is_absolute()) {
                top_.problem(top_.line_of("product_version_file"),
                             top_.named("product_version_file") + " must be a whole path, not '" +
                                 *file + "'.");
            }
        }
        const int sources = (top_.has("product_version") ? 1 : 0) +
                            (top_.has("product_version_file") ? 1 : 0) +
                            (top_.has("product_version_command") ? 1 : 0);
        if (sources > 1) {
            top_.problem(top_.line_of(top_.has("product_version_file") ? "product_version_file"
                                                                       : "product_version_command"),
                         "the version of the plant software has several sources: keep one of "
                         "`product_version`, `product_version_file` and "
                         "`product_version_command`.");
        }
        check_version_pattern(conditions);
    }

    void check_version_pattern(const ProjectConditions& conditions) {
        if (conditions.version_pattern.empty()) {
            return;
        }
        const unsigned line = top_.line_of("product_version_pattern");
        if (conditions.version_file.empty()) {
            top_.problem(line, top_.named("product_version_pattern") +
                                   " needs `product_version_file`, the file to search.");
        }
        try {
            const std::regex pattern(conditions.version_pattern);
        } catch (const std::regex_error& error) {
            top_.problem(line, top_.named("product_version_pattern") +
                                   " is no regular expression: " + error.what() +
                                   R"(. An example: 'Version ([0-9.]+)'.)");
        }
    }

    std::string command(const std::string& key) {
        const auto line = top_.text(key);
        if (line && line->find_first_not_of(" \t") == std::string::npos) {
            top_.problem(top_.line_of(key),
                         top_.named(key) + " is empty: name a command or leave it out.");
        }
        return line.value_or("");
    }

    void read_mismatch_policy() {
        const std::string name = top_.text("on_provider_mismatch").value_or("reject-station");
        config_.skip_mismatched_provider = name == "skip-provider";
        if (!config_.skip_mismatched_provider && name != "reject-station") {
            top_.problem(top_.line_of("on_provider_mismatch"),
                         top_.named("on_provider_mismatch") +
                             " must be \"reject-station\" or \"skip-provider\", not \"" + name +
                             "\".");
        }
    }

    template <class Read>
    void each(const std::string& family, Read read_one) {
        const auto* tables = top_.table(family);
        if (tables == nullptr) {
            return;
        }
        for (const auto& entry : std::get<ConfigValue::Table>(tables->data)) {
            const auto title = "[" + family + "." + entry.key + "]";
            SectionReader reader(&entry.value, title, config_.file, problems_);
            if (!is_provider_name(entry.key)) {
                reader.problem(entry.line, title +
                                               ": the name must have 1 to 32 characters, only a-z, "
                                               "0-9 and \"-\".");
            }
            if (entry.value.get<ConfigValue::Table>() != nullptr) {
                read_one(entry.key, entry.line, reader);
            }
        }
    }

    std::string plugin_of(SectionReader& reader, const std::string& title, unsigned line) {
        auto plugin = reader.text("plugin");
        if (!plugin && !reader.has("plugin")) {
            reader.problem(
                line, title + " lacks the key `plugin`, the name of the plugin to use, such as "
                              "plugin = \"filesync\".");
        }
        return plugin.value_or("");
    }

    void check_own(const ConfigValue& own, const std::string& plugin, SectionReader& reader,
                   const std::string& title) {
        if (!plugins_.schema_of || plugin.empty()) {
            return;
        }
        const auto schema = plugins_.schema_of(plugin);
        if (!schema) {
            reader.problem(reader.line_of("plugin"), "there is no plugin \"" + plugin + "\" for " +
                                                         title + "." +
                                                         suggestion(plugin, plugins_.names) +
                                                         " Correct `plugin`, or put the plugin's "
                                                         "library into the plugin folder; "
                                                         "`stationsync plugin list` shows all.");
        } else if (!schema->empty()) {
            auto found = check_plugin_keys(own, *schema, config_.file, title, plugin);
            std::ranges::move(found, std::back_inserter(problems_));
        }
    }

    void read_provider(const std::string& name, unsigned line, SectionReader& reader) {
        const auto title = "[providers." + name + "]";
        ProviderConfig provider;
        provider.name = name;
        provider.line = line;
        provider.plugin = plugin_of(reader, title, line);
        provider.enabled = reader.truth("enabled").value_or(true);
        const auto database = is_database_plugin(provider.plugin);
        const auto settle = reader.duration("settle", std::chrono::milliseconds(0));
        provider.settle =
            settle.value_or(database ? std::chrono::milliseconds(settle_default_database)
                                     : std::chrono::milliseconds(settle_default_files));
        const auto cap = reader.duration("settle_max", std::chrono::milliseconds(0));
        provider.settle_max =
            cap.value_or(std::max(std::chrono::milliseconds(settle_max_default), provider.settle));
        if (provider.settle_max < provider.settle) {
            reader.problem(reader.line_of("settle_max"),
                           reader.named("settle_max") + " (" + duration_text(provider.settle_max) +
                               ") must not be below the quiet time `settle` (" +
                               duration_text(provider.settle) + ").");
        }
        // Files are watched; the scan is their safety net. A database is asked for its change
        // evidence.
        provider.scan_interval =
            reader.duration("scan_interval", std::chrono::milliseconds(100))
                .value_or(database ? std::chrono::minutes(1) : std::chrono::minutes(5));
        if (const auto text = reader.text("apply_when")) {
            if (auto parsed = parse_apply_when(*text)) {
                provider.apply_when = std::move(*parsed);
            } else {
                reader.problem(reader.line_of("apply_when"),
                               reader.named("apply_when") + " must be " +
                                   std::string(apply_when_form) + ", not \"" + *text + "\".");
            }
        }
        provider.own = reader.take_rest();
        provider.own.line = line;
        check_own(provider.own, provider.plugin, reader, title);
        config_.providers.push_back(std::move(provider));
    }

    void read_discovery(const std::string& name, unsigned line, SectionReader& reader) {
        const auto title = "[discovery." + name + "]";
        DiscoveryConfig discovery;
        discovery.name = name;
        discovery.line = line;
        discovery.plugin = plugin_of(reader, title, line);
        discovery.enabled = reader.truth("enabled").value_or(true);
        discovery.own = reader.take_rest();
        discovery.own.line = line;
        check_own(discovery.own, discovery.plugin, reader, title);
        config_.discoveries.push_back(std::move(discovery));
    }

    ProjectConfig& config_;
    const KnownPlugins& plugins_;
    std::vector<ConfigProblem>& problems_;
    SectionReader top_;
};

} // namespace

bool ProviderConfig::operator==(const ProviderConfig& other) const {
    return name == other.name && plugin == other.plugin && enabled == other.enabled &&
           settle == other.settle && settle_max == other.settle_max &&
           scan_interval == other.scan_interval && apply_when == other.apply_when &&
           own == other.own;
}

bool DiscoveryConfig::operator==(const DiscoveryConfig& other) const {
    return name == other.name && plugin == other.plugin && enabled == other.enabled &&
           own == other.own;
}

Loaded<ProjectConfig> parse_project_config(std::string_view text, const std::filesystem::path& file,
                                           std::string_view project, const KnownPlugins& plugins) {
    Loaded<ProjectConfig> loaded;
    const auto top = read_toml(text, file);
    loaded.problems = top.problems;
    if (!top) {
        return loaded;
    }
    ProjectConfig config;
    config.name = project;
    config.file = file;
    ProjectReader(*top.value, config, plugins, loaded.problems).read();
    std::ranges::stable_sort(loaded.problems, {}, &ConfigProblem::line);
    if (loaded.problems.empty()) {
        loaded.value = std::move(config);
    }
    return loaded;
}

Loaded<ProjectConfig> load_project_config(const RootPaths& paths, std::string_view project,
                                          const KnownPlugins& plugins) {
    const auto file = paths.project_file(project);
    const auto text = read_text_file(file);
    if (!text) {
        Loaded<ProjectConfig> loaded;
        loaded.problems = text.problems;
        return loaded;
    }
    return parse_project_config(*text.value, file, project, plugins);
}

std::vector<std::string> list_projects(const RootPaths& paths) {
    std::vector<std::string> names;
    std::error_code error;
    std::filesystem::directory_iterator files(paths.projects(), error);
    for (; !error && files != std::filesystem::directory_iterator(); files.increment(error)) {
        if (files->path().extension() == ".toml") {
            names.push_back(path_text(files->path().stem()));
        }
    }
    std::ranges::sort(names);
    return names;
}

} // namespace stationsync::host
