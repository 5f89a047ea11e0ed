// Packages of which this station has the live data only, exported for peers that ask for them. One
// export serves all who ask for the same package, and stays for a while after the last of them: a
// link that breaks must not cost another copy. Engine thread.
#pragma once

#include "base/worker_pool.hpp"
#include "packages/temporary_file.hpp"
#include "packages/transfer.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace stationsync::host {

class LiveExports {
public:
    using Made = std::function<void(IoResult<TemporaryFilePtr>)>;
    // Exports the live data of the object; the file's content must be the package. Calls `made`
    // once, at once or later on the engine thread.
    using Make =
        std::function<void(const core::ObjectId& object, const PackageRef& package, Made made)>;

    static constexpr std::int64_t kept_us = 5'000'000; // after the last use

    LiveExports(Make make, WorkerPool& pool);
    ~LiveExports(); // exports that nobody reads from are removed; those that run give no reply
    LiveExports(const LiveExports&) = delete;
    LiveExports& operator=(const LiveExports&) = delete;

    void locate(const core::ObjectId& object, const PackageRef& package,
                TransferHost::LocateReply reply);
    // To be called every now and then.
    void tick(std::int64_t now_us);

private:
    using Key = std::pair<core::ObjectId, core::Digest>;
    struct Export {
        PackageRef package;
        TemporaryFilePtr file; // null while it is being made
        std::vector<TransferHost::LocateReply> waiting;
        std::int64_t unused_since_us = 0; // 0: in use, or not looked at since
    };

    void make_next();
    void on_made(const Key& key, const IoResult<TemporaryFilePtr>& made);

    Make make_;
    WorkerPool& pool_;
    std::map<Key, Export> exports_;
    std::deque<Key> queue_; // not begun
    std::size_t running_ = 0;
    // Exports outlive this object only to find that it is gone.
    std::shared_ptr<LiveExports*> self_;
};

} // namespace stationsync::host
