// At most one at a time for each key.
#pragma once

#include <stationsync/op.hpp>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <utility>

namespace stationsync::sqlserver {

// Thread-safe; must outlive its locks.
class KeyLocks {
public:
    class Lock {
    public:
        Lock() = default;
        Lock(KeyLocks& owner, std::string key) : owner_(&owner), key_(std::move(key)) {}
        Lock(Lock&& other) noexcept
            : owner_(std::exchange(other.owner_, nullptr)), key_(std::move(other.key_)) {}
        Lock& operator=(Lock&&) = delete;
        ~Lock() {
            if (owner_ != nullptr)
                owner_->unlock(key_);
        }
        explicit operator bool() const noexcept { return owner_ != nullptr; }

    private:
        KeyLocks* owner_ = nullptr;
        std::string key_;
    };

    // Waits for whoever has it. Throws sdk::Cancelled.
    Lock lock(const std::string& key, const sdk::Op& op) {
        constexpr std::chrono::milliseconds step{100};
        std::unique_lock guard(mutex_);
        while (taken_.contains(key)) {
            op.check();
            freed_.wait_for(guard, step);
        }
        taken_.insert(key);
        return {*this, key};
    }
    // No lock when somebody has it.
    Lock try_lock(const std::string& key) {
        const std::lock_guard guard(mutex_);
        return taken_.insert(key).second ? Lock(*this, key) : Lock();
    }

private:
    void unlock(const std::string& key) noexcept {
        {
            const std::lock_guard guard(mutex_);
            taken_.erase(key);
        }
        freed_.notify_all();
    }

    std::mutex mutex_;
    std::condition_variable freed_;
    std::set<std::string> taken_;
};

} // namespace stationsync::sqlserver
