#include "base/text_codes.hpp"
#include "net/codec.hpp"
#include "random_messages.hpp"

#include "messages.pb.h"

#include <gtest/gtest.h>

namespace stationsync::host {
namespace {

Bytes serialized(const wire::EngineMessage& message) {
    Bytes bytes(message.ByteSizeLong());
    message.SerializeToArray(bytes.data(), static_cast<int>(bytes.size()));
    return bytes;
}

core::Message decoded(std::span<const std::byte> bytes) {
    auto result = decode_message(bytes);
    if (!result || !*result) {
        ADD_FAILURE() << (result ? "unknown" : result.error().text);
        return core::IndexRequest{};
    }
    return std::move(**result);
}

std::string refusal(const wire::EngineMessage& message) {
    const auto result = decode_message(serialized(message));
    return result ? std::string() : result.error().text;
}

template <std::size_t Size>
std::array<std::uint8_t, Size> counted(std::uint8_t first) {
    std::array<std::uint8_t, Size> bytes;
    for (std::size_t i = 0; i < Size; ++i) {
        bytes[i] = static_cast<std::uint8_t>(first + i);
    }
    return bytes;
}

core::Revision example() {
    core::Revision revision;
    revision.object = {"recipes", "a/b.xml"};
    revision.author = {{counted<16>(0x10)}, 0x0102030405060708};
    revision.sequence = 300;
    revision.stamp = {1'700'000'000'000'000, 2};
    revision.seen.raise(revision.author, 300);
    revision.seen.raise({{counted<16>(0x40)}, 9}, 5);
    revision.digest = core::Digest{counted<32>(0x80)};
    revision.bytes = 12345;
    revision.changed_at = {1'700'000'000'000'001};
    revision.uncertainty = core::Duration{7};
    revision.parent = {revision.author, 299};
    revision.tokens = {{"version", "16.0", 1}};
    return revision;
}

// The format on disk and on the wire: when one of these fails, existing packages and stations of
// other versions can no longer be read.
TEST(GoldenBytes, Revision) {
    const std::string bytes = encode_revision(example());
    EXPECT_EQ(to_hex(std::as_bytes(std::span(bytes))),
              "0a120a07726563697065731207612f622e786d6c"                             // object
              "121b0a10101112131415161718191a1b1c1d1e1f110807060504030201"           // author
              "18ac02"                                                               // sequence
              "220b088080f281838985061002"                                           // stamp
              "2a200a1b0a10101112131415161718191a1b1c1d1e1f11080706050403020110ac02" // seen
              "2a1f0a1b0a10404142434445464748494a4b4c4d4e4f1109000000000000001005"
              "3220808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f" // digest
              "38b960"                                                               // bytes
              "408280f28183898506"                                                   // changed_at
              "4807"                                                                 // uncertainty
              "52200a1b0a10101112131415161718191a1b1c1d1e1f11080706050403020110ab02" // parent
              "5801"                                                                 // kind
              "62110a0776657273696f6e120431362e301801");                             // token
}

TEST(GoldenBytes, Messages) {
    const auto hex = [](const core::Message& message) {
        return to_hex(encode_message(message)->at(0));
    };
    EXPECT_EQ(hex(core::IndexRequest{1, 5, true}), "2a0b0901000000000000001005");
    EXPECT_EQ(hex(core::IndexRequest{1, 5, false}), "2a0d09010000000000000010051801");
    EXPECT_EQ(hex(core::TimeReport{core::Duration{-2}, core::Duration{3}}), "1a0408031003");
    EXPECT_EQ(hex(core::VerifyRequest{7, "db"}), "6a06080712026462");
    EXPECT_EQ(hex(core::PendingChange{{"p", "k"}, true, {1}}), "3a0c0a060a01701201"
                                                               "6b10011802");
}

TEST(GoldenBytes, ProfileKeepsItsFieldsForEver) {
    core::Profile profile;
    profile.protocol_major = 2;
    profile.protocol_minor = 3;
    profile.station = {counted<16>(1)};
    profile.run_id = 4;
    profile.station_name = "S";
    profile.project = "P";
    profile.product_version = "V";
    profile.providers = {{"r", "f", "1", true, {}, true}};
    profile.addresses = {"h:1"};
    EXPECT_EQ(to_hex(encode_message(core::Message(profile))->at(0)),
              "0a3c080210031a100102030405060708090a0b0c0d0e0f10210400000000000000"
              "2a0153320150"
              "3a0156"
              "420d0a0172120166"
              "1a013120013001"
              "4a03683a31");
    profile.on_provider_mismatch = core::ProviderMismatch::skip_provider;
    EXPECT_TRUE(to_hex(encode_message(core::Message(profile))->at(0)).ends_with("4a03683a315001"));
}

TEST(Codec, EveryMessageReadsBackAsItWas) {
    RandomMessages random(1);
    for (std::size_t i = 0; i < 200 * RandomMessages::kinds; ++i) {
        const core::Message message = random.message(i % RandomMessages::kinds);
        const auto parts = encode_message(message);
        ASSERT_TRUE(parts) << parts.error().text;
        ASSERT_EQ(parts->size(), 1u);
        EXPECT_TRUE(decoded(parts->at(0)) == message) << core::to_text(message);
    }
}

TEST(Codec, RevisionReadsBackAsItWas) {
    RandomMessages random(2);
    for (int i = 0; i < 500; ++i) {
        const core::Revision revision = random.revision(random.object());
        const auto read = decode_revision(encode_revision(revision));
        ASSERT_TRUE(read) << read.error().text;
        EXPECT_TRUE(*read == revision);
    }
}

TEST(Codec, BatchThatDoesNotFitAFrameIsSplitWithoutLoss) {
    RandomMessages random(3);
    core::IndexBatch batch = random.batch(2000);
    for (core::IndexEntry& entry : batch.entries) {
        entry.object.key.append(3000, 'x');
        for (auto& each : entry.set) {
            core::Revision changed = *each.revision;
            changed.object = entry.object;
            each.revision = std::make_shared<const core::Revision>(std::move(changed));
        }
    }
    batch.more = false;
    const auto parts = encode_message(core::Message(batch));
    ASSERT_TRUE(parts);
    ASSERT_GT(parts->size(), 1u);
    core::IndexBatch joined = batch;
    joined.entries.clear();
    std::uint64_t after = batch.after;
    for (const Bytes& part : *parts) {
        EXPECT_LE(part.size(), engine_bytes_max);
        const core::Message message = decoded(part);
        const auto& piece = std::get<core::IndexBatch>(message);
        EXPECT_EQ(piece.after, after);
        EXPECT_EQ(piece.more, &part != &parts->back());
        after = piece.last;
        joined.entries.insert(joined.entries.end(), piece.entries.begin(), piece.entries.end());
    }
    EXPECT_EQ(after, batch.last);
    EXPECT_TRUE(joined == batch);
}

TEST(Codec, EntryThatAloneIsTooLargeIsAnErrorAndNotLost) {
    RandomMessages random(4);
    core::IndexBatch batch = random.batch(1);
    core::Revision big = random.revision(batch.entries[0].object);
    for (int i = 0; i < 200'000; ++i) {
        big.tokens.push_back({"name", "value of some length", 0});
    }
    batch.entries[0].set = {
        {std::make_shared<const core::Revision>(std::move(big)), core::Rank::plant, false}};
    EXPECT_FALSE(encode_message(core::Message(batch)));
}

TEST(Codec, MessageOfALaterVersionIsIgnored) {
    const Bytes unknown{std::byte{0x82}, std::byte{0x06}, std::byte{0x01}, std::byte{0x00}};
    const auto result = decode_message(unknown); // field 96
    ASSERT_TRUE(result) << result.error().text;
    EXPECT_FALSE(result->has_value());
    const auto empty = decode_message({});
    ASSERT_TRUE(empty);
    EXPECT_FALSE(empty->has_value());
}

TEST(Codec, FieldOfALaterVersionIsIgnored) {
    Bytes bytes = encode_message(core::VerifyRequest{7, "db"})->at(0);
    bytes[1] = std::byte{9};
    for (const int more : {0xa8, 0x06, 0x01}) { // field 101, 1
        bytes.push_back(static_cast<std::byte>(more));
    }
    EXPECT_TRUE(decoded(bytes) == core::Message(core::VerifyRequest{7, "db"}));
}

wire::EngineMessage pending(const std::string& provider, const std::string& key) {
    wire::EngineMessage message;
    message.mutable_pending_change()->mutable_object()->set_provider(provider);
    message.mutable_pending_change()->mutable_object()->set_key(key);
    return message;
}

TEST(HostileMessage, KeysAndProviderNamesAreChecked) {
    EXPECT_EQ(refusal(pending("recipes", "k")), "");
    EXPECT_EQ(refusal(pending("recipes", std::string(4096, 'k'))), "");
    EXPECT_NE(refusal(pending("recipes", std::string(4097, 'k'))), "");
    EXPECT_NE(refusal(pending("recipes", "")), "");
    EXPECT_NE(refusal(pending("recipes", std::string("a\0b", 3))), "");
    EXPECT_NE(refusal(pending("Recipes", "k")), "");
    EXPECT_NE(refusal(pending("../x", "k")), "");
    EXPECT_NE(refusal(pending("", "k")), "");
    EXPECT_NE(refusal(pending(std::string(33, 'a'), "k")), "");
}

TEST(HostileMessage, InvalidUtf8IsRefused) {
    // By hand: a program of another maker need not check what it writes.
    Bytes bytes = serialized(pending("recipes", "kk"));
    const auto place = std::find(bytes.begin(), bytes.end(), std::byte{'k'});
    *place = std::byte{0xff};
    EXPECT_FALSE(decode_message(bytes));
}

TEST(HostileMessage, ImpossibleTimesAndNumbersAreRefused) {
    wire::EngineMessage message = pending("recipes", "k");
    message.mutable_pending_change()->set_since_us(INT64_MAX);
    EXPECT_NE(refusal(message), "");
    message.mutable_pending_change()->set_since_us(INT64_MIN);
    EXPECT_NE(refusal(message), "");
    wire::EngineMessage request;
    request.mutable_index_request()->set_after(UINT64_MAX);
    EXPECT_NE(refusal(request), "");
    wire::EngineMessage report;
    report.mutable_time_report()->set_uncertainty_us(UINT64_MAX);
    EXPECT_NE(refusal(report), "");
}

TEST(HostileMessage, RevisionsNeedTheirParts) {
    const auto with = [](const std::function<void(wire::IndexEntry&)>& change) {
        wire::EngineMessage message;
        wire::IndexEntry& entry = *message.mutable_index_batch()->add_entries();
        entry.mutable_object()->set_provider("p");
        entry.mutable_object()->set_key("k");
        wire::Revision& revision = *entry.add_set()->mutable_revision();
        revision.set_sequence(1);
        revision.mutable_author()->set_station(std::string(16, 'a'));
        change(entry);
        return refusal(message);
    };
    EXPECT_EQ(with([](auto&) {}), "");
    EXPECT_NE(with([](auto& e) { e.mutable_set(0)->mutable_revision()->set_sequence(0); }), "");
    EXPECT_NE(with([](auto& e) { e.mutable_set(0)->mutable_revision()->clear_author(); }), "");
    EXPECT_NE(with([](auto& e) { e.mutable_set(0)->mutable_revision()->set_digest("short"); }), "");
    EXPECT_NE(with([](auto& e) { e.mutable_set(0)->set_rank(3); }), "");
    EXPECT_NE(with([](auto& e) { e.mutable_held()->set_sequence(4); }), "");
    EXPECT_NE(with([](auto& e) { e.add_packages(); }), "");
    EXPECT_NE(with([](auto& e) { e.mutable_set(0)->mutable_revision()->add_seen(); }), "");
    EXPECT_NE(with([](auto& e) { e.add_kept(); }), "") << "what is kept has a name";
    EXPECT_NE(with([](auto& e) {
                  e.add_packages()->mutable_package()->set_digest(std::string(32, 'd'));
              }),
              "")
        << "a package is one of a revision";
    EXPECT_NE(with([](auto& e) { e.clear_object(); }), "");
    EXPECT_EQ(with([](auto& e) { e.mutable_set(0)->mutable_revision()->set_kind(99); }), "");
}

TEST(HostileMessage, AReasonToWaitIsASentenceAtMost) {
    wire::EngineMessage message;
    message.mutable_apply_state()->set_provider("recipes");
    message.mutable_apply_state()->set_hindrance(2);
    message.mutable_apply_state()->set_text(std::string(wire_limits::text_bytes, 'x'));
    EXPECT_EQ(refusal(message), "");
    message.mutable_apply_state()->mutable_text()->push_back('x');
    EXPECT_NE(refusal(message), "");
}

TEST(HostileMessage, CountsAreLimited) {
    wire::EngineMessage message;
    for (int i = 0; i <= wire_limits::different; ++i) {
        message.mutable_verify_report()->add_different("k");
    }
    message.mutable_verify_report()->set_provider("p");
    EXPECT_NE(refusal(message), "");
    message.mutable_verify_report()->mutable_different()->RemoveLast();
    EXPECT_EQ(refusal(message), "");
}

TEST(HostileMessage, ProvidersOfAProfileAreSortedAndOnce) {
    wire::EngineMessage message;
    wire::Profile& profile = *message.mutable_profile();
    profile.set_station(std::string(16, 'a'));
    profile.set_station_name("S");
    profile.set_project("P");
    profile.add_providers()->set_name("b");
    EXPECT_EQ(refusal(message), "");
    profile.add_providers()->set_name("b");
    EXPECT_NE(refusal(message), "");
    profile.mutable_providers(1)->set_name("a");
    EXPECT_NE(refusal(message), "");
    profile.mutable_providers(1)->set_name("c");
    EXPECT_EQ(refusal(message), "");
}

TEST(HostileMessage, MillionsOfTinyElementsAreRefusedBeforeTheyAreBuilt) {
    // 2 bytes each in the message, some hundred in memory.
    const auto with = [](std::byte outer, std::byte element) {
        Bytes inner;
        while (inner.size() < (3u << 20)) {
            inner.push_back(element);
            inner.push_back(std::byte{0});
        }
        Bytes bytes{outer};
        for (std::size_t rest = inner.size(); rest != 0; rest >>= 7) {
            bytes.push_back(static_cast<std::byte>((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0)));
        }
        bytes.insert(bytes.end(), inner.begin(), inner.end());
        return decode_message(bytes).has_value();
    };
    EXPECT_FALSE(with(std::byte{0x32}, std::byte{0x22})); // IndexBatch.entries
    EXPECT_FALSE(with(std::byte{0x32}, std::byte{0x32})); // IndexBatch.established
    EXPECT_FALSE(with(std::byte{0x0a}, std::byte{0x42})); // Profile.providers
    EXPECT_FALSE(with(std::byte{0x0a}, std::byte{0x4a})); // Profile.addresses
    EXPECT_FALSE(with(std::byte{0x22}, std::byte{0x12})); // Greeting.known
    EXPECT_FALSE(with(std::byte{0x4a}, std::byte{0x0a})); // Introductions.stations
    EXPECT_FALSE(with(std::byte{0x72}, std::byte{0x22})); // VerifyReport.different
}

TEST(HostMessages, KeyUpdateReadsBackAsItWas) {
    const KeyUpdate update{ProjectKey::generate(), {123}, {45}};
    const auto read = decode_host_message(encode_host_message(update));
    ASSERT_TRUE(read && *read);
    EXPECT_TRUE(std::get<KeyUpdate>(**read) == update);
    EXPECT_FALSE(decode_host_message(Bytes(3, std::byte{0xff})));
    const auto none = decode_host_message({});
    ASSERT_TRUE(none);
    EXPECT_FALSE(none->has_value());
}

} // namespace
} // namespace stationsync::host
