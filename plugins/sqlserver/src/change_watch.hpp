// Looks for changes now and then, on a thread and a session of its own, and hints at them.
#pragma once

#include "baseline_store.hpp"
#include "change_judge.hpp"
#include "provider_settings.hpp"
#include "stop_op.hpp"

#include <stationsync/provider.hpp>

#include <condition_variable>
#include <thread>

namespace stationsync::sqlserver {

class ChangeWatch {
public:
    // `broken_off` tells the keys that a scan has to settle, on the thread of the watch. All
    // references must outlive it.
    ChangeWatch(sdk::Host host, SqlServer& server, const ProviderSettings& settings,
                BaselineStore& baselines, std::function<std::vector<std::string>()> broken_off,
                sdk::WatchSink sink);
    ChangeWatch(const ChangeWatch&) = delete;
    ChangeWatch& operator=(const ChangeWatch&) = delete;
    // Joins.
    ~ChangeWatch();

private:
    void run();
    void look();
    void hint(const ServerLook& server, const std::string& server_name);

    sdk::Host host_;
    SqlServer& server_;
    const ProviderSettings& settings_;
    BaselineStore& baselines_;
    std::function<std::vector<std::string>()> broken_off_;
    sdk::WatchSink sink_;

    std::mutex mutex_;
    std::condition_variable wake_;
    bool is_stopping_ = false;
    StopOp stop_;
    std::unique_ptr<SqlSession> session_; // changed under the mutex, for it is cancelled from there
    ServerFacts facts_;
    std::map<std::string, bool> were_there_; // keys, and whether they were seen as changed
    std::thread thread_;
};

} // namespace stationsync::sqlserver
