// A station reduced to its links, for tests: records every callback as it comes.
#pragma once

#include "base/random.hpp"
#include "net/links.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace stationsync::host {

// Short limits, so that no test waits for long, and long enough for a machine that is busy.
constexpr std::chrono::milliseconds hasty_handshake{2500};

inline LinkLimits quick_limits() {
    using std::chrono::milliseconds;
    LinkLimits limits;
    // Not short: a link that a test needs must come up on a busy machine, too. Tests of these
    // limits make them short (hasty_handshake).
    limits.connect_timeout = milliseconds(10000);
    limits.dial_timeout = milliseconds(30000);
    limits.handshake_timeout = milliseconds(20000);
    limits.ping_interval = milliseconds(100);
    limits.idle_timeout = milliseconds(2500);
    limits.probe_timeout = milliseconds(800);
    limits.slow_timeout = milliseconds(1500);
    limits.close_timeout = milliseconds(1000);
    limits.doubt_timeout = milliseconds(1000);
    limits.tick = milliseconds(20);
    return limits;
}

class LinkStation final : public LinkObserver {
public:
    struct Down {
        LinkId link;
        LinkFailure failure;
        std::string text;
    };
    struct Failed {
        DialId dial;
        LinkFailure failure;
        std::string text;
    };
    struct Refused {
        std::string address;
        LinkFailure failure;
        std::string text;
    };
    struct Measured {
        LinkId link;
        core::Duration offset;
        core::Duration round_trip;
    };
    struct Received {
        LinkId link;
        FrameType type;
        Bytes bytes;
    };

    LinkStation(boost::asio::io_context& context, std::string name, const ProjectKey& key,
                LinkLimits limits = quick_limits(), std::string address = "127.0.0.1")
        : context_(context), ring(std::make_shared<KeyRing>(key, core::WallTime{1000})) {
        config.station_name = std::move(name);
        config.project = "Plant";
        config.run_id = random_u64();
        config.listen = {{HostPort{std::move(address), 0}, false}};
        config.limits = limits;
    }

    // Takes the changes of `config` made so far.
    std::vector<std::string> start() {
        links = std::make_unique<Links>(context_, config, identity, ring, *this);
        return links->start();
    }
    [[nodiscard]] std::string address() const { return to_text(links->listening().at(0)); }
    DialId dial(const std::string& address) {
        const DialId id{++last_dial_};
        links->dial(id, address);
        return id;
    }

    void on_link_up(const LinkUpInfo& info) override {
        up.push_back(info);
        if (when_up) {
            when_up(info);
        }
    }
    void on_link_down(LinkId link, LinkFailure failure, const std::string& text) override {
        down.push_back({link, failure, text});
    }
    void on_dial_failed(DialId dial, LinkFailure failure, const std::string& text) override {
        failed.push_back({dial, failure, text});
    }
    void on_incoming_refused(const std::string& address, LinkFailure failure,
                             const std::string& text) override {
        refused.push_back({address, failure, text});
    }
    void on_engine_bytes(LinkId link, Bytes bytes) override {
        keep(link, FrameType::engine, std::move(bytes));
    }
    void on_host_bytes(LinkId link, Bytes bytes) override {
        keep(link, FrameType::host, std::move(bytes));
    }
    void on_transfer_bytes(LinkId link, Bytes bytes) override {
        keep(link, FrameType::transfer, std::move(bytes));
    }
    void on_block_bytes(LinkId link, Bytes bytes) override {
        block_bytes += bytes.size();
        keep(link, FrameType::block, std::move(bytes));
    }
    void on_writable(LinkId link) override {
        ++writable;
        if (when_writable) {
            when_writable(link);
        }
    }
    void on_time_measured(LinkId link, core::Duration offset, core::Duration round_trip) override {
        measured.push_back({link, offset, round_trip});
    }
    void on_link_alive(LinkId link) override { alive.push_back(link); }

private:
    void keep(LinkId link, FrameType type, Bytes bytes) {
        if (keep_bytes) {
            received.push_back({link, type, std::move(bytes)});
        } else {
            received.push_back({link, type, {}});
        }
    }
    boost::asio::io_context& context_;
    std::uint64_t last_dial_ = 0;

public:
    StationIdentity identity = StationIdentity::generate();
    std::shared_ptr<KeyRing> ring;
    LinksConfig config;
    bool keep_bytes = true;
    std::vector<LinkUpInfo> up;
    std::vector<Down> down;
    std::vector<Failed> failed;
    std::vector<Refused> refused;
    std::vector<Measured> measured;
    std::vector<Received> received;
    std::vector<LinkId> alive;
    int writable = 0;
    std::uint64_t block_bytes = 0;
    std::function<void(const LinkUpInfo&)> when_up;
    std::function<void(LinkId)> when_writable;
    std::unique_ptr<Links> links; // last: gone first
};

// Runs the engine thread until `done` holds; false after 40 seconds.
inline bool run_until(boost::asio::io_context& context, const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(40);
    while (!done()) {
        if (std::chrono::steady_clock::now() > deadline) {
            return false;
        }
        if (context.stopped()) {
            context.restart();
        }
        context.run_one_for(std::chrono::milliseconds(20));
    }
    return true;
}

inline Bytes bytes_of(std::string_view text) {
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}

} // namespace stationsync::host
