#include "net/dial_attempt.hpp"

#include "base/clock.hpp"
#include "net/link_text.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>

namespace stationsync::host {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t endpoints_max = 8;
constexpr std::size_t cache_max = 256;
constexpr std::uint16_t default_port = 8883;

// The further an attempt got, the more its failure tells.
int telling(LinkFailure failure) {
    switch (failure) {
    case LinkFailure::is_self:
        return 9;
    case LinkFailure::clone:
        return 8;
    case LinkFailure::wrong_key:
        return 7;
    case LinkFailure::refused:
        return 3;
    case LinkFailure::timeout:
        return 2;
    case LinkFailure::unreachable:
        return 1;
    case LinkFailure::local:
    case LinkFailure::name:
        return 0;
    default:
        return 5; // reached, and something answered
    }
}

LinkFailure classify(const error_code& error) {
    if (error == asio::error::connection_refused || error == asio::error::connection_reset) {
        return LinkFailure::refused;
    }
    if (error == asio::error::timed_out) {
        return LinkFailure::timeout;
    }
    if (error == asio::error::host_unreachable || error == asio::error::network_unreachable ||
        error == asio::error::network_down) {
        return LinkFailure::unreachable;
    }
    return LinkFailure::local;
}

} // namespace

DialAttempt::DialAttempt(asio::io_context& context, Options options, Owner& owner,
                         ResolveCache& cache)
    : options_(std::move(options)),
      owner_(&owner),
      cache_(cache),
      resolver_(context),
      socket_(context),
      timer_(context) {}

void DialAttempt::start() {
    deadline_ = core::Instant{monotonic_now_us()} + options_.limits.dial_timeout;
    // Posted, so that no failure is reported from inside dial().
    asio::post(timer_.get_executor(), [self = shared_from_this()] {
        if (self->owner_ != nullptr) {
            self->resolve();
        }
    });
}

void DialAttempt::cancel() {
    owner_ = nullptr;
    timer_.cancel();
    resolver_.cancel();
    error_code ignored;
    socket_.close(ignored);
}

bool DialAttempt::is_overdue() const {
    return core::Instant{monotonic_now_us()} >= deadline_;
}

void DialAttempt::note(LinkFailure failure, std::string text) {
    if (!worst_ || telling(failure) > telling(worst_->first)) {
        worst_.emplace(failure, std::move(text));
    }
}

void DialAttempt::note_error(const error_code& error) {
    const LinkFailure failure = classify(error);
    note(failure, dial_text(failure, options_.address, error.message()));
}

void DialAttempt::set_timer(core::Duration timeout) {
    waiting_ = true;
    timer_.expires_after(timeout);
    timer_.async_wait([self = shared_from_this()](const error_code& error) {
        // A wait that was over before it could be cancelled finds waiting_ false, or a later
        // expiry.
        if (error || !self->waiting_ || self->owner_ == nullptr ||
            self->timer_.expiry() > asio::steady_timer::clock_type::now()) {
            return;
        }
        self->waiting_ = false;
        if (self->endpoints_.empty()) {
            self->resolver_.cancel();
            self->on_resolved(asio::error::timed_out, {});
        } else {
            error_code ignored;
            self->socket_.close(ignored);
            self->note_error(asio::error::timed_out);
            ++self->next_endpoint_;
            self->try_next();
        }
    });
}

void DialAttempt::resolve() {
    const auto target = parse_host_port(options_.address, default_port);
    if (!target || options_.keys.empty()) {
        note(LinkFailure::name,
             dial_text(LinkFailure::name, options_.address, "it is not HOST:PORT"));
        return try_next();
    }
    target_ = *target;
    error_code is_name;
    const auto ip = asio::ip::make_address(target_.host, is_name);
    if (!is_name) {
        endpoints_.emplace_back(ip, target_.port);
        return try_next();
    }
    set_timer(options_.limits.connect_timeout);
    resolver_.async_resolve(target_.host, std::to_string(target_.port),
                            [self = shared_from_this()](const error_code& error,
                                                        const tcp::resolver::results_type& found) {
                                // Late answers, after the timer, are of no use any more.
                                if (self->owner_ != nullptr && self->waiting_) {
                                    self->waiting_ = false;
                                    self->on_resolved(error, found);
                                }
                            });
}

void DialAttempt::on_resolved(const error_code& error, const tcp::resolver::results_type& results) {
    timer_.cancel();
    std::vector<asio::ip::address> addresses;
    for (const auto& entry : results) {
        const auto ip = entry.endpoint().address();
        if (addresses.size() < endpoints_max &&
            std::find(addresses.begin(), addresses.end(), ip) == addresses.end()) {
            addresses.push_back(ip);
        }
    }
    if (!addresses.empty() && (cache_.size() < cache_max || cache_.contains(target_.host))) {
        cache_[target_.host] = addresses;
    }
    if (addresses.empty()) {
        if (const auto known = cache_.find(target_.host); known != cache_.end()) {
            addresses = known->second;
        } else {
            const std::string reason = error == asio::error::timed_out
                                           ? "the name server does not answer"
                                           : error.message();
            note(LinkFailure::name, dial_text(LinkFailure::name, options_.address, reason));
        }
    }
    for (const auto& ip : addresses) {
        endpoints_.emplace_back(ip, target_.port);
    }
    try_next();
}

void DialAttempt::try_next() {
    if (owner_ == nullptr) {
        return;
    }
    if (next_endpoint_ < endpoints_.size() && !is_overdue()) {
        return connect();
    }
    if (!worst_) {
        note_error(asio::error::timed_out);
    }
    Owner* owner = std::exchange(owner_, nullptr);
    owner->on_attempt_failed(shared_from_this(), worst_->first, worst_->second);
}

void DialAttempt::bind_source(const asio::ip::address& target, error_code& error) {
    // Several stations on one computer are told apart by their loopback addresses.
    if (!target.is_loopback()) {
        return;
    }
    for (const auto& source : options_.sources) {
        if (source.is_loopback() && source.is_v4() == target.is_v4()) {
            socket_.bind(tcp::endpoint(source, 0), error);
            return;
        }
    }
}

void DialAttempt::connect() {
    const tcp::endpoint endpoint = endpoints_[next_endpoint_];
    error_code error;
    socket_.close(error);
    error.clear();
    socket_.open(endpoint.protocol(), error);
    if (!error) {
        bind_source(endpoint.address(), error);
    }
    if (error) {
        note_error(error);
        ++next_endpoint_;
        return try_next();
    }
    set_timer(options_.limits.connect_timeout);
    socket_.async_connect(
        endpoint, [self = shared_from_this(), tried = next_endpoint_](const error_code& failure) {
            if (self->owner_ == nullptr || !self->waiting_ || self->next_endpoint_ != tried) {
                return;
            }
            self->waiting_ = false;
            self->timer_.cancel();
            self->on_connected(failure);
        });
}

void DialAttempt::on_connected(const error_code& error) {
    error_code self_connected;
    if (!error &&
        socket_.local_endpoint(self_connected) == socket_.remote_endpoint(self_connected)) {
        // TCP can connect a port of the ephemeral range with itself.
        note_error(asio::error::connection_refused);
        ++next_endpoint_;
        return try_next();
    }
    if (error) {
        note_error(error);
        ++next_endpoint_;
        return try_next();
    }
    owner_->on_connected(shared_from_this(), std::move(socket_));
    socket_ = tcp::socket(timer_.get_executor());
}

void DialAttempt::handshake_failed(LinkFailure failure, const std::string& text) {
    if (owner_ == nullptr) {
        return;
    }
    note(failure, text);
    // Perhaps the peer has not heard of the last rotation, or is the one that rotated.
    if (failure == LinkFailure::wrong_key && next_key_ + 1 < options_.keys.size()) {
        ++next_key_;
    } else {
        next_key_ = 0;
        ++next_endpoint_;
    }
    try_next();
}

} // namespace stationsync::host
