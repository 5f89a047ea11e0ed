// What every running fetch has in common, and what fetches and serving share. Engine thread.
#pragma once

#include "packages/commit_queue.hpp"
#include "packages/manifest_store.hpp"
#include "packages/outbox.hpp"
#include "packages/part_file.hpp"
#include "packages/transfer.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace stationsync::host {

class Fetch;

// Owned by the engine, outlives fetches and channels.
struct TransferContext {
    TransferContext(TransferOptions transfer_options, WorkerPool& worker_pool,
                    TransferHost& transfer_host, std::function<void()> schedule_flush)
        : options(std::move(transfer_options)),
          pool(worker_pool),
          host(transfer_host),
          outbox(transfer_host, std::move(schedule_flush)),
          packages(options.packages),
          manifests(options.manifests),
          commits(worker_pool) {}

    TransferOptions options;
    WorkerPool& pool;
    TransferHost& host;
    Outbox outbox;
    PackageDirectory packages;
    ManifestStore manifests;
    CommitQueue commits;

    // Set by the engine. A fetch opens a channel to a source: its number; messages come back to the
    // fetch until the channel is closed.
    std::function<ChannelId(const core::StationId&, Fetch&)> new_channel;
    std::function<void(const core::StationId&, ChannelId)> drop_channel;
    // The fetch is over: the engine reports and forgets it. The fetch is alive until it returns.
    std::function<void(Fetch&, const FinishedFetch&)> finished;
    std::function<void(Fetch&, FetchFailure, const std::string&)> failed;
    // Blocks of a package that is being fetched can be served from now on.
    std::function<void(Fetch&)> advanced;
    std::size_t large_fetches = 0; // running, share the total window
};

// What a station that forwards serves of a package that it is still fetching.
struct PartialPackage {
    std::shared_ptr<const PartFile> file; // null as long as nothing can be read
    BlockManifestPtr manifest;            // null until all of it is known
    BlockSet blocks;                      // verified and written
};

class Fetch : public std::enable_shared_from_this<Fetch> {
public:
    Fetch(TransferContext& context, FetchRequest request)
        : context_(context), request_(std::move(request)) {}
    virtual ~Fetch() = default;
    Fetch(const Fetch&) = delete;
    Fetch& operator=(const Fetch&) = delete;

    virtual void start() = 0;
    virtual void set_sources(const std::vector<core::StationId>& sources) = 0;
    virtual void on_message(const core::StationId& source, TransferMessage& message) = 0;
    virtual void on_source_gone(const core::StationId& source) = 0;
    // What was on its way from or to the source may be lost; the source itself is still there.
    virtual void on_link_lost(const core::StationId& source) = 0;
    virtual void tick(std::int64_t now_us) = 0;
    // Closes channels; nothing is reported after this. `remove` also removes the part.
    virtual void stop(bool remove) = 0;
    [[nodiscard]] virtual const PartialPackage* partial() const { return nullptr; }
    [[nodiscard]] virtual std::uint64_t bytes_in_flight() const = 0;
    [[nodiscard]] virtual std::filesystem::path part() const { return {}; }

    [[nodiscard]] const FetchRequest& request() const noexcept { return request_; }
    [[nodiscard]] const core::ObjectId& object() const noexcept { return request_.name.object; }
    [[nodiscard]] PackageRef package() const {
        return {request_.package.digest, request_.package.bytes};
    }
    void count_received(std::uint64_t bytes) { bytes_received_ += bytes; }

protected:
    [[nodiscard]] PackageDescription description() const {
        return {request_.package, request_.name.object, request_.revision, request_.note};
    }

    TransferContext& context_;
    FetchRequest request_;
    std::uint64_t bytes_received_ = 0;
};

// A source that says so often in a row that everything was lost, and delivers nothing in between,
// is as good as none.
inline constexpr std::uint32_t lost_in_a_row_max = 8;

// How a failure of this station's own files ends a fetch.
[[nodiscard]] FetchFailure failure_of(const IoError& error);

} // namespace stationsync::host
