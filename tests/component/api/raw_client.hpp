#pragma once
// A client that sends what the test wants, well-formed or not. Blocking, with time limits.

#include "config/endpoint.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <chrono>
#include <string>

namespace stationsync::test {

class RawClient {
public:
    explicit RawClient(const host::Endpoint& to) {
        socket_.connect({boost::asio::ip::make_address(to.address), to.port});
    }

    // False when the server closed the connection.
    bool send(const std::string& text) {
        boost::system::error_code error;
        boost::asio::write(socket_, boost::asio::buffer(text), error);
        return !error;
    }

    // Reads until the text received so far contains `wanted`; false when the connection ends or 20
    // s pass before.
    bool read_until(const std::string& wanted) {
        std::size_t searched = 0; // what was looked through is not looked through again
        return receive([&] {
            const bool found = received.find(wanted, searched) != std::string::npos;
            searched = received.size() - std::min(received.size(), wanted.size());
            return found;
        });
    }
    // Reads until the server closes; false after 20 s.
    bool read_to_end() {
        receive([] { return false; });
        return ended;
    }
    void close() { socket_.close(); }

    std::string received;
    bool ended = false; // by the server

private:
    template <class Enough>
    bool receive(Enough enough) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (!enough()) {
            boost::system::error_code failure = boost::asio::error::timed_out;
            std::size_t bytes = 0;
            socket_.async_read_some(boost::asio::buffer(chunk_),
                                    [&](boost::system::error_code error, std::size_t count) {
                                        failure = error;
                                        bytes = count;
                                    });
            context_.restart();
            context_.run_until(deadline);
            if (std::chrono::steady_clock::now() >= deadline) {
                socket_.cancel();
                context_.restart();
                context_.run();
                return false;
            }
            received.append(chunk_, bytes);
            if (failure) {
                ended = true;
                return enough();
            }
        }
        return true;
    }

    boost::asio::io_context context_;
    boost::asio::ip::tcp::socket socket_{context_};
    char chunk_[65536]{};
};

inline std::string request_text(const host::Endpoint& to, const std::string& line,
                                const std::string& token, const std::string& more = {},
                                const std::string& body = {}) {
    return line + " HTTP/1.1\r\nHost: " + to_text(to) + "\r\nAuthorization: Bearer " + token +
           "\r\n" + more + (body.empty() ? "" : "Content-Type: application/json\r\n") +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

} // namespace stationsync::test
