// Profiles, verdicts and time differences: which station may exchange data with us.
#include "stations_impl.hpp"

#include <algorithm>

namespace stationsync::core {

namespace {

constexpr char rejected_message[] = "station-rejected";
constexpr char skipped_message[] = "provider-skipped";
constexpr std::size_t providers_max = 1024;

std::string clone_text(const std::string& name) {
    return "Two computers run with the identity of station \"" + name + "\": one disk is a copy";
}

} // namespace

std::string shown_text(std::string_view text, std::size_t bytes_max) {
    std::string shown(text.substr(0, bytes_max));
    if (shown.size() < text.size()) { // no half character at the cut
        while (!shown.empty() && (static_cast<unsigned char>(shown.back()) & 0xc0) == 0x80)
            shown.pop_back();
        if (!shown.empty() && static_cast<unsigned char>(shown.back()) >= 0xc0)
            shown.pop_back();
    }
    for (char& character : shown)
        if (static_cast<unsigned char>(character) < 0x20 || character == 0x7f)
            character = ' ';
    return shown;
}

Told* Stations::Impl::told_on(LinkId id, Link*& link) {
    link = find_link(id);
    if (link == nullptr)
        return nullptr;
    Peer* peer = find(link->station);
    if (peer == nullptr)
        return nullptr;
    const auto run = peer->runs.find(link->run_id);
    return run == peer->runs.end() ? nullptr : &run->second;
}

void Stations::Impl::on_profile(LinkId id, const Profile& message) {
    Link* link = nullptr;
    Told* told = told_on(id, link);
    if (link == nullptr)
        return;
    timers.cancel({TimerKind::profile, link->station, id});
    if (message.station != link->station) {
        close(id, "its profile names another station than the one that it proved to be");
        return;
    }
    if (told == nullptr)
        return; // a clone of ourselves
    if (message.providers.size() > providers_max) {
        close(id, "its profile names too many providers");
        return;
    }
    Profile profile = message;
    profile.station_name = shown_text(message.station_name);
    auto& providers = profile.providers;
    const auto by_name = [](const ProviderProfile& a, const ProviderProfile& b) {
        return a.name < b.name;
    };
    std::stable_sort(providers.begin(), providers.end(), by_name);
    const auto same_name = [](const ProviderProfile& a, const ProviderProfile& b) {
        return a.name == b.name;
    };
    providers.erase(std::unique(providers.begin(), providers.end(), same_name), providers.end());
    for (ProviderProfile& provider : providers)
        std::sort(provider.tokens.begin(), provider.tokens.end());
    Peer& peer = *find(link->station);
    told->profile = std::move(profile);
    remember_run(peer, {});
    judge(peer);
}

void Stations::Impl::clock_measured(const ClockMeasured& event) {
    Link* link = find_link(event.link);
    Peer* peer = link == nullptr ? nullptr : find(link->station);
    if (peer == nullptr)
        return;
    link->offset = event.offset;
    link->uncertainty = event.uncertainty;
    judge(*peer);
}

void Stations::Impl::refresh_profile() {
    // What it says of us being established must not be known to others before it is durable.
    for (const auto& [id, link] : links)
        context.out.after_durable(SendMessage{id, own});
    judge_all();
}

void Stations::Impl::judge_all() {
    for (auto& [id, peer] : peers)
        if (!peer.links.empty())
            judge(peer);
}

// The best of the measurements on the peer's links, told to the peer, and the judgement of both.
void Stations::Impl::update_clock(Peer& peer, const Told& told) {
    const Link* best = nullptr;
    for (const Link* link : active_links(peer))
        if (link->offset && (best == nullptr || link->uncertainty < best->uncertainty))
            best = link;
    if (best != nullptr)
        peer.uncertainty = best->uncertainty;
    if (best != nullptr && peer.offset_sent != best->offset) {
        peer.offset_sent = best->offset;
        peer.clock.measured(*best->offset);
        send(peer, TimeReport{*best->offset, best->uncertainty});
    }
    if (told.time_offset)
        peer.clock.reported(*told.time_offset);
    std::optional<bool> passed;
    if (told.verdicts)
        if (const TokenVerdict* verdict = find_verdict(told.verdicts->verdicts, time_verdict))
            passed = verdict->compatible;
    peer.clock.told(passed);
    peer.clock.judge(context.config.limits);
}

// Grows also when the engine is restarted in the same process: peers know it by its run.
std::uint64_t Stations::Impl::next_verdicts() {
    const std::int64_t now = context.instant().us;
    verdicts_made =
        std::max(verdicts_made + 1, static_cast<std::uint64_t>(std::max<std::int64_t>(now, 0)));
    return verdicts_made;
}

Verdicts Stations::Impl::make_verdicts(Peer& peer, const Profile& theirs, bool& pending) {
    Verdicts message;
    if (peer.clock.known())
        message.verdicts.push_back({std::string(time_verdict), peer.clock.passed_here(), {}});
    if (!own_clones.empty())
        message.verdicts.push_back(
            {std::string(clone_verdict), false, clone_text(context.config.station_name)});
    for (const ProviderProfile& provider : own.providers) {
        const ProviderProfile* other = find_provider(theirs, provider.name);
        if (other == nullptr || !provider.known || !other->known ||
            other->plugin != provider.plugin)
            continue;
        const std::optional<TokenJudge::Verdict> verdict =
            token_judge.ask(provider.name, other->tokens);
        if (verdict)
            message.verdicts.push_back(
                {provider.name, verdict->compatible, shown_text(verdict->text)});
        else
            pending = true;
    }
    return message;
}

void Stations::Impl::judge(Peer& peer) {
    if (!peer.active && !peer.cloned) {
        conclude(peer, {}, false);
        return;
    }
    if (peer.cloned) {
        judge_clone(peer);
        return;
    }
    const Told& told = peer.runs.at(*peer.active);
    update_clock(peer, told);
    if (!told.profile) {
        conclude(peer, {}, false);
        return;
    }
    bool pending = false;
    Verdicts verdicts = make_verdicts(peer, *told.profile, pending);
    const TimerKey waits{TimerKind::verdict, peer.id, {}};
    if (!pending) {
        peer.verdict_overdue = false;
        timers.cancel(waits);
    } else if (!peer.verdict_overdue) {
        timers.set_if_none(waits, context.instant() + verdict_wait_max);
    }
    const bool is_news = !peer.verdicts_sent || peer.verdicts_sent->verdicts != verdicts.verdicts;
    if ((!pending || peer.verdict_overdue) && is_news) {
        verdicts.number = next_verdicts();
        send(peer, verdicts);
        peer.verdicts_sent = std::move(verdicts);
    }
    std::span<const TokenVerdict> by_us;
    std::span<const TokenVerdict> by_them;
    if (peer.verdicts_sent)
        by_us = peer.verdicts_sent->verdicts;
    if (told.verdicts)
        by_them = told.verdicts->verdicts;
    const PairTime time{peer.clock.failed(), peer.clock.ours(), peer.clock.theirs(),
                        peer.clock.difference()};
    Compatibility result =
        evaluate({&own, by_us}, {&*told.profile, by_them}, time, context.config.limits);
    if (!own_clones.empty())
        result.checks.push_back(clone_check(clone_text(context.config.station_name)));
    else if (const TokenVerdict* clone = find_verdict(by_them, clone_verdict))
        result.checks.push_back(clone_check(clone->text));
    const bool complete = peer.verdicts_sent && told.verdicts && peer.clock.passed();
    conclude(peer, std::move(result), complete);
}

// Both processes are told why nobody talks to them.
void Stations::Impl::judge_clone(Peer& peer) {
    std::string const text = clone_text(name_of(peer.id));
    Verdicts verdicts{{{std::string(clone_verdict), false, text}}};
    if (!peer.verdicts_sent || peer.verdicts_sent->verdicts != verdicts.verdicts) {
        verdicts.number = next_verdicts();
        for (const LinkId id : peer.links)
            context.out.now(SendMessage{id, verdicts});
        peer.verdicts_sent = verdicts;
    }
    Compatibility result;
    result.checks.push_back(clone_check(text));
    conclude(peer, std::move(result), false);
}

void Stations::Impl::conclude(Peer& peer, Compatibility result, bool complete) {
    const bool rejected = !is_compatible(result.checks);
    const bool open = complete && !rejected;
    if (rejected != peer.rejected || open != peer.open || result.checks != peer.checks)
        changed(peer);
    peer.checks = std::move(result.checks);
    peer.rejected = rejected;
    if (open && !peer.open) {
        peer.open = true;
        peer.session_link = *preferred_link(peer);
        ++peer.session;
    } else if (!open && peer.open) {
        end_session(peer);
    }
    std::set<std::string> providers;
    if (open)
        providers = std::move(result.open_providers);
    if (providers != peer.open_providers) {
        peer.open_providers = std::move(providers);
        changed(peer);
    }
    const TimerKey again{TimerKind::rejudge, peer.id, {}};
    if (rejected)
        timers.set_if_none(again, context.instant() + rejudge_interval);
    else
        timers.cancel(again);
    tell_rejection(peer);
    tell_skipped(peer);
}

// What is told anew when it changes; the clocks' difference changes all the time.
std::string Stations::Impl::told_of(const CheckResult& check) {
    const bool is_time = check.check == "time";
    return check.check + (is_time ? "" : '=' + check.text) + ' ';
}

// Also when the pair exchanges everything else: somebody expects that provider to be in step.
void Stations::Impl::tell_skipped(Peer& peer) {
    std::string failed;
    std::string text;
    std::string remedy;
    for (const CheckResult& check : peer.checks) {
        if (check.passed || !check.skipped || peer.rejected)
            continue;
        failed += told_of(check);
        text += (text.empty() ? "" : "; ") + check.text;
        remedy = check.remedy;
    }
    if (failed == peer.told_skipped)
        return;
    peer.told_skipped = failed;
    if (failed.empty())
        context.out.now(ClearMessage{skipped_message, to_text(peer.id)});
    else
        context.out.now(
            make_message(skipped_message, to_text(peer.id), {{"text", text}, {"remedy", remedy}}));
}

void Stations::Impl::tell_rejection(Peer& peer) {
    std::string failed;
    std::string text;
    std::string remedy;
    for (const CheckResult& check : peer.checks) {
        // A clone has a message of its own.
        if (check.passed || check.suspends_only || check.check == "clone")
            continue;
        if (failed.empty())
            remedy = check.remedy;
        failed += told_of(check);
        text += (text.empty() ? "" : "; ") + check.text;
    }
    if (failed == peer.told_rejection)
        return;
    peer.told_rejection = failed;
    if (failed.empty())
        context.out.now(ClearMessage{rejected_message, to_text(peer.id)});
    else
        context.out.now(
            make_message(rejected_message, to_text(peer.id),
                         {{"station", name_of(peer.id)}, {"text", text}, {"remedy", remedy}}));
}

} // namespace stationsync::core
