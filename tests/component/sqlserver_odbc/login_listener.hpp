// A TDS server that reads what a client logs in with, and refuses it: enough to see what a driver
// makes of a connection string.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace stationsync::test {

struct SeenLogin {
    std::uint32_t tds_version = 0;
    std::string user;
    std::string password;
    std::string application;
    std::string database;
};

class LoginListener {
public:
    enum class Manner : std::uint8_t {
        refuse,  // 18456 after reading the login
        hang_up, // at the first packet
    };

    explicit LoginListener(Manner manner);
    LoginListener(const LoginListener&) = delete;
    LoginListener& operator=(const LoginListener&) = delete;
    ~LoginListener();

    std::uint16_t port() const noexcept { return port_; }
    std::vector<SeenLogin> logins() const;
    // Types of all packets so far, in order.
    std::vector<std::uint8_t> packets() const;

private:
    void serve();
    void serve_client(int client);
    // The content of a whole message; empty when the client has gone.
    std::string read_message(int client);

    Manner manner_;
    int socket_ = -1;
    std::uint16_t port_ = 0;
    mutable std::mutex mutex_;
    std::vector<SeenLogin> logins_;
    std::vector<std::uint8_t> packets_;
    std::thread thread_;
};

} // namespace stationsync::test
