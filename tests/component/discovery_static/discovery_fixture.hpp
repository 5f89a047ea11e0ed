// One instance of the plugin discovery-static, and what it says.
#pragma once

#include "component/sqlite/database.hpp"
#include "support/end_discovery.hpp"
#include "support/fake_plugin.hpp"
#include "support/temp_folder.hpp"

#include <gtest/gtest.h>

#include <stationsync/discovery.h>
#include <stationsync/discovery.hpp>

#include <condition_variable>
#include <set>
#include <thread>

namespace stationsync::test {

inline const FakeLibrary& library() {
    static const FakeLibrary loaded(STATIONSYNC_DISCOVERY_STATIC_PLUGIN);
    return loaded;
}

// Collects what the plugin says.
class Finds {
public:
    Finds() : sink_{sizeof(stsync_discovery_sink), 0, this, &found, &updated, &lost, &note} {}

    const stsync_discovery_sink* sink() const noexcept { return &sink_; }

    // Waits until the known addresses are these, sorted and separated by blanks.
    bool wait_for(const std::string& addresses) {
        return wait([&] { return known_addresses() == addresses; });
    }
    bool wait_for_note(const std::string& part) {
        return wait(
            [&] { return part.empty() ? note_.empty() : note_.find(part) != std::string::npos; });
    }
    std::string addresses() {
        const std::lock_guard lock(mutex_);
        return known_addresses();
    }
    // Of each find: the project that it carries, sorted as the addresses.
    bool wait_for_projects(const std::string& projects) {
        return wait([&] {
            std::string text;
            for (const auto& [id, project] : projects_)
                text += (text.empty() ? "" : " ") + project;
            return text == projects;
        });
    }
    bool has_name(const std::string& name) {
        const std::lock_guard lock(mutex_);
        return names_.contains(name);
    }
    std::string note() {
        const std::lock_guard lock(mutex_);
        return note_;
    }
    std::size_t calls() {
        const std::lock_guard lock(mutex_);
        return calls_;
    }
    std::size_t notes() {
        const std::lock_guard lock(mutex_);
        return notes_;
    }
    std::size_t updates() {
        const std::lock_guard lock(mutex_);
        return updates_;
    }

private:
    template <class Condition>
    bool wait(Condition&& condition) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(20), condition);
    }
    std::string known_addresses() const {
        std::string text;
        for (const auto& [id, endpoints] : known_)
            text += (text.empty() ? "" : " ") + endpoints;
        return text;
    }
    template <class Change>
    static stsync_status change(void* ctx, Change&& body) noexcept {
        auto* self = static_cast<Finds*>(ctx);
        const std::lock_guard lock(self->mutex_);
        ++self->calls_;
        body(*self);
        self->changed_.notify_all();
        return STSYNC_OK;
    }
    static void store(Finds& self, const stsync_peer* peer) {
        std::string endpoints;
        for (std::uint32_t i = 0; i < peer->endpoint_count; ++i)
            endpoints += (i == 0 ? "" : ",") + sdk::copy(peer->endpoints[i]);
        self.known_[sdk::copy(peer->id)] = endpoints;
        self.projects_[sdk::copy(peer->id)] = sdk::copy(peer->project);
        self.names_.insert(sdk::copy(peer->name));
    }
    static stsync_status found(void* ctx, const stsync_peer* peer) noexcept {
        return change(ctx, [&](Finds& self) { store(self, peer); });
    }
    static stsync_status updated(void* ctx, const stsync_peer* peer) noexcept {
        return change(ctx, [&](Finds& self) {
            ++self.updates_;
            store(self, peer);
        });
    }
    static stsync_status lost(void* ctx, stsync_str id) noexcept {
        return change(ctx, [&](Finds& self) {
            self.known_.erase(sdk::copy(id));
            self.projects_.erase(sdk::copy(id));
        });
    }
    static stsync_status note(void* ctx, stsync_str text) noexcept {
        return change(ctx, [&](Finds& self) {
            self.note_ = sdk::copy(text);
            ++self.notes_;
        });
    }

    stsync_discovery_sink sink_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, std::string> known_;
    std::map<std::string, std::string> projects_;
    std::set<std::string> names_; // of all finds ever
    std::string note_;
    std::size_t calls_ = 0;
    std::size_t notes_ = 0;
    std::size_t updates_ = 0;
};

// One instance of the plugin; the name of the class is that of its tests.
class DiscoveryStatic : public ::testing::Test {
protected:
    void TearDown() override { end(); }

    // What create says when it fails.
    std::string make() {
        std::string text;
        const auto emit = [](void* ctx, stsync_str said) noexcept -> stsync_status {
            *static_cast<std::string*>(ctx) = sdk::copy(said);
            return STSYNC_OK;
        };
        const stsync_text_sink fail{sizeof fail, 0, &text, emit};
        const stsync_status status = library().module().create(
            host_.abi(), sdk::to_abi("discovery-static"), &fail, &instance_);
        if (status != STSYNC_OK) {
            instance_ = nullptr;
            EXPECT_EQ(status, STSYNC_INVALID_ARG);
            EXPECT_FALSE(text.empty());
            return text;
        }
        table_ = static_cast<const stsync_discovery_v1*>(
            instance_->query(instance_, STSYNC_DISCOVERY_V1));
        return "";
    }
    void start() {
        ASSERT_EQ(make(), "");
        FakeOp op;
        ASSERT_EQ(table_->start(instance_, op.abi(), finds_.sink()), STSYNC_OK);
    }
    void end() { end_discovery(table_, instance_); }
    void announce(const std::string& name, const std::string& endpoint) {
        const stsync_str text = sdk::to_abi(endpoint);
        stsync_peer self{};
        self.size = sizeof self;
        self.id = sdk::to_abi("self");
        self.name = sdk::to_abi(name);
        self.endpoints = &text;
        self.endpoint_count = 1;
        FakeOp op;
        ASSERT_EQ(table_->announce(instance_, op.abi(), &self), STSYNC_OK);
    }
    // What happens outside of the plugin's finds.
    template <class Condition>
    static bool wait_until(Condition&& condition) {
        const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (!condition()) {
            if (std::chrono::steady_clock::now() > until)
                return false;
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        return true;
    }
    void probe() {
        FakeOp op;
        ASSERT_EQ(table_->probe(instance_, op.abi(), sdk::to_abi("")), STSYNC_OK);
    }
    std::filesystem::path use_database(const std::string& rows) {
        auto path = folder_ / "stations.db";
        run_sql(path, read_file(STATIONSYNC_STATIONS_SQL));
        if (!rows.empty())
            run_sql(path, "INSERT INTO stations VALUES" + rows);
        host_.config["database"] = {path};
        return path;
    }

    TempFolder folder_;
    FakeHost host_;
    Finds finds_;
    const stsync_instance* instance_ = nullptr;
    const stsync_discovery_v1* table_ = nullptr;
};

} // namespace stationsync::test
