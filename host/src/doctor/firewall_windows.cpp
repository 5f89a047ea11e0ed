#include "doctor/firewall.hpp"

#include "base/path_text.hpp"

#include <windows.h>

#include <netfw.h>
#include <oleauto.h>

#include <filesystem>

namespace stationsync::host::doctor {
namespace {

template <class Interface>
class Com {
public:
    Com() = default;
    Com(const Com&) = delete;
    Com& operator=(const Com&) = delete;
    ~Com() {
        if (pointer_ != nullptr) {
            pointer_->Release();
        }
    }
    Interface** address() { return &pointer_; }
    Interface* operator->() const { return pointer_; }
    explicit operator bool() const { return pointer_ != nullptr; }

private:
    Interface* pointer_ = nullptr;
};

class Text {
public:
    Text() = default;
    Text(const Text&) = delete;
    Text& operator=(const Text&) = delete;
    ~Text() { SysFreeString(text_); }
    BSTR* address() { return &text_; }
    [[nodiscard]] std::wstring get() const {
        return text_ == nullptr ? std::wstring() : std::wstring(text_, SysStringLen(text_));
    }

private:
    BSTR text_ = nullptr;
};

// The apartment of this thread, left on every way out.
struct Apartment {
    HRESULT joined = CoInitializeEx(nullptr, COINIT_MULTITHREADED);
    Apartment() = default;
    Apartment(const Apartment&) = delete;
    Apartment& operator=(const Apartment&) = delete;
    ~Apartment() {
        if (SUCCEEDED(joined)) {
            CoUninitialize();
        }
    }
};

bool is_this_program(const std::wstring& program) {
    wchar_t own[32768];
    const auto size = GetModuleFileNameW(nullptr, own, 32768);
    return CompareStringOrdinal(program.c_str(), -1, std::wstring(own, size).c_str(), -1, TRUE) ==
           CSTR_EQUAL;
}

// "rule allow tcp 8883,9000-9010 any"; empty for a rule that does not concern a listener of ours.
std::string line_of(INetFwRule& rule, long profiles) {
    NET_FW_RULE_DIRECTION direction = NET_FW_RULE_DIR_OUT;
    VARIANT_BOOL enabled = VARIANT_FALSE;
    NET_FW_ACTION action = NET_FW_ACTION_BLOCK;
    long rule_profiles = 0;
    long protocol = 0;
    rule.get_Direction(&direction);
    rule.get_Enabled(&enabled);
    rule.get_Action(&action);
    rule.get_Profiles(&rule_profiles);
    rule.get_Protocol(&protocol);
    constexpr long any_protocol = 256;
    if (direction != NET_FW_RULE_DIR_IN || enabled == VARIANT_FALSE ||
        (rule_profiles & profiles) == 0 ||
        (protocol != NET_FW_IP_PROTOCOL_TCP && protocol != NET_FW_IP_PROTOCOL_UDP &&
         protocol != any_protocol)) {
        return {};
    }
    Text program;
    Text service;
    Text ports;
    Text senders;
    rule.get_ApplicationName(program.address());
    rule.get_ServiceName(service.address());
    rule.get_LocalPorts(ports.address());
    rule.get_RemoteAddresses(senders.address());
    if ((!program.get().empty() && !is_this_program(program.get())) || !service.get().empty()) {
        return {};
    }
    std::string port_list;
    for (const wchar_t c : ports.get()) {
        if (c != L' ') {
            port_list += c < 128 ? static_cast<char>(c) : '?';
        }
    }
    const bool all_ports = port_list.empty() || port_list == "*";
    const auto from = senders.get();
    return std::string("rule ") + (action == NET_FW_ACTION_BLOCK ? "block " : "allow ") +
           (protocol == NET_FW_IP_PROTOCOL_TCP   ? "tcp "
            : protocol == NET_FW_IP_PROTOCOL_UDP ? "udp "
                                                 : "any ") +
           (all_ports ? "any" : port_list) + (from.empty() || from == L"*" ? " any" : " some") +
           "\n";
}

bool list_rules(INetFwPolicy2& policy, long profiles, std::string& listing) {
    Com<INetFwRules> rules;
    Com<IUnknown> unknown;
    Com<IEnumVARIANT> all;
    if (FAILED(policy.get_Rules(rules.address())) ||
        FAILED(rules->get__NewEnum(unknown.address())) ||
        FAILED(unknown->QueryInterface(__uuidof(IEnumVARIANT),
                                       reinterpret_cast<void**>(all.address())))) {
        return false;
    }
    VARIANT each;
    VariantInit(&each);
    for (ULONG count = 0; all->Next(1, &each, &count) == S_OK && count == 1;) {
        Com<INetFwRule> rule;
        if (each.vt == VT_DISPATCH &&
            SUCCEEDED(each.pdispVal->QueryInterface(__uuidof(INetFwRule),
                                                    reinterpret_cast<void**>(rule.address())))) {
            listing += line_of(*rule.operator->(), profiles);
        }
        VariantClear(&each);
    }
    return true;
}

} // namespace

FirewallListing read_firewall() {
    FirewallListing listing;
    const Apartment apartment;
    Com<INetFwPolicy2> policy;
    if (FAILED(CoCreateInstance(__uuidof(NetFwPolicy2), nullptr, CLSCTX_INPROC_SERVER,
                                __uuidof(INetFwPolicy2),
                                reinterpret_cast<void**>(policy.address())))) {
        listing.trouble = "The rules of Windows Firewall cannot be read.";
        listing.trouble_remedy = "Start the service \"Windows Defender Firewall\", or look at the "
                                 "firewall that is used instead.";
        return listing;
    }
    long profiles = 0;
    policy->get_CurrentProfileTypes(&profiles);
    bool any_enabled = false;
    for (const auto profile :
         {NET_FW_PROFILE2_DOMAIN, NET_FW_PROFILE2_PRIVATE, NET_FW_PROFILE2_PUBLIC}) {
        VARIANT_BOOL enabled = VARIANT_FALSE;
        NET_FW_ACTION action = NET_FW_ACTION_BLOCK;
        if ((profiles & profile) == 0) {
            continue;
        }
        policy->get_FirewallEnabled(profile, &enabled);
        policy->get_DefaultInboundAction(profile, &action);
        any_enabled = any_enabled || enabled != VARIANT_FALSE;
        listing.rules += enabled != VARIANT_FALSE && action == NET_FW_ACTION_BLOCK
                             ? "profile block\n"
                             : "profile allow\n";
    }
    if (!any_enabled) {
        return {};
    }
    listing.tool = FirewallTool::windows;
    if (!list_rules(*policy.operator->(), profiles, listing.rules)) {
        listing = {};
        listing.trouble = "The rules of Windows Firewall cannot be listed.";
        listing.trouble_remedy = "Run the command as administrator.";
    }
    return listing;
}

} // namespace stationsync::host::doctor
