#include "interfaces_windows.hpp"

#include "network.hpp"

#include <winsock2.h>
#include <ws2tcpip.h>

#include <iphlpapi.h>
#include <netioapi.h>

#include <cstring>

namespace stationsync::discovery_wsd {

namespace {

std::string utf8_of(const wchar_t* text) {
    const int count = WideCharToMultiByte(CP_UTF8, 0, text, -1, nullptr, 0, nullptr, nullptr);
    if (count <= 1)
        return {};
    std::string result(static_cast<std::size_t>(count), '\0');
    WideCharToMultiByte(CP_UTF8, 0, text, -1, result.data(), count, nullptr, nullptr);
    result.pop_back(); // the terminating zero
    return result;
}

InterfaceAddress address_of(const IP_ADAPTER_UNICAST_ADDRESS& entry) {
    InterfaceAddress address;
    if (entry.Address.lpSockaddr->sa_family == AF_INET) {
        sockaddr_in raw{};
        std::memcpy(&raw, entry.Address.lpSockaddr, sizeof raw);
        std::memcpy(address.network.address.bytes.data(), &raw.sin_addr, 4);
    } else {
        sockaddr_in6 raw{};
        std::memcpy(&raw, entry.Address.lpSockaddr, sizeof raw);
        address.network.address.family = Family::v6;
        std::memcpy(address.network.address.bytes.data(), &raw.sin6_addr, 16);
    }
    address.network.bits = entry.OnLinkPrefixLength;
    address.is_ready =
        entry.DadState == IpDadStatePreferred || entry.DadState == IpDadStateDeprecated;
    address.is_preferred =
        entry.DadState == IpDadStatePreferred && entry.SuffixOrigin != IpSuffixOriginRandom;
    return address;
}

} // namespace

struct InterfaceWatch::State {
    std::function<void()> changed;
    HANDLE interfaces = nullptr;
    HANDLE addresses = nullptr;

    static void WINAPI on_interface(void* context, MIB_IPINTERFACE_ROW*,
                                    MIB_NOTIFICATION_TYPE) noexcept {
        static_cast<State*>(context)->changed();
    }
    static void WINAPI on_address(void* context, MIB_UNICASTIPADDRESS_ROW*,
                                  MIB_NOTIFICATION_TYPE) noexcept {
        static_cast<State*>(context)->changed();
    }
};

// Where the system refuses, the interfaces are still looked at from time to time.
InterfaceWatch::InterfaceWatch(std::function<void()> changed) : state_(std::make_unique<State>()) {
    state_->changed = std::move(changed);
    NotifyIpInterfaceChange(AF_UNSPEC, &State::on_interface, state_.get(), FALSE,
                            &state_->interfaces);
    NotifyUnicastIpAddressChange(AF_UNSPEC, &State::on_address, state_.get(), FALSE,
                                 &state_->addresses);
}

// Waits for calls under way.
InterfaceWatch::~InterfaceWatch() {
    if (state_->interfaces != nullptr)
        CancelMibChangeNotify2(state_->interfaces);
    if (state_->addresses != nullptr)
        CancelMibChangeNotify2(state_->addresses);
}

std::vector<Interface> list_interfaces() {
    constexpr ULONG flags =
        GAA_FLAG_SKIP_ANYCAST | GAA_FLAG_SKIP_MULTICAST | GAA_FLAG_SKIP_DNS_SERVER;
    ULONG size = 32768;
    std::vector<std::uint64_t> buffer;
    ULONG result = ERROR_BUFFER_OVERFLOW;
    IP_ADAPTER_ADDRESSES* first = nullptr;
    for (int attempt = 0; attempt < 4 && result == ERROR_BUFFER_OVERFLOW; ++attempt) {
        buffer.assign(size / sizeof(std::uint64_t) + 1, 0);
        first = reinterpret_cast<IP_ADAPTER_ADDRESSES*>(buffer.data());
        result = GetAdaptersAddresses(AF_UNSPEC, flags, nullptr, first, &size);
    }
    if (result == ERROR_NO_DATA)
        return {};
    if (result != ERROR_SUCCESS)
        throw NetworkError("The network interfaces cannot be listed: error " +
                           std::to_string(result) + ".");
    std::vector<Interface> interfaces;
    for (const IP_ADAPTER_ADDRESSES* each = first; each != nullptr; each = each->Next) {
        Interface found; // `interface` is a macro of the system
        found.index = each->IfIndex != 0 ? each->IfIndex : each->Ipv6IfIndex;
        found.name = utf8_of(each->FriendlyName);
        found.is_up = each->OperStatus == IfOperStatusUp;
        found.is_loopback = each->IfType == IF_TYPE_SOFTWARE_LOOPBACK;
        found.is_point_to_point = each->IfType == IF_TYPE_PPP || each->IfType == IF_TYPE_TUNNEL;
        found.has_multicast = (each->Flags & IP_ADAPTER_NO_MULTICAST) == 0;
        for (const IP_ADAPTER_UNICAST_ADDRESS* address = each->FirstUnicastAddress;
             address != nullptr; address = address->Next)
            found.addresses.push_back(address_of(*address));
        interfaces.push_back(std::move(found));
    }
    return interfaces;
}

} // namespace stationsync::discovery_wsd
