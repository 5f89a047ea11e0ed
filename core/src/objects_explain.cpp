// A state and a reason for every object that is not in sync.
#include "apply_gates.hpp"
#include "objects.hpp"

#include <algorithm>

namespace stationsync::core {

namespace {

std::string seconds_until(Instant at, Instant now) {
    const auto left = std::chrono::ceil<std::chrono::seconds>(at - now).count();
    return std::to_string(std::max<std::int64_t>(left, 0)) + " s";
}

// A sentence of a plugin with what becomes of it.
std::string tried_again(const Trouble& failure, Instant now) {
    std::string text = failure.text;
    if (text.ends_with('.'))
        text.pop_back();
    return text + "; tried again in " + seconds_until(failure.retry_at, now);
}

std::string names(std::vector<std::string> list) {
    std::string text;
    for (std::size_t i = 0; i < list.size(); ++i)
        text += (i == 0 ? "" : i + 1 == list.size() ? " and " : ", ") + list[i];
    return text;
}

} // namespace

bool Objects::is_in_sync(const Object& object) const {
    const ObjectRecord& record = object.record;
    if (record.seen_change || record.intent || record.replaceable || record.publish_requested ||
        object.live_absent())
        return false;
    if (object.activity &&
        (!object.activity->refused.empty() || !object.activity->held_stamps.empty() ||
         !object.activity->scan_fault.empty()))
        return false;
    const SetEntry* const head = object.head();
    if (!head) // told of before its first content has come, or nothing at all
        return record.held || !object.activity || object.activity->pending_at.empty();
    return head->revision->id() == object.held_id() && !record.mark.empty();
}

void Objects::explain_change(const Object& object, ObjectView& view) const {
    const SeenChange& change = *object.record.seen_change;
    static const Activity none;
    const Activity& activity = object.activity ? *object.activity : none;
    const bool old = change.change_class == ChangeClass::restored_old;
    view.state = old ? ObjectState::held : ObjectState::settling;
    std::string const when =
        activity.stage == Stage::settling && activity.settle_at > context_.instant()
            ? " in " + seconds_until(activity.settle_at, context_.instant())
            : " now";
    view.reason = old ? "an older state was restored here; the plant's state is put back" + when +
                            "; to distribute it instead: stationsync publish " +
                            to_text(object.record.id)
                      : "changed here; it is sent" + when + ", when it has been quiet";
    if (activity.stage == Stage::exporting || activity.stage == Stage::keeping) {
        view.state = ObjectState::exporting;
        view.reason = "its package is being made";
    } else if (activity.export_waiting) {
        view.reason = "changed here; waits until other packages are made";
    }
    if (!activity.live.text.empty() && activity.live.retry_at > context_.instant()) {
        view.state = ObjectState::failed;
        view.reason = tried_again(activity.live, context_.instant());
    }
}

void Objects::explain_content(const Object& object, ObjectView& view) const {
    static const Activity none;
    const Activity& activity = object.activity ? *object.activity : none;
    if (activity.fetching) {
        view.state = ObjectState::fetching;
        std::uint64_t const bytes = activity.fetching->package.bytes;
        view.progress = bytes == 0 ? 0 : double(activity.fetching->done) / double(bytes);
        std::vector<std::string> sources;
        for (const StationId& source : activity.fetching->sources)
            sources.push_back(stations_->name_of(source));
        view.reason = "fetched from " + names(std::move(sources));
        return;
    }
    view.state = ObjectState::waiting;
    if (activity.fetch_queued) {
        view.reason = "waits until other packages are fetched";
        return;
    }
    if (!activity.content.text.empty()) {
        view.state = ObjectState::failed;
        view.reason = tried_again(activity.content, context_.instant());
        return;
    }
    std::vector<std::string> offering;
    std::vector<std::string> away;
    const auto add = [](std::vector<std::string>& to, std::string name) {
        if (std::find(to.begin(), to.end(), name) == to.end())
            to.push_back(std::move(name));
    };
    for (const PeerPackage& peer : activity.peer_packages) {
        const bool linked = stations_->provider_open(peer.station, object.record.id.provider);
        if (peer.revision == object.head_id())
            add(linked ? offering : away, stations_->name_of(peer.station));
    }
    const StationId author = object.head()->revision->author.station;
    const auto exchange = exchanges_.find(author);
    bool author_asked = author == context_.config.self ||
                        (exchange != exchanges_.end() && exchange->second.complete &&
                         stations_->provider_open(author, object.record.id.provider));
    for (std::uint16_t const slot : object.present) {
        const bool linked = stations_->provider_open(slots_[slot], object.record.id.provider);
        if (!linked)
            add(away, stations_->name_of(slots_[slot]));
        author_asked = author_asked || (linked && slots_[slot] == author);
    }
    if (!offering.empty())
        view.reason = "waits for a package from " + names(std::move(offering));
    else if (!away.empty())
        view.reason = "only on " + names(std::move(away)) + ", not connected now";
    else if (!author_asked)
        view.reason = "only on " + stations_->name_of(author) + ", not connected now, if anywhere";
    else
        view.reason = "exists nowhere: publish the live state, or wait for a station that has it";
}

void Objects::explain(const Object& object, ObjectView& view) const {
    const ObjectRecord& record = object.record;
    const auto place = providers_.find(record.id.provider);
    const Provider* const provider = place == providers_.end() ? nullptr : &place->second;
    static const Activity none;
    const Activity& activity = object.activity ? *object.activity : none;
    view.state = ObjectState::waiting;
    if (!provider || !provider->enabled) {
        view.reason = "the provider '" + record.id.provider + "' is disabled here";
    } else if (!provider->recovered || !provider->fault.empty()) {
        view.state = provider->fault.empty() ? ObjectState::waiting : ObjectState::failed;
        view.reason = provider->fault.empty() ? "the provider is starting" : provider->fault;
    } else if (!activity.refused.empty()) {
        view.state = ObjectState::held;
        view.reason = activity.refused;
    } else if (record.intent) {
        view.state = ObjectState::applying;
        view.reason = "the new state is being brought in";
    } else if (activity.stage == Stage::saving) {
        view.state = ObjectState::applying;
        view.reason = "the state to be replaced is put into the history";
    } else if (!activity.scan_fault.empty()) {
        view.state = ObjectState::failed;
        view.reason = activity.scan_fault;
    } else if (record.publish_requested) {
        view.state = ObjectState::exporting;
        view.reason = "it is being published";
        if (!activity.live.text.empty()) {
            view.state = ObjectState::failed;
            view.reason = activity.live.text;
        }
    } else if (record.seen_change) {
        explain_change(object, view);
    } else if (!activity.held_stamps.empty()) {
        view.state = ObjectState::held;
        view.reason = "a change of " + stations_->name_of(activity.held_stamps[0]->author.station) +
                      " is stamped in the future; it is taken when its time has come";
    } else if (!object.head() && !activity.pending_at.empty()) {
        view.reason = "being made on " + stations_->name_of(activity.pending_at.begin()->first) +
                      "; it is sent from there when it has been quiet";
    } else if (!object.head()) {
        view.state = ObjectState::in_sync;
    } else if (object.head()->revision->kind != revision_kind_content) {
        view.state = ObjectState::held;
        view.reason =
            "this change is of a kind that this version does not know; update StationSync";
    } else if (activity.tokens_refused) {
        view.state = ObjectState::held;
        view.reason = *activity.tokens_refused;
    } else if (!local_content(object, object.head_id())) {
        explain_content(object, view);
    } else if (provider->is_newcomer() && !provider->record.first_scan_sealed) {
        view.reason = "this station has just joined and still records what it had before";
    } else if (!provider->scanned_once) {
        view.reason = "waits for the first scan of '" + record.id.provider + "'";
    } else if (provider->gate.waiting.contains(record.id)) {
        view.reason = gates_->reason(*provider, object);
    } else if (activity.live.retry_at > context_.instant() && !activity.live.text.empty()) {
        const bool no_room = activity.live.status == JobStatus::no_space;
        view.state = no_room ? ObjectState::waiting : ObjectState::failed;
        view.reason =
            (no_room ? "no space: " : "") + tried_again(activity.live, context_.instant());
    } else if (object.live_absent()) {
        view.state = ObjectState::held;
        view.reason = "deleted here; it comes back in " +
                      seconds_until(activity.settle_at, context_.instant());
    } else {
        view.reason = "waits until other changes are applied";
    }
}

ObjectView Objects::view_of(const Object& object) const {
    const ObjectRecord& record = object.record;
    ObjectView view;
    view.id = record.id;
    const Revision* const shown = object.head() ? object.head()->revision.get() : record.held.get();
    if (shown) {
        view.bytes = shown->bytes;
        view.changed_at = shown->changed_at;
        view.author = shown->author.station;
        view.stamp = shown->stamp;
        view.digest = shown->digest;
    }
    view.present_on = holders(object);
    if (has_conflict(record.set)) {
        const Revision& winner = *record.set[0].revision;
        const auto loser =
            std::find_if(record.set.begin() + 1, record.set.end(),
                         [&](const auto& entry) { return !same_content(*entry.revision, winner); });
        ConflictView conflict;
        conflict.with = loser->revision->author.station;
        conflict.at = loser->revision->changed_at;
        conflict.order_uncertain = order_uncertain(winner, *loser->revision);
        const RevisionId id = loser->revision->id();
        if (is_kept(object, id) || object.held_id() == id)
            conflict.loser_kept_on.push_back(context_.config.self);
        if (object.activity)
            for (const auto& [station, kept] : object.activity->kept_at)
                if (std::find(kept.begin(), kept.end(), id) != kept.end())
                    conflict.loser_kept_on.push_back(station);
        view.conflict = std::move(conflict);
    }
    if (const auto place = providers_.find(record.id.provider); place != providers_.end())
        view.waits_on = gates_->waits_on(place->second, &object);
    if (!is_in_sync(object)) {
        explain(object, view);
    } else if (object.activity && !object.activity->pending_at.empty()) {
        view.reason =
            "being changed on " + stations_->name_of(object.activity->pending_at.begin()->first);
    }
    return view;
}

std::vector<ObjectView> Objects::views(std::string_view provider) const {
    std::vector<ObjectView> list;
    for (const auto& [id, object] : objects_) {
        const bool shell = object->record.set.empty() && !object->record.held &&
                           !object->record.seen_change &&
                           (!object->activity || object->activity->pending_at.empty());
        if (!shell && (provider.empty() || id.provider == provider))
            list.push_back(view_of(*object));
    }
    return list;
}

std::optional<ObjectView> Objects::view(const ObjectId& id) const {
    const auto place = objects_.find(id);
    if (place == objects_.end())
        return std::nullopt;
    return view_of(*place->second);
}

const ObjectRecord* Objects::record(const ObjectId& id) const {
    const auto place = objects_.find(id);
    return place == objects_.end() ? nullptr : &place->second->record;
}

std::vector<ProviderView> Objects::provider_views() const {
    std::vector<ProviderView> list;
    for (const auto& [name, provider] : providers_) {
        ProviderView view;
        view.name = name;
        view.plugin = provider.config.plugin;
        view.objects = provider.objects;
        view.unsynced = provider.unsynced;
        view.published = provider.record.published;
        view.applied = provider.record.applied;
        view.last_applied_at = provider.record.last_applied_at;
        view.established = provider.record.established;
        if (!provider.enabled) {
            view.state = ProviderState::disabled;
            view.reason = "disabled in the project file";
        } else if (!provider.fault.empty()) {
            view.state = ProviderState::fault;
            view.reason = provider.fault;
        } else if (provider.is_newcomer()) {
            view.state = ProviderState::newcomer;
            view.reason = !provider.record.first_scan_sealed
                              ? "joining: records what it had before"
                              : "joining: waits for the first exchange with an established station";
        } else if (!provider.tokens_known) {
            view.state = ProviderState::suspended;
            view.reason = "the version of its back end is not known yet";
        }
        gates_->explain(provider, view);
        list.push_back(std::move(view));
    }
    return list;
}

bool Objects::in_step(std::string_view provider) const {
    for (const auto& [name, each] : providers_) {
        if (!each.enabled || (!provider.empty() && name != provider))
            continue;
        if (!each.scanned_once || each.unsynced != 0 || each.is_newcomer())
            return false;
    }
    for (const auto& [id, exchange] : exchanges_)
        if (!exchange.complete || exchange.in_flight != 0)
            return false;
    return true;
}

void Objects::check_invariants() const {
    const auto require = [](bool holds, const char* what, const ObjectId& id) {
        if (!holds)
            throw std::logic_error(std::string("invariant broken: ") + what + " of " + to_text(id));
    };
    for (const auto& [id, object] : objects_) {
        const ObjectRecord& record = object->record;
        for (std::size_t i = 0; i < record.set.size(); ++i) {
            if (i > 0)
                require(loses_to(record.set[i], record.set[i - 1]), "order of the set", id);
            for (std::size_t k = 0; k < record.set.size(); ++k)
                require(i == k || !has_seen(*record.set[i].revision, *record.set[k].revision),
                        "maximality of the set", id);
            require(record.set[i].revision->object == id, "object of the revision", id);
        }
        require(record.index <= context_.meta.index, "index position", id);
        require(!(record.seen_change && record.replaceable), "one kind of live deviation", id);
        require(object->stage() != Stage::applying || record.intent.has_value(),
                "intent of the apply", id);
        const bool own = record.held && record.held->author == context_.author();
        require(!own || record.held->sequence <= context_.meta.sequence, "own sequence", id);
    }
}

} // namespace stationsync::core
