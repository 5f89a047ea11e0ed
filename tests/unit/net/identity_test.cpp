#include "net/private_file.hpp"
#include "net/station_identity.hpp"
#include "temporary_folder.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace stationsync::host {
namespace {

namespace fs = std::filesystem;

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

TEST(StationIdentity, IdIsTheHashOfThePublicKeyAsVersion8Uuid) {
    // SHA-256 of 32 zero bytes begins 66687aadf862bd776c8fc18b8e9f8e20.
    const core::StationId id = station_id_of(PublicKey{});
    const std::array<std::uint8_t, 16> expected{0x66, 0x68, 0x7a, 0xad, 0xf8, 0x62, 0x8d, 0x77,
                                                0xac, 0x8f, 0xc1, 0x8b, 0x8e, 0x9f, 0x8e, 0x20};
    EXPECT_EQ(id.bytes, expected);
}

TEST(StationIdentity, IsTheSameAfterLoading) {
    TemporaryFolder folder;
    const auto made = StationIdentity::load_or_create(folder / "state/identity.key");
    ASSERT_TRUE(made) << made.error().text;
    const auto loaded = StationIdentity::load_or_create(folder / "state/identity.key");
    ASSERT_TRUE(loaded) << loaded.error().text;
    EXPECT_EQ(loaded->id(), made->id());
    EXPECT_EQ(loaded->public_key(), made->public_key());
    EXPECT_TRUE(verify_signature(made->public_key(), bytes_of("x"), loaded->sign(bytes_of("x"))));
}

TEST(StationIdentity, NewIdentityReplacesTheOldOne) {
    TemporaryFolder folder;
    const auto old = StationIdentity::load_or_create(folder / "identity.key");
    const auto replaced = StationIdentity::replace(folder / "identity.key");
    ASSERT_TRUE(old && replaced);
    EXPECT_NE(old->id(), replaced->id());
    EXPECT_EQ(StationIdentity::load(folder / "identity.key")->id(), replaced->id());
}

TEST(StationIdentity, KeyFileIsForThisAccountOnly) {
    TemporaryFolder folder;
    ASSERT_TRUE(StationIdentity::replace(folder / "identity.key"));
    const auto mode = fs::status(folder / "identity.key").permissions() & fs::perms::mask;
    EXPECT_EQ(mode, fs::perms::owner_read | fs::perms::owner_write);
}

TEST(StationIdentity, LoosePermissionsAreRefusedWithARemedy) {
    TemporaryFolder folder;
    const fs::path path = folder / "identity.key";
    ASSERT_TRUE(StationIdentity::replace(path));
    fs::permissions(path, fs::perms::group_read, fs::perm_options::add);
    const auto loaded = StationIdentity::load_or_create(path);
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().kind, IoErrorKind::denied);
    EXPECT_NE(loaded.error().text.find("0640"), std::string::npos) << loaded.error().text;
    EXPECT_NE(loaded.error().text.find("chmod 600"), std::string::npos);
}

TEST(StationIdentity, KeyIsNeverReadThroughALink) {
    TemporaryFolder folder;
    ASSERT_TRUE(StationIdentity::replace(folder / "real.key"));
    fs::create_symlink(folder / "real.key", folder / "identity.key");
    const auto loaded = StationIdentity::load(folder / "identity.key");
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().kind, IoErrorKind::denied);
}

TEST(StationIdentity, DamagedFileIsRefusedAndNeverReplaced) {
    TemporaryFolder folder;
    const fs::path path = folder / "identity.key";
    ASSERT_TRUE(write_private_file(path, "-----BEGIN PRIVATE KEY-----\nMC4=\n"));
    const auto loaded = StationIdentity::load_or_create(path);
    ASSERT_FALSE(loaded);
    EXPECT_NE(loaded.error().text.find("new-identity"), std::string::npos);
    EXPECT_EQ(*read_private_file(path), "-----BEGIN PRIVATE KEY-----\nMC4=\n");
}

TEST(StationIdentity, SignatureOfAnotherKeyOrMessageIsWrong) {
    const auto a = StationIdentity::generate();
    const auto b = StationIdentity::generate();
    Signature signature = a.sign(bytes_of("message"));
    EXPECT_TRUE(verify_signature(a.public_key(), bytes_of("message"), signature));
    EXPECT_FALSE(verify_signature(b.public_key(), bytes_of("message"), signature));
    EXPECT_FALSE(verify_signature(a.public_key(), bytes_of("massage"), signature));
    signature[10] ^= std::byte{1};
    EXPECT_FALSE(verify_signature(a.public_key(), bytes_of("message"), signature));
}

TEST(StationIdentity, PublicKeyThatIsNoPointOfTheCurveVerifiesNothing) {
    const auto a = StationIdentity::generate();
    PublicKey nonsense;
    nonsense.fill(std::byte{0xff});
    EXPECT_FALSE(verify_signature(nonsense, bytes_of("m"), a.sign(bytes_of("m"))));
}

TEST(StationId, ReadsItsTextInBothCases) {
    const auto id = StationIdentity::generate().id();
    constexpr std::string_view text = "66687aad-f862-8d77-ac8f-c18b8e9f8e20";
    const auto parsed = parse_station_id(text);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(*parsed, station_id_of(PublicKey{}));
    EXPECT_EQ(parse_station_id("66687AAD-F862-8D77-AC8F-C18B8E9F8E20"), parsed);
    EXPECT_NE(*parsed, id);
    for (const std::string_view bad :
         {"", "66687aad", "66687aadxf862-8d77-ac8f-c18b8e9f8e20",
          "66687aad-f862-8d77-ac8f-c18b8e9f8e2g", "66687aad-f862-8d77-ac8f-c18b8e9f8e201"}) {
        EXPECT_FALSE(parse_station_id(bad)) << bad;
    }
}

} // namespace
} // namespace stationsync::host
