#include "change_watch.hpp"

#include "server_link.hpp"

namespace stationsync::sqlserver {

ChangeWatch::ChangeWatch(sdk::Host host, SqlServer& server, const ProviderSettings& settings,
                         BaselineStore& baselines,
                         std::function<std::vector<std::string>()> broken_off, sdk::WatchSink sink)
    : host_(host),
      server_(server),
      settings_(settings),
      baselines_(baselines),
      broken_off_(std::move(broken_off)),
      sink_(sink),
      thread_([this] { run(); }) {}

ChangeWatch::~ChangeWatch() {
    {
        const std::lock_guard lock(mutex_);
        is_stopping_ = true;
        stop_.stop();
        if (session_)
            session_->cancel();
    }
    wake_.notify_all();
    thread_.join();
}

void ChangeWatch::run() {
    std::unique_lock lock(mutex_);
    while (!is_stopping_) {
        lock.unlock();
        try {
            look();
        } catch (const sdk::Cancelled&) {
            return;
        } catch (const std::exception&) {
            // The scans say what is wrong with the server; here the next look tries again.
            const std::lock_guard relock(mutex_);
            session_.reset();
        }
        lock.lock();
        wake_.wait_for(lock, settings_.poll_interval, [this] { return is_stopping_; });
    }
    session_.reset();
}

void ChangeWatch::look() {
    for (const std::string& key : broken_off_())
        sink_.changed(key);
    if (!session_ || !session_->is_usable()) {
        std::unique_ptr<SqlSession> session = open_session(server_, SessionRole::look, &stop_.op());
        facts_ = ask_server_facts(*session, &stop_.op());
        const std::lock_guard lock(mutex_);
        session_ = std::move(session);
        if (is_stopping_)
            return;
    }
    const ServerLook server = look_at_server(
        *session_, facts_, [this] { return host_.utc_now(); }, &stop_.op());
    hint(server, facts_.server);
}

// A database with a new gate is worth a scan of it; the scan tells what it was.
void ChangeWatch::hint(const ServerLook& server, const std::string& server_name) {
    std::map<std::string, bool> there;
    for (const DatabaseLook& seen : server.databases) {
        const auto key = settings_.databases.key_of(seen.entry.name);
        if (!key || seen.entry.is_snapshot)
            continue;
        there[*key] = seen.entry.is_online();
        const auto before = were_there_.find(*key);
        const bool is_other = before == were_there_.end() || before->second != there[*key];
        if (!seen.entry.is_online()) {
            if (is_other)
                sink_.changed(*key);
            continue;
        }
        const Baseline baseline = baselines_.get(*key);
        const bool is_known = baseline.is_known() && baseline.server == server_name &&
                              baseline.database == seen.entry.name;
        const Verdict verdict = is_known ? judge(baseline, seen) : Verdict();
        if (!is_known || is_other || verdict.change != Change::unchanged ||
            verdict.needs == Needs::fingerprint)
            sink_.changed(*key);
    }
    for (const auto& [key, was_online] : were_there_)
        if (!there.contains(key))
            sink_.changed(key); // dropped
    were_there_ = std::move(there);
}

} // namespace stationsync::sqlserver
