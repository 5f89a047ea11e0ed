#include "packages/transfer.hpp"

#include "packages/large_fetch.hpp"
#include "packages/serve.hpp"
#include "packages/small_fetch.hpp"

#include <algorithm>
#include <deque>
#include <utility>

namespace stationsync::host {
namespace {
// Packages of one block that are asked for at once: enough to keep a fast link busy with them.
constexpr std::size_t small_count_max = 1024;
constexpr std::uint64_t small_bytes_max = std::uint64_t{8} << 20;
// Lists for 256 GiB of packages.
constexpr std::uint64_t manifests_bytes_max = std::uint64_t{64} << 20;
} // namespace

struct TransferEngine::State : std::enable_shared_from_this<TransferEngine::State> {
    using FetchPtr = std::shared_ptr<Fetch>;
    using ChannelKey = std::pair<core::StationId, ChannelId>;

    State(TransferOptions options, WorkerPool& pool, TransferHost& host, WorkerPool::Poster poster)
        : post(std::move(poster)),
          context(std::move(options), pool, host, [this] { schedule_flush(); }),
          serve(context, [this](const core::Digest& package) { return fetch_of(package); }) {
        context.new_channel = [this](const core::StationId& station, Fetch& fetch) {
            const ChannelId id = ++last_channel;
            channels[{station, id}] = &fetch;
            return id;
        };
        context.drop_channel = [this](const core::StationId& station, ChannelId id) {
            channels.erase({station, id});
        };
        context.finished = [this](Fetch& fetch, const FinishedFetch& result) {
            end(fetch, true, [&](core::JobId id) { context.host.fetch_finished(id, result); });
        };
        context.failed = [this](Fetch& fetch, FetchFailure failure, const std::string& text) {
            end(fetch, false,
                [&](core::JobId id) { context.host.fetch_failed(id, failure, text); });
        };
        context.advanced = [this](Fetch& fetch) {
            advanced.insert(fetch.request().id);
            schedule_flush();
        };
    }

    void later(std::function<void(State&)> task) {
        post([weak = weak_from_this(), task = std::move(task)] {
            if (const auto self = weak.lock()) {
                task(*self);
            }
        });
    }

    // Messages and what is new in running fetches go out together.
    void schedule_flush() {
        if (!std::exchange(flush_scheduled, true)) {
            later([](State& self) { self.flush(); });
        }
    }

    void flush() {
        flush_scheduled = false;
        for (const core::JobId id : std::exchange(advanced, {})) {
            if (const auto found = fetches.find(id); found != fetches.end()) {
                serve.on_advanced(*found->second);
            }
        }
        for (const core::StationId& station : context.outbox.flush()) {
            station_gone(station);
        }
    }

    void start(FetchRequest request) {
        const auto layout = layout_of(request.package.bytes);
        if (!layout) {
            later([id = request.id](State& self) {
                self.context.host.fetch_failed(
                    id, FetchFailure::too_large,
                    "the package is larger than 1 TiB, the largest that is transferred");
            });
            return;
        }
        if (layout->count > 1) {
            begin(std::make_shared<LargeFetch>(context, std::move(request), *layout), true);
            return;
        }
        waiting.push_back(std::move(request));
        start_waiting();
    }

    void start_waiting() {
        while (!waiting.empty() && small_running < small_count_max &&
               (small_running == 0 ||
                small_bytes + waiting.front().package.bytes <= small_bytes_max)) {
            FetchRequest request = std::move(waiting.front());
            waiting.pop_front();
            begin(std::make_shared<SmallFetch>(context, std::move(request)), false);
        }
    }

    void begin(const FetchPtr& fetch, bool large) {
        const core::Digest& package = fetch->request().package.digest;
        // Two fetches of one object's package would write one file.
        if (Fetch* const other = fetch_of(package);
            other != nullptr && other->object() == fetch->object()) {
            followers.emplace(other->request().id, std::pair(fetch, large));
            return;
        }
        fetches.emplace(fetch->request().id, fetch);
        by_package.emplace(package, fetch.get());
        context.large_fetches += large ? 1U : 0U;
        small_running += large ? 0U : 1U;
        small_bytes += large ? 0U : fetch->request().package.bytes;
        // Nothing is reported before start_fetch() has returned.
        later([id = fetch->request().id](State& self) {
            if (const auto found = self.fetches.find(id); found != self.fetches.end()) {
                const FetchPtr kept = found->second;
                kept->start();
            }
        });
    }

    [[nodiscard]] Fetch* fetch_of(const core::Digest& package) const {
        const auto found = by_package.find(package);
        return found == by_package.end() ? nullptr : found->second;
    }

    // Takes the fetch out of all tables; null when it is not there.
    FetchPtr take(core::JobId id) {
        const auto found = fetches.find(id);
        if (found == fetches.end()) {
            return nullptr;
        }
        FetchPtr fetch = std::move(found->second);
        fetches.erase(found);
        advanced.erase(id);
        const auto by_digest = by_package.find(fetch->request().package.digest);
        if (by_digest != by_package.end() && by_digest->second == fetch.get()) {
            by_package.erase(by_digest);
        }
        if (fetch->partial() != nullptr) {
            --context.large_fetches;
        } else {
            --small_running;
            small_bytes -= fetch->request().package.bytes;
        }
        return fetch;
    }

    template <class Report>
    void end(Fetch& ended, bool complete, Report report) {
        const core::JobId id = ended.request().id;
        const FetchPtr fetch = take(id);
        if (!fetch) {
            return;
        }
        serve.on_fetch_ended(*fetch, complete);
        if (complete && fetch->partial() != nullptr) {
            trim_manifests();
        }
        report(id);
        start_followers(id);
        start_waiting();
    }

    void start_followers(core::JobId id) {
        std::vector<std::pair<FetchPtr, bool>> next;
        const auto [first, last] = followers.equal_range(id);
        for (auto entry = first; entry != last; ++entry) {
            next.push_back(entry->second);
        }
        followers.erase(first, last);
        for (const auto& [fetch, large] : next) {
            begin(fetch, large);
        }
    }

    void cancel(core::JobId id) {
        std::erase_if(waiting, [&](const FetchRequest& request) { return request.id == id; });
        std::erase_if(followers,
                      [&](const auto& entry) { return entry.second.first->request().id == id; });
        if (const FetchPtr fetch = take(id)) {
            fetch->stop(true);
            serve.on_fetch_ended(*fetch, false);
            start_followers(id);
            start_waiting();
        }
    }

    void set_sources(core::JobId id, const std::vector<core::StationId>& sources) {
        for (FetchRequest& request : waiting) {
            if (request.id == id) {
                request.sources = sources;
            }
        }
        for (const auto& [leader, follower] : followers) {
            if (follower.first->request().id == id) {
                follower.first->set_sources(sources);
            }
        }
        if (const auto found = fetches.find(id); found != fetches.end()) {
            const FetchPtr fetch = found->second;
            fetch->set_sources(sources);
        }
    }

    void handle(const core::StationId& station, TransferMessage& message, std::uint64_t bytes) {
        const bool is_answer = std::holds_alternative<OpenedMessage>(message) ||
                               std::holds_alternative<HaveMessage>(message) ||
                               std::holds_alternative<ManifestMessage>(message) ||
                               std::holds_alternative<BlockMessage>(message) ||
                               std::holds_alternative<CannotMessage>(message);
        if (!is_answer) {
            serve.on_message(station, message);
            return;
        }
        const ChannelId id = std::visit([](const auto& any) { return any.channel; }, message);
        const auto found = channels.find({station, id});
        if (found == channels.end()) {
            return; // closed here meanwhile
        }
        const FetchPtr fetch = found->second->shared_from_this();
        fetch->count_received(bytes);
        context.outbox.count_received(fetch->object().provider, bytes);
        fetch->on_message(station, message);
    }

    void trim_manifests() {
        context.pool.submit(
            [manifests = context.manifests] { manifests.trim(manifests_bytes_max); }, {});
    }

    void station_gone(const core::StationId& station) {
        context.outbox.forget(station);
        serve.on_station_gone(station);
        std::vector<FetchPtr> all;
        for (const auto& [id, fetch] : fetches) {
            all.push_back(fetch);
        }
        for (const FetchPtr& fetch : all) {
            fetch->on_source_gone(station);
        }
    }

    void link_lost(const core::StationId& station) {
        context.outbox.set_writable(station);
        serve.on_link_lost(station);
        std::vector<FetchPtr> all;
        for (const auto& [id, fetch] : fetches) {
            all.push_back(fetch);
        }
        for (const FetchPtr& fetch : all) {
            fetch->on_link_lost(station);
        }
    }

    WorkerPool::Poster post;
    TransferContext context;
    Serve serve;
    std::map<core::JobId, FetchPtr> fetches;
    std::map<core::Digest, Fetch*> by_package;
    std::multimap<core::JobId, std::pair<FetchPtr, bool>> followers; // of the fetch with this id
    std::deque<FetchRequest> waiting;                                // small ones beyond the limits
    std::map<ChannelKey, Fetch*> channels;
    std::set<core::JobId> advanced;
    ChannelId last_channel = 0;
    std::size_t small_running = 0;
    std::uint64_t small_bytes = 0;
    bool flush_scheduled = false;
};

TransferEngine::TransferEngine(TransferOptions options, WorkerPool& pool, TransferHost& host,
                               WorkerPool::Poster post)
    : state_(std::make_shared<State>(std::move(options), pool, host, std::move(post))) {
    state_->trim_manifests();
}

TransferEngine::~TransferEngine() {
    for (const auto& [id, fetch] : std::exchange(state_->fetches, {})) {
        fetch->stop(false);
    }
}

void TransferEngine::start_fetch(FetchRequest request) {
    state_->start(std::move(request));
}

void TransferEngine::set_sources(core::JobId id, const std::vector<core::StationId>& sources) {
    state_->set_sources(id, sources);
}

void TransferEngine::cancel(core::JobId id) {
    state_->cancel(id);
}

bool TransferEngine::on_frame(const core::StationId& station, std::span<const std::byte> frame) {
    while (!frame.empty()) {
        const std::size_t before = frame.size();
        auto message = next_message(frame);
        if (!message) {
            return false;
        }
        state_->handle(station, *message, before - frame.size());
    }
    return true;
}

void TransferEngine::on_writable(const core::StationId& station) {
    state_->context.outbox.set_writable(station);
    state_->serve.on_writable(station);
}

void TransferEngine::on_station_gone(const core::StationId& station) {
    state_->station_gone(station);
}

void TransferEngine::on_link_lost(const core::StationId& station) {
    state_->link_lost(station);
}

void TransferEngine::tick() {
    const std::int64_t now_us = monotonic_now_us();
    state_->serve.tick(now_us);
    std::vector<State::FetchPtr> all;
    for (const auto& [id, fetch] : state_->fetches) {
        all.push_back(fetch);
    }
    for (const State::FetchPtr& fetch : all) {
        fetch->tick(now_us);
    }
}

bool TransferEngine::is_busy() const {
    return !state_->fetches.empty() || !state_->waiting.empty() || state_->serve.is_busy();
}

const std::map<std::string, TransferBytes>& TransferEngine::bytes_by_provider() const {
    return state_->context.outbox.counters();
}

bool TransferEngine::is_part_in_use(const std::filesystem::path& part) const {
    return std::any_of(state_->fetches.begin(), state_->fetches.end(),
                       [&](const auto& entry) { return entry.second->part() == part; });
}

std::uint64_t TransferEngine::bytes_in_flight() const {
    std::uint64_t bytes = state_->serve.bytes_in_flight();
    for (const auto& [id, fetch] : state_->fetches) {
        bytes += fetch->bytes_in_flight();
    }
    return bytes;
}

} // namespace stationsync::host
