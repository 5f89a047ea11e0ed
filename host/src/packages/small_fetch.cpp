#include "packages/small_fetch.hpp"

#include "base/fault_points.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace stationsync::host {
namespace {

// Runs on a worker thread as part of a group: decodes, verifies, finds the place.
IoResult<void> prepare(PendingPackage& package, const PackageDirectory& packages,
                       const PackageName& name, BlockEncoding encoding,
                       const std::vector<std::byte>& payload, bool& content_wrong) {
    std::vector<std::byte> content(static_cast<std::size_t>(package.description.package.bytes));
    if (!decode_block(encoding, payload, {}, content) ||
        to_digest(sha256(content)) != package.description.package.digest) {
        content_wrong = true;
        return IoError{IoErrorKind::other, "sent bytes that do not match the package's digest"};
    }
    auto slot = packages.reserve(name, package.description.package.digest);
    if (!slot) {
        return slot.error();
    }
    package.slot = std::move(*slot);
    package.content = std::move(content);
    return {};
}

} // namespace

void SmallFetch::start() {
    started_ = true;
    sources_.assign(request_.sources.begin(), request_.sources.end());
    if (request_.package.bytes == 0) {
        commit({}, BlockEncoding::raw); // nothing to ask for
        return;
    }
    ask_next();
}

void SmallFetch::ask_next() {
    if (sources_.empty()) {
        ended_ = true;
        context_.failed(*this, FetchFailure::no_source,
                        last_failure_.empty() ? "no station that has the package is connected"
                                              : last_failure_);
        return;
    }
    source_ = sources_.front();
    sources_.pop_front();
    channel_ = context_.new_channel(source_, *this);
    asked_at_us_ = monotonic_now_us();
    context_.outbox.send(source_, TransferLane::control,
                         OpenMessage{channel_, object(), package(), {}}, object().provider);
}

void SmallFetch::drop_source(const std::string& text) {
    const core::StationId failed = source_;
    last_failure_ = text;
    close_channel();
    context_.host.fetch_source_failed(request_.id, failed, text);
    if (!ended_) {
        ask_next();
    }
}

void SmallFetch::set_sources(const std::vector<core::StationId>& sources) {
    if (!started_) {
        request_.sources = sources;
        return;
    }
    sources_.clear();
    for (const core::StationId& source : sources) {
        if (channel_ == 0 || source != source_) {
            sources_.push_back(source);
        }
    }
    const bool asked_is_left = std::find(sources.begin(), sources.end(), source_) != sources.end();
    if (channel_ != 0 && !asked_is_left) {
        close_channel();
        ask_next();
    }
}

void SmallFetch::on_message(const core::StationId&, TransferMessage& message) {
    asked_at_us_ = monotonic_now_us(); // it is still there
    if (auto* const block = std::get_if<BlockMessage>(&message)) {
        close_channel();
        commit(std::move(block->payload), block->encoding);
    } else if (const auto* const cannot = std::get_if<CannotMessage>(&message)) {
        if (cannot->reason == CannotReason::lost && ++lost_in_a_row_ <= lost_in_a_row_max) {
            ask_again();
        } else {
            drop_source(cannot->text);
        }
    }
}

void SmallFetch::commit(std::vector<std::byte> payload, BlockEncoding encoding) {
    const auto content_wrong = std::make_shared<bool>(false);
    context_.commits.add(
        PendingPackage{{}, description(), std::nullopt},
        [packages = context_.packages, name = request_.name, encoding, payload = std::move(payload),
         content_wrong](PendingPackage& package) {
            return prepare(package, packages, name, encoding, payload, *content_wrong);
        },
        [weak = weak_from_this(), content_wrong](const IoResult<std::filesystem::path>& result) {
            if (const auto self = std::static_pointer_cast<SmallFetch>(weak.lock())) {
                self->on_committed(result, *content_wrong);
            }
        });
}

void SmallFetch::on_committed(const IoResult<std::filesystem::path>& result, bool content_wrong) {
    if (ended_) {
        return;
    }
    if (result) {
        ended_ = true;
        STSYNC_FAULT_POINT("fetch.small_committed");
        context_.finished(*this, FinishedFetch{*result, bytes_received_, false});
    } else if (content_wrong && request_.package.bytes > 0) {
        drop_source(result.error().text);
    } else {
        ended_ = true;
        context_.failed(*this, content_wrong ? FetchFailure::corrupt : failure_of(result.error()),
                        result.error().text);
    }
}

void SmallFetch::on_source_gone(const core::StationId& source) {
    std::erase(sources_, source);
    if (channel_ != 0 && source == source_) {
        drop_source("the link to the source was lost");
    }
}

void SmallFetch::on_link_lost(const core::StationId& source) {
    if (channel_ != 0 && source == source_) {
        ask_again();
    }
}

// The same source: what was on its way is lost.
void SmallFetch::ask_again() {
    context_.outbox.send(source_, TransferLane::control, CloseMessage{channel_}, object().provider);
    close_channel();
    sources_.push_front(source_);
    ask_next();
}

void SmallFetch::tick(std::int64_t now_us) {
    if (channel_ != 0 && now_us - asked_at_us_ > context_.options.give_up_us) {
        drop_source("the source does not answer");
    }
}

void SmallFetch::close_channel() {
    if (channel_ != 0) {
        context_.drop_channel(source_, std::exchange(channel_, 0));
    }
}

void SmallFetch::stop(bool) {
    ended_ = true;
    if (channel_ != 0) {
        context_.outbox.send(source_, TransferLane::control, CloseMessage{channel_},
                             object().provider);
        close_channel();
    }
}

} // namespace stationsync::host
