// Several transfer engines in one process, joined by pipes in memory; files, hashes and worker
// threads are the real ones.
#pragma once

#include "base/worker_pool.hpp"
#include "packages/package_directory.hpp"
#include "packages/transfer.hpp"
#include "support/temp_folder.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace stationsync::host {

using Content = std::vector<std::byte>;

[[nodiscard]] Content random_content(std::size_t bytes);
[[nodiscard]] core::Digest digest_of(const Content& content);
[[nodiscard]] Content content_of(const std::filesystem::path& file);
[[nodiscard]] core::StationId station_id(unsigned number);

class TestStation;

// The engine thread of all stations is the one that calls run_until().
class TransferWorld {
public:
    TransferWorld();
    ~TransferWorld();

    void post(WorkerPool::Task task);
    // Runs tasks until `reached`; fails the test after five minutes.
    [[nodiscard]] bool run_until(const std::function<bool()>& reached);
    TestStation& add_station(const std::function<void(TransferOptions&)>& adapt = {});
    [[nodiscard]] TestStation* find(const core::StationId& id);

    std::unique_ptr<WorkerPool> pool;

private:
    std::mutex mutex_;
    std::condition_variable ready_;
    std::deque<WorkerPool::Task> tasks_;
    std::vector<std::unique_ptr<TestStation>> stations_;
};

class TestStation final : public TransferHost {
public:
    struct Failure {
        FetchFailure failure;
        std::string text;
    };

    TestStation(TransferWorld& world, core::StationId id,
                const std::function<void(TransferOptions&)>& adapt);

    // Puts a package there as an export would.
    PackageDescription add_package(const std::string& key, const Content& content,
                                   std::uint64_t sequence);
    // Many small ones, made durable together.
    std::vector<PackageDescription> add_packages(const std::vector<Content>& contents);
    [[nodiscard]] FetchRequest request_for(const PackageDescription& description,
                                           std::vector<core::StationId> sources, std::uint64_t job);
    [[nodiscard]] BaseCandidate base_for(const PackageDescription& description);
    void restart(); // destroys the engine as a stop of the service does, makes a new one
    [[nodiscard]] std::uint64_t received() const; // bytes, all providers
    [[nodiscard]] std::uint64_t sent() const;
    [[nodiscard]] std::size_t files_below() const; // in the sync directory, of any kind
    [[nodiscard]] bool is_over(std::uint64_t job) const;

    SendResult send_transfer(const core::StationId& station, TransferLane lane,
                             std::vector<std::byte> frame) override;
    void locate(const core::ObjectId& object, const PackageRef& package,
                LocateReply reply) override;
    void fetch_finished(core::JobId id, const FinishedFetch& result) override;
    void fetch_failed(core::JobId id, FetchFailure failure, const std::string& text) override;
    void fetch_progressed(core::JobId id, std::uint64_t bytes_done,
                          std::uint64_t bytes_received) override;
    void fetch_source_failed(core::JobId id, const core::StationId& source,
                             const std::string& text) override;

    TransferWorld& world;
    core::StationId id;
    test::TempFolder folder;
    TransferOptions options;
    PackageDirectory packages;
    std::unique_ptr<TransferEngine> engine;

    // What the link does to frames that this station sends; false swallows the frame.
    std::function<bool(const core::StationId& to, TransferLane, std::vector<std::byte>&)> on_send;
    // Replaces locate(); nothing: as usual.
    std::function<std::optional<IoResult<LocatedPackage>>(const PackageRef&)> on_locate;
    // Packages are found only once release_locates() is called.
    bool hold_locates = false;
    void release_locates();
    std::vector<std::function<void()>> held_locates;
    std::size_t locates = 0;  // asked for so far
    bool narrow_link = false; // the lane `blocks` is full after each frame until it was delivered

    std::map<std::uint64_t, FinishedFetch> finished;
    std::map<std::uint64_t, Failure> failed;
    std::vector<std::pair<core::StationId, std::string>> failed_sources;
    std::uint64_t bytes_done = 0;
    std::uint64_t in_flight_max = 0;
};

} // namespace stationsync::host
