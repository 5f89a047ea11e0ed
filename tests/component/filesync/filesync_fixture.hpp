// One station's tree of files with the real plugin, through the C ABI.
#pragma once

#include "support/fake_plugin.hpp"
#include "support/temp_folder.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace stationsync::test {

// A tree and the provider on it; several may exist beside each other.
class Station {
public:
    explicit Station(const std::string& instance = "instance-a") {
        std::filesystem::create_directory(root());
        std::filesystem::create_directory(folder_ / "cache");
        host.config["root"] = {root().string()};
        host.config["@instance"] = {instance};
        host.config["@name"] = {"recipes"};
        host.config["@first_enable"] = {"1"};
        host.cache = folder_ / "cache";
    }

    std::filesystem::path root() const { return folder_ / "root"; }
    std::filesystem::path package(const std::string& name = "package") const {
        return folder_ / name;
    }
    std::filesystem::path folder() const { return folder_.path(); }

    // Creates the provider, as at a start of the service, without recover.
    FakeProvider& create() {
        provider_.reset();
        static const FakeLibrary library(STATIONSYNC_FILESYNC_PLUGIN);
        provider_ = std::make_unique<FakeProvider>(library, host);
        EXPECT_EQ(provider_->created().status, STSYNC_OK) << provider_->created().text;
        return *provider_;
    }
    // Creates and recovers.
    FakeProvider& start() {
        FakeProvider& provider = create();
        const Outcome recovered = provider.recover();
        EXPECT_EQ(recovered.status, STSYNC_OK) << recovered.text;
        host.config["@first_enable"] = {"0"};
        return provider;
    }
    void stop() { provider_.reset(); }
    FakeProvider& provider() { return *provider_; }

    void write(const std::string& key, std::string_view content) {
        write_file(root() / std::filesystem::path(key), content);
    }
    std::string read(const std::string& key) const {
        return read_file(root() / std::filesystem::path(key));
    }
    bool has(const std::string& key) const {
        return std::filesystem::exists(root() / std::filesystem::path(key));
    }
    sdk::Mark mark(const std::string& key) {
        const auto scan = provider_->scan_keys({key});
        const auto found = scan.objects.find(key);
        return found == scan.objects.end() ? sdk::Mark() : found->second.mark;
    }
    // Names below the root that nobody asked for.
    std::vector<std::string> litter() const {
        std::vector<std::string> names;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(root())) {
            const std::string name = entry.path().filename().string();
            if (sdk::is_temp_name(name))
                names.push_back(entry.path().string());
        }
        return names;
    }
    // A package with this content and modification time (seconds since 1970).
    std::filesystem::path make_package(std::string_view content,
                                       std::int64_t modified_s = 1600000000) {
        write_file(package(), content);
        set_modified(package(), modified_s);
        return package();
    }
    static void set_modified(const std::filesystem::path& path, std::int64_t seconds) {
        const auto since = std::chrono::seconds(seconds);
        std::filesystem::last_write_time(
            path, std::chrono::file_clock::from_sys(std::chrono::sys_seconds(since)));
    }
    static std::int64_t modified_ns(const std::filesystem::path& path) {
        const auto time = std::chrono::file_clock::to_sys(std::filesystem::last_write_time(path));
        return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch())
            .count();
    }

    FakeHost host;

private:
    TempFolder folder_;
    std::unique_ptr<FakeProvider> provider_;
};

} // namespace stationsync::test
