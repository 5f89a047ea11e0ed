#include "base/program.hpp"
#include "doctor/firewall.hpp"
#include "doctor/text_of.hpp"

#include <unistd.h>

namespace stationsync::host::doctor {
namespace {

constexpr std::chrono::seconds patience{5};

FirewallListing without_rights(const std::string& tool) {
    FirewallListing listing;
    listing.trouble = "The rules of the firewall (" + tool + ") cannot be read by this account.";
    listing.trouble_remedy = "Run the command as root: sudo stationsync doctor";
    return listing;
}

FirewallListing failed(const std::string& tool, const ProgramRun& run) {
    FirewallListing listing;
    const bool late = run.end == ProgramRun::End::timed_out;
    listing.trouble = "The rules of the firewall cannot be read: " + tool +
                      (late ? " did not answer within 5 seconds."
                            : " ended with " + std::to_string(run.code) + ": " +
                                  run.err.substr(0, run.err.find('\n')));
    listing.trouble_remedy = "Look at the firewall by hand.";
    return listing;
}

// The old interface of the kernel, which nft does not list.
bool has_old_tables() {
    return text_of("/proc/net/ip_tables_names").find("filter") != std::string::npos ||
           text_of("/proc/net/ip6_tables_names").find("filter") != std::string::npos;
}

// Whichever of the two programs is there: where only the old interface exists it has no suffix.
void read_old_tables(FirewallListing& listing) {
    for (const std::string which : {"-legacy", ""}) {
        const auto v4 = run_external({"iptables" + which, "-S"}, patience);
        if (v4.succeeded()) {
            listing.old_rules = v4.out;
            listing.old_rules_v6 = run_external({"ip6tables" + which, "-S"}, patience).out;
            listing.old_program = "iptables" + which;
            return;
        }
        if (v4.end != ProgramRun::End::not_found) {
            listing = failed("iptables" + which, v4);
            return;
        }
    }
    listing = {};
    listing.trouble = "The kernel has rules of iptables, but there is no iptables to list them.";
    listing.trouble_remedy = "Install iptables, or look at the firewall by hand.";
}

FirewallListing read_iptables() {
    const auto v4 = run_external({"iptables", "-S"}, patience);
    const auto v6 = run_external({"ip6tables", "-S"}, patience);
    FirewallListing listing;
    if (v4.succeeded()) {
        listing.tool = FirewallTool::iptables;
        listing.rules = v4.out;
        listing.rules_v6 = v6.out;
    } else if (v4.end != ProgramRun::End::not_found) {
        listing = failed("iptables", v4);
    }
    return listing;
}

FirewallListing listing_of(FirewallTool tool, const std::string& rules) {
    FirewallListing listing;
    listing.tool = tool;
    listing.rules = rules;
    return listing;
}

FirewallListing read_zones() {
    const auto zones = run_external({"firewall-cmd", "--list-all-zones"}, patience);
    if (!zones.succeeded()) {
        return ::geteuid() == 0 ? failed("firewall-cmd", zones) : without_rights("firewalld");
    }
    auto listing = listing_of(FirewallTool::firewalld, zones.out);
    const auto zone = run_external({"firewall-cmd", "--get-default-zone"}, patience);
    listing.default_zone = zone.out.substr(0, zone.out.find('\n'));
    return listing;
}

} // namespace

// The tool that writes the rules comes before those that only show what it wrote.
FirewallListing read_firewall() {
    const bool is_root = ::geteuid() == 0;
    if (run_external({"firewall-cmd", "--state"}, patience).succeeded()) {
        return read_zones();
    }
    const auto ufw = run_external({"ufw", "status", "verbose"}, patience);
    if (ufw.succeeded() && ufw.out.find("Status: active") != std::string::npos) {
        return listing_of(FirewallTool::ufw, ufw.out);
    }
    const auto nft = run_external({"nft", "list", "ruleset"}, patience);
    if (nft.end == ProgramRun::End::ended && !is_root && (!nft.succeeded() || nft.out.empty())) {
        return without_rights("nftables");
    }
    if (nft.end != ProgramRun::End::not_found && !nft.succeeded()) {
        return failed("nft", nft);
    }
    if (!is_root && !nft.succeeded()) {
        return without_rights("iptables");
    }
    const bool has_old = has_old_tables();
    auto listing = FirewallListing{};
    if (nft.succeeded()) {
        listing = listing_of(FirewallTool::nftables, nft.out);
    } else if (!has_old) {
        listing = read_iptables();
    } else {
        listing.tool = FirewallTool::iptables; // all of its rules are the old ones
    }
    if (has_old && listing.trouble.empty()) {
        read_old_tables(listing);
    }
    return listing;
}

} // namespace stationsync::host::doctor
