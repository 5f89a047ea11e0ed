// The engine of one project at work: carries events into it and its actions out.
//
// Everything here runs on the engine thread; what blocks goes to the worker pool. A runtime is made
// for each start of the engine and dropped after shut_down(): nothing of an earlier start can reach
// a later one.
#pragma once

#include "base/workers.hpp"
#include "config/secrets.hpp"
#include "net/codec.hpp"
#include "net/links.hpp"
#include "packages/live_exports.hpp"
#include "packages/transfer.hpp"
#include "packages/unfinished_parts.hpp"
#include "plugins/discovery_instance.hpp"
#include "plugins/plugin_library.hpp"
#include "plugins/provider_instance.hpp"
#include "service/operator_messages.hpp"
#include "service/package_store.hpp"
#include "service/provider_test.hpp"
#include "service/runtime_listener.hpp"
#include "service/side_database.hpp"
#include "service/state_writer.hpp"
#include "service/timer.hpp"
#include "stationsync/core/engine.hpp"

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace stationsync::host {

class Runtime final : public std::enable_shared_from_this<Runtime>,
                      public LinkObserver,
                      public TransferHost {
public:
    Runtime(boost::asio::io_context& context, Workers& workers, const PluginRegistry& plugins,
            const StationIdentity& identity, std::shared_ptr<const KeyRing> keys,
            RuntimeSettings settings, RuntimeListener& listener);
    ~Runtime() override;
    Runtime(const Runtime&) = delete;
    Runtime& operator=(const Runtime&) = delete;

    // Opens state and directories, starts the engine, links and providers. Blocking, short.
    [[nodiscard]] IoResult<void> start();
    // Ends everything; running applies finish (for `patience` at most, then they are cancelled,
    // too). `by_person` ends the episodes of restored old data. `clock_stepped`: the clock was set.
    struct ShutDown {
        bool by_person = false;
        std::optional<core::Duration> clock_stepped; // by so much
        core::Duration patience = std::chrono::hours(24);
    };
    void shut_down(const ShutDown& how, std::function<void()> ended);
    // While it shuts down: somebody else wants the same, perhaps with less patience.
    void hasten(const ShutDown& how);

    // The state database counts what the settings tell of the clock: not to be told it again, even
    // if start() fails.
    [[nodiscard]] bool clock_counted() const { return clock_counted_; }
    [[nodiscard]] const core::Engine& engine() const { return *engine_; }
    [[nodiscard]] const RuntimeSettings& settings() const { return settings_; }
    [[nodiscard]] const KeyRing& keys() const { return *keys_; }
    [[nodiscard]] std::shared_ptr<SideDatabase> side_database() const { return side_; }
    [[nodiscard]] std::vector<StoredMessage> messages() const { return messages_->standing(); }
    // `id` of the catalogue, see core::make_message.
    void raise(std::string_view id, std::string subject, core::MessageValues values = {}) {
        messages_->raise(core::make_message(id, std::move(subject), std::move(values)), now().wall);
    }
    void clear_message(const std::string& id, const std::string& subject) {
        messages_->clear(id, subject);
    }
    [[nodiscard]] const std::map<std::string, TransferBytes>& transfer_bytes() const;
    // Equal on two stations exactly when they hold the same content under the same keys.
    [[nodiscard]] const std::string& provider_digest(const std::string& provider) const;
    [[nodiscard]] std::vector<std::string> addresses() const { return addresses_; }

    // A command of a person, as an event of the engine.
    void command(core::Event event) { feed(std::move(event)); }
    // Calls `action` once everything that the engine has asked to store so far is durable.
    void when_durable(std::function<void()> action) { writer_->flush(alive(std::move(action))); }
    void when_stored(std::function<void()> action) {
        writer_->when_stored(alive(std::move(action)));
    }
    // New settings of the project file: only providers and discoveries that changed are touched.
    void reconfigure(ProjectConfig project);
    void rename_station(const std::string& name);
    void tell_profile();
    bool probe_all(); // also for other projects; false: nothing searches, there are only lists
    void set_keys(std::shared_ptr<const KeyRing> keys);
    // The self-tests of all enabled providers; those that are not done after 20 seconds are told
    // so.
    void self_test(std::function<void(std::vector<ProviderTest>)> done);
    // Starts the provider again with @accept_root.
    void accept_root(const std::string& provider);

private:
    struct WantedProvider {
        ProviderConfig config;
        bool accept_root = false;
    };
    struct ProviderSlot {
        ProviderConfig config;
        const PluginKind* kind = nullptr;
        std::shared_ptr<ProviderInstance> instance; // null while it cannot be made
        std::optional<WantedProvider> next;         // follows when `instance` has ended
        bool accept_root = false;
        bool ending = false; // the instance is being shut down
        std::string failure; // why there is no instance
        bool recovered = false;
        bool compat_known = false;
        bool compat_asked = false;              // an answer is on its way
        std::vector<core::Token> compat_tokens; // as the engine was told
        std::shared_ptr<WorkerPool> gate;       // asks the command of apply_when
        // Ends that command: nobody waits for its answer any more.
        std::shared_ptr<std::atomic<bool>> gate_given_up =
            std::make_shared<std::atomic<bool>>(false);
    };

    // runtime.cpp
    IoResult<void> open_state();
    IoResult<void> start_links();
    void make_engine(core::DurableState state);
    void forget_holds_of_absent();
    void feed(core::Event event);
    void pump();
    void set_engine_timer();
    core::Now now() const;
    std::function<void()> alive(std::function<void()> action);
    void tick();
    void set_patience(core::Duration patience);
    void end_if_idle();
    void finish_shut_down();

    // runtime_actions.cpp
    void perform(core::Action& action);
    void act(core::Persist& action);
    void act(core::SendMessage& action);
    void act(core::Dial& action);
    void act(core::CloseLink& action);
    void act(core::ProbeLink& action);
    void act(core::Recover& action);
    void act(core::Scan& action);
    void act(core::Export& action);
    void act(core::DescribePackage& action);
    void act(core::StartFetch& action);
    void act(core::SetFetchSources& action);
    void act(core::CancelJob& action);
    void act(core::SaveToHistory& action);
    void act(core::StartApply& action);
    void act(core::DropPackage& action);
    void act(core::AdoptKept& action);
    void act(core::JudgeTokens& action);
    void act(core::AskApplyWhen& action); // runtime_apply_when.cpp
    void act(core::RaiseMessage& action);
    void act(core::ClearMessage& action);
    void act(core::ObjectChanged& action);
    void act(core::StationChanged& action);
    void act(core::ProviderChanged& action);
    void act(core::CommandAnswered& action);

    // runtime_housekeeping.cpp
    void keep_house();
    void look_for_lost();
    void compare_directories();
    IoResult<void> find_history_again(core::DurableState& state);
    void mark_founded();
    void sweep_parts(const std::vector<UnfinishedPart>& parts);

    // runtime_providers.cpp
    void start_provider(const ProviderConfig& config, bool accept_root);
    void make_instance(ProviderSlot& slot);
    void instance_made(const std::string& name, const std::string& error);
    void set_provider(const std::string& name, std::optional<WantedProvider> wanted);
    void provider_gone(const std::string& name);
    ProviderSlot* slot_of(const std::string& provider);
    std::shared_ptr<ProviderInstance> instance_of(const std::string& provider);
    InstanceSettings instance_settings(const std::string& kind_of, const std::string& name,
                                       const ConfigValue& own, bool accept_root) const;
    std::string instance_id(const std::string& kind_of, const std::string& name) const;
    std::filesystem::path enabled_marker(const std::string& provider) const;
    core::ProviderEnabled enabled_event(const ProviderSlot& slot) const;
    void recovered(const std::string& provider, const CallOutcome& outcome,
                   const CompatOutcome& compat);
    void start_watch(const std::string& provider);
    void ask_compat(const std::string& provider);
    void ask_compat_later();
    void stop_discovery(const std::string& name);
    void start_discovery(const DiscoveryConfig& config);
    void found(const std::string& discovery, const FoundPeer& peer);
    FoundPeer own_announcement() const;
    bool is_list(const std::string& discovery) const;
    void announce_missing(const std::string& provider, const std::string& text);

    // runtime_links.cpp: LinkObserver and messages
    void on_link_up(const LinkUpInfo& info) override;
    void on_link_down(LinkId link, LinkFailure failure, const std::string& text) override;
    void on_dial_failed(DialId dial, LinkFailure failure, const std::string& text) override;
    void on_incoming_refused(const std::string& address, LinkFailure failure,
                             const std::string& text) override;
    void on_engine_bytes(LinkId link, Bytes bytes) override;
    void on_host_bytes(LinkId link, Bytes bytes) override;
    void on_transfer_bytes(LinkId link, Bytes bytes) override;
    void on_block_bytes(LinkId link, Bytes bytes) override;
    void on_writable(LinkId link) override;
    void on_time_measured(LinkId link, core::Duration offset, core::Duration round_trip) override;
    void on_link_alive(LinkId link) override;
    void on_listen_tried(const std::vector<std::string>& problems) override;
    void screen(core::Message& message) const;
    void keep_dialable(std::vector<std::string>& addresses) const;
    void transfer_frame(LinkId link, std::span<const std::byte> bytes);
    void tell_keys(LinkId link);
    std::optional<LinkId> transfer_link(const core::StationId& station) const;

    // runtime_transfer.cpp: TransferHost
    SendResult send_transfer(const core::StationId& station, TransferLane lane,
                             std::vector<std::byte> frame) override;
    void locate(const core::ObjectId& object, const PackageRef& package,
                LocateReply reply) override;
    void locate_live(const core::ObjectId& object, const PackageRef& package, LocateReply reply);
    void export_live(const core::ObjectId& object, const PackageRef& package,
                     LiveExports::Made made);
    void fetch_finished(core::JobId id, const FinishedFetch& result) override;
    void fetch_failed(core::JobId id, FetchFailure failure, const std::string& text) override;
    void fetch_progressed(core::JobId id, std::uint64_t bytes_done,
                          std::uint64_t bytes_received) override;
    void fetch_source_failed(core::JobId id, const core::StationId& source,
                             const std::string& text) override;

    struct LinkEntry {
        core::StationId station;
        bool dialled = false;
        bool other_protocol = false; // another major version: not all that it says can be read
        bool carried =
            false; // frames of packages, either way: lost with it if they were on the way
        // The block lane took its fill. What was read from disk before that was known waits here:
        // at most the transfer engine's window for one station.
        bool blocks_full = false;
        std::deque<std::vector<std::byte>> blocks_held;
    };
    SendResult send_held_blocks(LinkId link);

    boost::asio::io_context& context_;
    Workers& workers_;
    WorkerPool& pool_; // the shared one
    const PluginRegistry& plugins_;
    const StationIdentity& identity_;
    std::shared_ptr<const KeyRing> keys_;
    RuntimeSettings settings_;
    RuntimeListener& listener_;
    SecretStore secrets_;
    std::vector<std::string> addresses_; // under which we are reached

    std::unique_ptr<core::Engine> engine_;
    std::deque<core::Event> events_;
    bool pumping_ = false;
    bool ending_ = false;
    bool ended_ = false;
    bool clock_counted_ = false;
    std::optional<core::Duration> clock_stepped_;
    std::function<void()> on_ended_;

    std::shared_ptr<StateDatabase> database_;
    std::shared_ptr<SideDatabase> side_;
    std::unique_ptr<OperatorMessages> messages_;
    std::unique_ptr<StateWriter> writer_;
    std::shared_ptr<PackageStore> store_; // shared with jobs that outlast the runtime
    std::unique_ptr<Links> links_;
    std::unique_ptr<LiveExports> live_exports_;
    std::unique_ptr<TransferEngine> transfer_;
    std::map<std::string, ProviderSlot> providers_;
    std::map<std::string, std::unique_ptr<DiscoveryInstance>> discoveries_;
    std::map<LinkId, LinkEntry> live_links_;
    // Of provider_digest(), until an object of the provider changes.
    mutable std::map<std::string, std::string> digests_;
    std::map<core::JobId, core::StartFetch> fetches_;
    std::map<core::JobId, std::string> job_provider_; // running scans and exports, for cancelling
    std::uint32_t applies_running_ = 0;
    Timer engine_timer_;
    Timer tick_timer_;
    Timer patience_timer_;
    Timer grace_timer_;
    Timer house_timer_;
    Timer compat_timer_;
    int house_rounds_ = 0;
    bool house_done_once_ = false;
    int house_jobs_ = 0;
    bool had_packages_ = false;
    bool more_is_lost_ = false; // than one look tells
    std::shared_ptr<std::set<std::filesystem::path>> litter_ =
        std::make_shared<std::set<std::filesystem::path>>();
    std::filesystem::path founded_mark_; // to be written once the engine's first state is durable
};

} // namespace stationsync::host
