#include "outbox.hpp"

#include "mutants.hpp"

namespace stationsync::core {

namespace {

// Key under which a later record of one batch replaces an earlier one; empty for what only adds.
struct RecordKey {
    std::string operator()(const PutMeta&) const { return "m"; }
    std::string operator()(const PutProvider& put) const { return "p" + put.record.provider; }
    std::string operator()(const PutStation& put) const { return "s" + to_text(put.record.id); }
    std::string operator()(const EraseStation& erase) const { return "s" + to_text(erase.id); }
    std::string operator()(const PutObject& put) const {
        return "o" + put.record.id.provider + '\0' + put.record.id.key;
    }
    std::string operator()(const EraseObject& erase) const {
        return "o" + erase.id.provider + '\0' + erase.id.key;
    }
    std::string operator()(const AppendHistory&) const { return {}; }
};

} // namespace

void Outbox::mutate(Mutation mutation) {
    std::string key = std::visit(RecordKey{}, mutation);
    if (!key.empty()) {
        const auto [place, added] = position_.emplace(std::move(key), mutations_.size());
        if (!added) {
            mutations_[place->second] = std::move(mutation);
            return;
        }
    }
    mutations_.push_back(std::move(mutation));
}

void Outbox::forget_exchange(LinkId link) {
    const auto is_one = [&](const Action& action) {
        const auto* const send = std::get_if<SendMessage>(&action);
        return send && send->link == link &&
               (std::holds_alternative<Greeting>(send->message) ||
                std::holds_alternative<IndexRequest>(send->message) ||
                std::holds_alternative<IndexBatch>(send->message));
    };
    std::erase_if(held_back_, is_one);
    for (Gated& gated : gated_)
        std::erase_if(gated.actions, is_one);
}

void Outbox::seal_batch() {
    if (!mutations_.empty()) {
        issued_ = PersistId{static_cast<std::uint64_t>(issued_) + 1};
        ready_.emplace_back(Persist{issued_, std::move(mutations_)});
        mutations_.clear();
        position_.clear();
    }
    if (held_back_.empty())
        return;
    if (is_durable(issued_) || mutant(Mutant::announce_before_durable)) {
        for (Action& action : held_back_)
            ready_.push_back(std::move(action));
    } else {
        gated_.push_back({issued_, std::move(held_back_)});
    }
    held_back_.clear();
}

void Outbox::on_persisted(PersistId id) {
    durable_ = std::max(durable_, id);
    while (!gated_.empty() && gated_.front().after <= durable_) {
        for (Action& action : gated_.front().actions)
            ready_.push_back(std::move(action));
        gated_.pop_front();
    }
}

std::vector<Action> Outbox::take() {
    std::vector<Action> taken = std::move(ready_);
    ready_.clear();
    return taken;
}

} // namespace stationsync::core
