#include "service/plugin_test.hpp"

#include "base/durable.hpp"
#include "base/random.hpp"
#include "config/project_files.hpp"
#include "config/secrets.hpp"
#include "config/station_config.hpp"
#include "service/known_plugins.hpp"
#include "service/provider_test.hpp"

#include <nlohmann/json.hpp>

#include <map>
#include <mutex>

namespace stationsync::host {

namespace {

namespace fs = std::filesystem;

// Values of plugins are caches and marks of their work: a self-test does without.
class ForgottenValues final : public PluginValueStore {
public:
    bool get(const std::string& instance, const std::string& key, std::optional<std::string>& value,
             std::string&) override {
        const std::lock_guard lock(mutex_);
        const auto place = values_.find({instance, key});
        value = place == values_.end() ? std::nullopt : std::optional(place->second);
        return true;
    }
    bool put(const std::string& instance, const KeyValues& values, std::string&) override {
        const std::lock_guard lock(mutex_);
        for (const auto& [key, value] : values)
            if (value)
                values_[{instance, key}] = *value;
            else
                values_.erase({instance, key});
        return true;
    }

private:
    std::mutex mutex_;
    std::map<std::pair<std::string, std::string>, std::string> values_;
};

// Folders for one round of tests, removed with it.
class TemporaryFolder {
public:
    TemporaryFolder()
        : path_(fs::temp_directory_path() /
                ("stationsync-plugin-test-" + std::to_string(random_u64()))) {
        fs::create_directories(path_);
        fs::permissions(path_, fs::perms::owner_all);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder() {
        std::error_code ignored; // a rest in the system's temporary folder harms nobody
        fs::remove_all(path_, ignored);
    }
    [[nodiscard]] fs::path make(const std::string& name) const {
        fs::create_directories(path_ / name);
        return path_ / name;
    }

private:
    fs::path path_;
};

InstanceSettings settings_of(const RootPaths& paths, const std::string& project,
                             const ProviderConfig& config, const TemporaryFolder& folder) {
    const fs::path instances = paths.project_state(project) / "instances";
    InstanceSettings settings;
    settings.name = config.name;
    constexpr std::uint64_t id_bytes_max = 64;
    const auto id = read_whole(instances / ("provider-" + config.name + ".id"), id_bytes_max);
    settings.instance_id = id ? *id : "never-ran";
    settings.project = project;
    const auto station = load_station_config(paths);
    settings.packages = station.value ? station.value->sync.directory : paths.sync;
    settings.own = config.own;
    std::error_code error;
    settings.first_enable = !fs::exists(instances / (config.name + ".enabled"), error);
    settings.scratch = folder.make(config.name + "-scratch");
    settings.cache = folder.make(config.name + "-cache");
    settings.secret = [secrets = SecretStore(paths.secrets())](
                          const std::string& name) -> std::optional<std::string> {
        auto value = secrets.get(name);
        return value ? std::optional(std::move(*value)) : std::nullopt;
    };
    settings.values = std::make_shared<ForgottenValues>();
    return settings;
}

ProviderTest test_provider(const PluginRegistry& plugins, const ProviderConfig& config,
                           InstanceSettings settings) {
    ProviderTest test{config.name, config.plugin, false, {}, {}};
    const PluginKind* const kind = plugins.find(config.plugin);
    if (!kind || !kind->is_provider) {
        test.trouble = "no plugin '" + config.plugin + "' is installed";
        return test;
    }
    const auto calls = ProviderCalls::create(*kind, std::move(settings), test.trouble);
    if (!calls)
        return test;
    Operation operation;
    operation.start();
    conclude(test, calls->self_test(operation));
    return test;
}

} // namespace

std::string test_plugins(const RootPaths& paths, const fs::path& folder) {
    PluginRegistry plugins;
    plugins.load_folder(folder);
    std::vector<ConfigProblem> problems;
    std::vector<ProviderTest> tests;
    const auto choice = load_project_choice(paths);
    if (choice && !choice->project.empty()) {
        auto config = load_project_config(paths, choice->project, known_plugins(plugins));
        problems = std::move(config.problems);
        if (!config) // what is wrong with one provider keeps no other from being tested
            config.value = load_project_config(paths, choice->project).value;
        const TemporaryFolder temporary;
        for (const ProviderConfig& provider :
             config.value ? config.value->providers : std::vector<ProviderConfig>())
            if (provider.enabled)
                tests.push_back(test_provider(
                    plugins, provider, settings_of(paths, choice->project, provider, temporary)));
    }
    return selftest_json(plugins, problems, tests).dump();
}

} // namespace stationsync::host
