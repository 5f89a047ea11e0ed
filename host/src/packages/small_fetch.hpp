// Fetches a package of at most one block: one question, one answer, no part that is continued.
#pragma once

#include "packages/fetch_base.hpp"

#include <deque>

namespace stationsync::host {

class SmallFetch final : public Fetch {
public:
    using Fetch::Fetch;

    void start() override;
    void set_sources(const std::vector<core::StationId>& sources) override;
    void on_message(const core::StationId& source, TransferMessage& message) override;
    void on_source_gone(const core::StationId& source) override;
    void on_link_lost(const core::StationId& source) override;
    void tick(std::int64_t now_us) override;
    void stop(bool remove) override;
    [[nodiscard]] std::uint64_t bytes_in_flight() const override { return request_.package.bytes; }

private:
    void ask_next();
    void ask_again();
    void drop_source(const std::string& text);
    void commit(std::vector<std::byte> payload, BlockEncoding encoding);
    void on_committed(const IoResult<std::filesystem::path>& result, bool content_wrong);
    void close_channel();

    std::deque<core::StationId> sources_; // not yet asked
    core::StationId source_;              // being asked
    ChannelId channel_ = 0;               // 0: none
    std::int64_t asked_at_us_ = 0;
    std::uint32_t lost_in_a_row_ = 0;
    std::string last_failure_;
    bool started_ = false;
    bool ended_ = false;
};

} // namespace stationsync::host
