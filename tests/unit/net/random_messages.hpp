// Messages with random but valid content, for round trips and as seeds of fuzzing.
#pragma once

#include "stationsync/core/message.hpp"

#include <algorithm>
#include <random>
#include <string>

namespace stationsync::host {

class RandomMessages {
public:
    explicit RandomMessages(std::uint64_t seed) : random_(seed) {}

    std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
    bool coin() { return below(2) == 0; }

    core::StationId station() {
        core::StationId id;
        fill(id.bytes);
        return id;
    }
    core::Digest digest() {
        core::Digest value;
        fill(value.bytes);
        return value;
    }
    core::RevisionId name() { return {{station(), random_()}, 1 + below(1'000'000)}; }
    core::RevisionId name_or_none() { return coin() ? name() : core::RevisionId{}; }
    core::Stamp stamp() {
        return {static_cast<std::int64_t>(below(2'000'000'000'000'000)),
                static_cast<std::uint32_t>(below(5))};
    }
    std::string text(std::size_t bytes_max) {
        static constexpr std::string_view parts[] = {
            "a", "Z", "/", ".", " ", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\n"};
        std::string value;
        for (std::uint64_t i = below(bytes_max / 4 + 1); i > 0; --i) {
            value += parts[below(std::size(parts))];
        }
        return value;
    }
    core::ObjectId object() { return {coin() ? "recipes" : "batch-db-2", "k" + text(200)}; }
    core::Token token() { return {"t" + text(20), text(20), static_cast<std::uint32_t>(below(4))}; }
    core::PackageInfo package() {
        return {digest(), below(1ull << 40), static_cast<std::int64_t>(random_())};
    }
    core::Revision revision(core::ObjectId object) {
        core::Revision value;
        value.object = std::move(object);
        value.author = {station(), random_()};
        value.sequence = 1 + below(1ull << 50);
        value.stamp = stamp();
        value.seen.raise(value.author, value.sequence);
        for (std::uint64_t i = below(4); i > 0; --i) {
            value.seen.raise({station(), random_()}, 1 + below(1000));
        }
        if (coin()) {
            value.digest = digest();
        }
        value.bytes = below(1ull << 40);
        value.changed_at = {static_cast<std::int64_t>(below(2'000'000'000'000'000)) - 1'000'000};
        value.uncertainty = core::Duration{static_cast<std::int64_t>(below(1'000'000'000))};
        value.parent = name_or_none();
        value.kind = coin() ? 1 : 7;
        repeat(3, [&] { value.tokens.push_back(token()); });
        return value;
    }
    core::RevisionPtr revision_ptr(const core::ObjectId& object) {
        return std::make_shared<const core::Revision>(revision(object));
    }
    core::IndexEntry entry(std::uint64_t index) {
        core::IndexEntry value;
        value.object = object();
        repeat(4, [&] {
            value.set.push_back(
                {revision_ptr(value.object), static_cast<core::Rank>(below(3)), coin()});
        });
        value.held = name_or_none();
        repeat(3, [&] { value.packages.push_back({name(), package(), coin()}); });
        repeat(3, [&] { value.kept.push_back(name()); });
        value.index = index;
        return value;
    }
    core::IndexBatch batch(std::size_t entries) {
        core::IndexBatch value;
        value.incarnation = random_();
        value.after = below(1000);
        value.last = value.after;
        for (std::size_t i = 0; i < entries; ++i) {
            value.last += 1 + below(3);
            value.entries.push_back(entry(value.last));
        }
        value.more = coin();
        repeat(3, [&] { value.established.emplace_back("recipes"); });
        return value;
    }
    core::Profile profile() {
        core::Profile value;
        value.protocol_minor = static_cast<std::uint32_t>(below(9));
        value.station = station();
        value.run_id = random_();
        value.station_name = "Station \xc3\x84";
        value.project = "Plant 1";
        value.product_version = text(40);
        value.on_provider_mismatch = static_cast<core::ProviderMismatch>(below(2));
        for (char c = 'a'; c < 'a' + static_cast<char>(below(4)); ++c) {
            core::ProviderProfile provider{
                std::string(1, c), text(20), text(20), coin(), {}, coin()};
            repeat(3, [&] { provider.tokens.push_back(token()); });
            value.providers.push_back(std::move(provider));
        }
        value.addresses = {"10.0.0.1:8883", "[::1]:1"};
        return value;
    }

    // `kind`: index of the alternative in core::Message.
    core::ApplyState apply_state() {
        core::ApplyState value;
        value.provider = "recipes";
        value.hindrance = static_cast<core::Hindrance>(below(4));
        value.text = text(100);
        value.since = {stamp().wall_us};
        if (coin()) {
            value.until = core::WallTime{stamp().wall_us};
        }
        value.number = random_();
        return value;
    }
    core::Message message(std::size_t kind) {
        switch (kind) {
        case 0:
            return profile();
        case 1: {
            core::Verdicts value;
            value.number = random_();
            repeat(4, [&] { value.verdicts.push_back({"recipes", coin(), text(100)}); });
            return value;
        }
        case 2:
            return core::TimeReport{
                core::Duration{static_cast<std::int64_t>(below(1u << 31)) - (1 << 30)},
                core::Duration{static_cast<std::int64_t>(below(100))}};
        case 3: {
            core::Greeting value{random_(), {}, coin()};
            repeat(4, [&] { value.known.push_back({random_(), below(99), below(99)}); });
            return value;
        }
        case 4:
            return core::IndexRequest{random_(), below(1000), coin()};
        case 5:
            return batch(below(5));
        case 6:
            return core::PendingChange{object(), coin(), {stamp().wall_us}};
        case 7:
            return core::PartialPackage{object(), name_or_none(), package(), coin()};
        case 8: {
            core::Introductions value;
            repeat(4, [&] {
                value.stations.push_back({station(), "S", {"a.example:1", "1.2.3.4:8883"}});
            });
            return value;
        }
        case 9: {
            core::BlockList value;
            repeat(4, [&] { value.entries.push_back({station(), coin(), stamp(), station()}); });
            return value;
        }
        case 10:
            return core::KeptQuery{object(), text(40)};
        case 11: {
            core::KeptAnswer value;
            value.object = object();
            value.version = text(40);
            value.found = coin();
            if (value.found) {
                value.package = package();
                value.revision = coin() ? revision_ptr(value.object) : nullptr;
            }
            return value;
        }
        case 12:
            return core::VerifyRequest{random_(), "recipes"};
        case 13:
            return apply_state();
        default: {
            core::VerifyReport value{random_(), "recipes", below(1000), {}};
            repeat(4, [&] { value.different.push_back("k" + text(40)); });
            return value;
        }
        }
    }
    static constexpr std::size_t kinds = std::variant_size_v<core::Message>;

private:
    template <class Array>
    void fill(Array& bytes) {
        std::generate(bytes.begin(), bytes.end(),
                      [this] { return static_cast<std::uint8_t>(random_()); });
    }
    template <class Action>
    void repeat(std::uint64_t limit, Action action) {
        for (std::uint64_t i = below(limit); i > 0; --i) {
            action();
        }
    }
    std::mt19937_64 random_;
};

} // namespace stationsync::host
