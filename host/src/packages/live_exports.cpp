#include "packages/live_exports.hpp"

#include <utility>

namespace stationsync::host {
namespace {
// Each is a full copy on this disk and takes a turn of its provider.
constexpr std::size_t running_max = 2;
} // namespace

LiveExports::LiveExports(Make make, WorkerPool& pool)
    : make_(std::move(make)), pool_(pool), self_(std::make_shared<LiveExports*>(this)) {}

LiveExports::~LiveExports() {
    *self_ = nullptr;
    for (auto& [key, each] : exports_) {
        each.waiting.clear();
    }
    pool_.submit([exports = std::move(exports_)] {}, {});
}

void LiveExports::locate(const core::ObjectId& object, const PackageRef& package,
                         TransferHost::LocateReply reply) {
    const Key key{object, package.digest};
    const auto [place, fresh] = exports_.try_emplace(key);
    Export& found = place->second;
    if (found.file) {
        found.unused_since_us = 0;
        reply(LocatedPackage{found.file->path(), found.file});
        return;
    }
    found.waiting.push_back(std::move(reply));
    if (fresh) {
        found.package = package;
        queue_.push_back(key);
        make_next();
    }
}

void LiveExports::make_next() {
    while (running_ < running_max && !queue_.empty()) {
        const Key key = std::move(queue_.front());
        queue_.pop_front();
        ++running_;
        const PackageRef package = exports_.at(key).package; // the entry may go at once
        make_(key.first, package,
              [this, self = self_, key](const IoResult<TemporaryFilePtr>& made) {
                  if (*self != nullptr) {
                      on_made(key, made);
                  }
              });
    }
}

void LiveExports::on_made(const Key& key, const IoResult<TemporaryFilePtr>& made) {
    --running_;
    const auto place = exports_.find(key);
    const std::vector<TransferHost::LocateReply> waiting = std::exchange(place->second.waiting, {});
    if (made) {
        place->second.file = *made;
    } else {
        exports_.erase(place); // who asks again may have more luck
    }
    for (const TransferHost::LocateReply& reply : waiting) {
        if (made) {
            reply(LocatedPackage{(*made)->path(), *made});
        } else {
            reply(made.error());
        }
    }
    make_next();
}

void LiveExports::tick(std::int64_t now_us) {
    for (auto entry = exports_.begin(); entry != exports_.end();) {
        Export& each = entry->second;
        if (!each.file || each.file.use_count() > 1) {
            each.unused_since_us = 0;
            ++entry;
        } else if (each.unused_since_us == 0) {
            each.unused_since_us = now_us;
            ++entry;
        } else if (now_us - each.unused_since_us > kept_us) {
            pool_.submit([file = std::move(each.file)] {}, {});
            entry = exports_.erase(entry);
        } else {
            ++entry;
        }
    }
}

} // namespace stationsync::host
