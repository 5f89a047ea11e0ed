// Carries packages between stations: fetches from several sources at once, serves what this station
// has, also what it has only in part. Knows no sockets: frames go out and come in through
// TransferHost and on_frame(). What the frames contain: transfer_messages.hpp.
#pragma once

#include "base/worker_pool.hpp"
#include "packages/package_directory.hpp"
#include "packages/temporary_file.hpp"
#include "packages/transfer_messages.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace stationsync::host {

// An older package of the object that is here: its blocks are not transferred again.
struct BaseCandidate {
    core::PackageInfo package;
    std::filesystem::path file; // what is read from it is verified, so a live file will do
};

struct FetchRequest {
    core::JobId id{};
    PackageName name; // names the object and the file to be
    core::PackageInfo package;
    std::string revision; // as the host encodes it, for the description beside the package
    std::string note;
    std::vector<BaseCandidate> bases; // best first; more than bases_max are ignored
    std::vector<core::StationId> sources;
    // Other stations are likely to fetch the same now: begin at a place of our own, so that all can
    // get from each other what the origin has sent once.
    bool spread = false;
};

enum class FetchFailure {
    no_source, // nobody is left that can serve it; the part that is here is kept for the next
               // attempt
    no_space,  // the disk is full; nothing is left behind
    corrupt,   // what the sources sent does not give the package; nothing is left behind
    io,        // this station cannot read or write its files
    too_large, // beyond package_bytes_max
};

struct FinishedFetch {
    std::filesystem::path file;       // durable, every byte verified
    std::uint64_t bytes_received = 0; // on the links
    bool already_there = false;
};

struct LocatedPackage {
    std::filesystem::path file;
    TemporaryFilePtr temporary = nullptr; // set when the file was exported for this purpose
};

enum class TransferLane {
    control, // small, may overtake blocks: frame type `transfer` of the links
    blocks,  // frame type `block`, with back-pressure
};
enum class SendResult {
    taken,
    full, // taken, but no more on the lane `blocks` until on_writable()
    gone, // no link to this station
};

// What the engine needs from the rest of the host. All calls on the engine thread; none may destroy
// the TransferEngine. The fetch named in fetch_finished/fetch_failed is over when the call is made.
class TransferHost {
public:
    using LocateReply = std::function<void(IoResult<LocatedPackage>)>;

    virtual ~TransferHost() = default;
    virtual SendResult send_transfer(const core::StationId& station, TransferLane lane,
                                     std::vector<std::byte> frame) = 0;
    // Finds a package that this station has: in the sync directory, in the history, or as live
    // content. The reply may come at once or later, on the engine thread, exactly once.
    virtual void locate(const core::ObjectId& object, const PackageRef& package,
                        LocateReply reply) = 0;
    virtual void fetch_finished(core::JobId id, const FinishedFetch& result) = 0;
    // `text`: a sentence for the operator.
    virtual void fetch_failed(core::JobId id, FetchFailure failure, const std::string& text) = 0;
    virtual void fetch_progressed(core::JobId id, std::uint64_t bytes_done,
                                  std::uint64_t bytes_received) = 0;
    // One source is not asked any more; the others go on.
    virtual void fetch_source_failed(core::JobId id, const core::StationId& source,
                                     const std::string& text) = 0;
};

struct TransferOptions {
    core::StationId self;
    std::filesystem::path packages;  // the project's folder in the sync directory
    std::filesystem::path manifests; // state/PROJECT/blocks
    std::uint64_t fetch_window_bytes = std::uint64_t{8} << 20;  // on their way, per fetch
    std::uint64_t total_window_bytes = std::uint64_t{32} << 20; // and in all
    std::uint64_t serve_window_bytes = std::uint64_t{4} << 20; // read for one station, not yet sent
    std::int64_t stall_us = 10'000'000;    // without a block for so long, others are asked for them
    std::int64_t give_up_us = 30'000'000;  // a source that is silent for so long is dropped
    std::int64_t preparing_us = 5'000'000; // who waits for a package in the making hears so often
    // Nobody is kept waiting longer for one that hangs.
    std::int64_t preparing_max_us = std::int64_t{3'600'000'000};
};

// Bytes of messages on the links, by provider.
struct TransferBytes {
    std::uint64_t received = 0;
    std::uint64_t sent = 0;
};

// Engine thread. Files and hashes are the worker pool's; memory is bounded by the windows of the
// options and 16 bytes for each block of a running fetch.
class TransferEngine {
public:
    // `pool` and `host` must outlive the engine, and the pool must be stopped (or its poster
    // drained) only after the engine is gone or with its results dropped. `post` runs a task later
    // on the engine thread.
    TransferEngine(TransferOptions options, WorkerPool& pool, TransferHost& host,
                   WorkerPool::Poster post);
    // Running fetches stop silently; their parts stay and are continued by the next fetch of the
    // same package.
    ~TransferEngine();
    TransferEngine(const TransferEngine&) = delete;
    TransferEngine& operator=(const TransferEngine&) = delete;

    // Ends with fetch_finished or fetch_failed, never before this call has returned. A second fetch
    // of a package that is being fetched waits for the first.
    void start_fetch(FetchRequest request);
    // Replaces the sources: new ones are asked too, missing ones no more. A source that has failed
    // and is named again gets another chance.
    void set_sources(core::JobId id, const std::vector<core::StationId>& sources);
    // Ends the fetch without a word and removes its part. Unknown ids are ignored.
    void cancel(core::JobId id);

    // A frame of either lane from an authenticated station that may exchange data. False: the frame
    // is damaged; the link should be closed, what was good in front of it has been handled.
    [[nodiscard]] bool on_frame(const core::StationId& station, std::span<const std::byte> frame);
    void on_writable(const core::StationId& station);
    // No link to the station is left, or it may not exchange data any more.
    void on_station_gone(const core::StationId& station);
    // A link to the station that may have carried frames of ours or of the station ended, and
    // another one stays: what was on its way is lost. Both sides begin anew where they were.
    void on_link_lost(const core::StationId& station);

    // To be called about every half second while is_busy().
    void tick();
    [[nodiscard]] bool is_busy() const;

    [[nodiscard]] const std::map<std::string, TransferBytes>& bytes_by_provider() const;
    // The part files of running fetches, for PackageDirectory::sweep.
    [[nodiscard]] bool is_part_in_use(const std::filesystem::path& part) const;
    // Bytes on their way in this process, for tests of the bounds.
    [[nodiscard]] std::uint64_t bytes_in_flight() const;

private:
    struct State;
    std::shared_ptr<State> state_;
};

} // namespace stationsync::host
