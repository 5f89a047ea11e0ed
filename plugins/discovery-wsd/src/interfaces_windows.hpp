// Interfaces and their changes, from the IP Helper library.
#pragma once

#include "channel.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace stationsync::discovery_wsd {

// Calls `changed`, on a thread of the system, while it lives.
class InterfaceWatch {
public:
    explicit InterfaceWatch(std::function<void()> changed);
    ~InterfaceWatch();
    InterfaceWatch(const InterfaceWatch&) = delete;
    InterfaceWatch& operator=(const InterfaceWatch&) = delete;

private:
    struct State;
    std::unique_ptr<State> state_;
};

// Throws NetworkError.
std::vector<Interface> list_interfaces();

} // namespace stationsync::discovery_wsd
