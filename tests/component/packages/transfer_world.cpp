#include "transfer_world.hpp"

#include "base/durable.hpp"
#include "base/random.hpp"
#include "base/sha256.hpp"
#include "packages/block_manifest.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

namespace stationsync::host {

Content random_content(std::size_t bytes) {
    Content content(bytes);
    fill_random(content);
    return content;
}

core::Digest digest_of(const Content& content) {
    return to_digest(sha256(content));
}

Content content_of(const std::filesystem::path& file) {
    const std::string text = test::read_file(file);
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}

core::StationId station_id(unsigned number) {
    core::StationId id;
    id.bytes.fill(static_cast<std::uint8_t>(number * 37));
    id.bytes[15] = static_cast<std::uint8_t>(number);
    return id;
}

TransferWorld::TransferWorld()
    : pool(std::make_unique<WorkerPool>(WorkerPool::Options{3, 100'000},
                                        [this](WorkerPool::Task task) { post(std::move(task)); })) {
}

TransferWorld::~TransferWorld() {
    // Engines go before the pool; what it still posts is dropped with the queue.
    for (const auto& station : stations_) {
        station->engine.reset();
    }
    pool->stop();
    tasks_.clear();
}

void TransferWorld::post(WorkerPool::Task task) {
    {
        const std::lock_guard lock(mutex_);
        tasks_.push_back(std::move(task));
    }
    ready_.notify_one();
}

bool TransferWorld::run_until(const std::function<bool()>& reached) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(5);
    auto next_tick = std::chrono::steady_clock::now();
    while (!reached()) {
        WorkerPool::Task task;
        {
            std::unique_lock lock(mutex_);
            ready_.wait_for(lock, std::chrono::milliseconds(20), [&] { return !tasks_.empty(); });
            if (!tasks_.empty()) {
                task = std::move(tasks_.front());
                tasks_.pop_front();
            }
        }
        if (task) {
            task();
        }
        const auto now = std::chrono::steady_clock::now();
        if (now > end) {
            ADD_FAILURE() << "not reached within five minutes";
            return false;
        }
        if (now >= next_tick) {
            next_tick = now + std::chrono::milliseconds(20);
            for (const auto& station : stations_) {
                if (station->engine) {
                    station->engine->tick();
                }
            }
        }
    }
    return true;
}

TestStation& TransferWorld::add_station(const std::function<void(TransferOptions&)>& adapt) {
    const auto number = static_cast<unsigned>(stations_.size() + 1);
    stations_.push_back(std::make_unique<TestStation>(*this, station_id(number), adapt));
    return *stations_.back();
}

TestStation* TransferWorld::find(const core::StationId& id) {
    for (const auto& station : stations_) {
        if (station->id == id) {
            return station.get();
        }
    }
    return nullptr;
}

TestStation::TestStation(TransferWorld& transfer_world, core::StationId station,
                         const std::function<void(TransferOptions&)>& adapt)
    : world(transfer_world), id(station), packages(folder / "sync/plant") {
    options.self = id;
    options.packages = packages.folder();
    options.manifests = folder / "blocks";
    if (adapt) {
        adapt(options);
    }
    restart();
}

void TestStation::restart() {
    engine.reset();
    engine = std::make_unique<TransferEngine>(
        options, *world.pool, *this,
        [this](WorkerPool::Task task) { world.post(std::move(task)); });
}

PackageDescription TestStation::add_package(const std::string& key, const Content& content,
                                            std::uint64_t sequence) {
    const auto staged = folder / "staged";
    EXPECT_TRUE(atomic_write(staged, content));
    auto file = File::open_update(staged);
    EXPECT_TRUE(file->set_modified(17'000'000'000'000'000 + static_cast<std::int64_t>(sequence)));
    PackageDescription description;
    description.object = {"recipes", key};
    description.package = {digest_of(content), content.size(), file->facts()->modified_100ns};
    description.revision = "revision " + std::to_string(sequence);
    const PackageName name{description.object, 1'700'000'000'000'000, id, sequence, ".db"};
    EXPECT_TRUE(packages.place(staged, Placement::move, name, description));
    return description;
}

std::vector<PackageDescription> TestStation::add_packages(const std::vector<Content>& contents) {
    std::vector<PendingPackage> pending;
    std::vector<PackageDescription> descriptions;
    for (const Content& content : contents) {
        const std::uint64_t sequence = descriptions.size();
        PackageDescription description;
        description.object = {"recipes", "file " + std::to_string(sequence)};
        description.package = {digest_of(content), content.size(), 17'000'000'000'000'000};
        const PackageName name{description.object, 1'700'000'000'000'000, id, sequence, ".xml"};
        pending.push_back(
            {*packages.reserve(name, description.package.digest), description, content});
        descriptions.push_back(description);
    }
    for (const auto& result : commit_packages(pending)) {
        EXPECT_TRUE(result);
    }
    return descriptions;
}

FetchRequest TestStation::request_for(const PackageDescription& description,
                                      std::vector<core::StationId> sources, std::uint64_t job) {
    FetchRequest request;
    request.id = core::JobId{job};
    request.name = {description.object, 1'700'000'000'000'000, station_id(1), job, ".db"};
    request.package = description.package;
    request.revision = description.revision;
    request.sources = std::move(sources);
    return request;
}

BaseCandidate TestStation::base_for(const PackageDescription& description) {
    return {description.package,
            packages.find(description.object, description.package.digest)->file};
}

std::uint64_t TestStation::received() const {
    std::uint64_t bytes = 0;
    for (const auto& [provider, counters] : engine->bytes_by_provider()) {
        bytes += counters.received;
    }
    return bytes;
}

std::uint64_t TestStation::sent() const {
    std::uint64_t bytes = 0;
    for (const auto& [provider, counters] : engine->bytes_by_provider()) {
        bytes += counters.sent;
    }
    return bytes;
}

std::size_t TestStation::files_below() const {
    std::size_t count = 0;
    std::error_code code;
    for (std::filesystem::recursive_directory_iterator entry(packages.folder(), code), end;
         !code && entry != end; entry.increment(code)) {
        count += entry->is_regular_file() ? 1U : 0U;
    }
    return count;
}

void TestStation::release_locates() {
    hold_locates = false;
    for (const std::function<void()>& located : std::exchange(held_locates, {})) {
        located();
    }
}

bool TestStation::is_over(std::uint64_t job) const {
    return finished.contains(job) || failed.contains(job);
}

SendResult TestStation::send_transfer(const core::StationId& station, TransferLane lane,
                                      std::vector<std::byte> frame) {
    TestStation* const peer = world.find(station);
    if (peer == nullptr || !peer->engine) {
        return SendResult::gone;
    }
    const bool narrow = narrow_link && lane == TransferLane::blocks;
    if (on_send && !on_send(station, lane, frame)) {
        return narrow ? SendResult::full : SendResult::taken;
    }
    in_flight_max = std::max(in_flight_max, engine ? engine->bytes_in_flight() : 0);
    world.post([this, station, narrow, frame = std::move(frame)] {
        TestStation* const to = world.find(station);
        if (to != nullptr && to->engine) {
            EXPECT_TRUE(to->engine->on_frame(id, frame));
        }
        if (narrow && engine) {
            engine->on_writable(station);
        }
    });
    return narrow ? SendResult::full : SendResult::taken;
}

void TestStation::locate(const core::ObjectId& object, const PackageRef& package,
                         LocateReply reply) {
    ++locates;
    if (hold_locates) {
        held_locates.push_back([this, object, package, reply = std::move(reply)]() mutable {
            locate(object, package, std::move(reply));
        });
        return;
    }
    if (on_locate) {
        if (auto located = on_locate(package)) {
            reply(std::move(*located));
            return;
        }
    }
    const auto found = std::make_shared<IoResult<StoredPackage>>(StoredPackage{});
    world.pool->submit(
        [this, found, object, digest = package.digest] { *found = packages.find(object, digest); },
        [found, reply = std::move(reply)] {
            if (*found) {
                reply(LocatedPackage{(*found)->file});
            } else {
                reply(found->error());
            }
        });
}

void TestStation::fetch_finished(core::JobId job, const FinishedFetch& result) {
    EXPECT_TRUE(finished.emplace(static_cast<std::uint64_t>(job), result).second);
}

void TestStation::fetch_failed(core::JobId job, FetchFailure failure, const std::string& text) {
    EXPECT_TRUE(failed.emplace(static_cast<std::uint64_t>(job), Failure{failure, text}).second);
}

void TestStation::fetch_progressed(core::JobId, std::uint64_t done, std::uint64_t) {
    bytes_done = done;
}

void TestStation::fetch_source_failed(core::JobId, const core::StationId& source,
                                      const std::string& text) {
    failed_sources.emplace_back(source, text);
}

} // namespace stationsync::host
