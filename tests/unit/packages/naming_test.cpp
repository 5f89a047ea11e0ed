#include "base/path_text.hpp"
#include "packages/package_description.hpp"
#include "packages/package_name.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace stationsync::host {
namespace {

PackageName name_of(std::string key, std::string extension) {
    PackageName name;
    name.object = {"recipes", std::move(key)};
    name.changed_at_us = 1'767'225'599'999'999; // 2025-12-31T23:59:59.999999Z
    name.station.bytes = {0x8f, 0x3a, 0x12, 0xbc, 0xff};
    name.sequence = 1'767'225'600'123;
    name.extension = std::move(extension);
    return name;
}

TEST(PackageName, FileNameTellsTimeStationAndRevision) {
    EXPECT_EQ(package_file_name(name_of("a", ".bak")),
              "20251231T235959Z-8f3a12bc-1767225600123.bak");
    EXPECT_EQ(package_file_name(name_of("a", ""), 2), "20251231T235959Z-8f3a12bc-1767225600123-2");
}

TEST(PackageName, ExtensionCannotPretendToBeSomethingElse) {
    for (const char* extension :
         {".part", ".rev", "./../x", ".", "bak", ".averylongextension", ".a b", ".a/b"}) {
        EXPECT_TRUE(package_file_name(name_of("a", extension)).ends_with(".bin")) << extension;
    }
}

TEST(PackageName, TimesBeyondFourDigitYearsKeepTheForm) {
    PackageName name = name_of("a", "");
    for (const WallTime time : {std::numeric_limits<WallTime>::min(), WallTime{0},
                                std::numeric_limits<WallTime>::max()}) {
        name.changed_at_us = time;
        const std::string text = package_file_name(name);
        EXPECT_EQ(text.find("Z-8f3a12bc"), 15U) << text;
    }
}

TEST(PackageName, FolderIsReadableAndCarriesTheHashOfTheKey) {
    // SHA-256 of "Linie 1/Rezept.xml".
    EXPECT_EQ(object_folder_name("Linie 1/Rezept.xml", 60).substr(0, 19), "Linie 1_Rezept.xml~");
    EXPECT_EQ(object_folder_name("abc", 60), "abc~ba7816bf8f01cfea");
    EXPECT_EQ(object_folder_suffix("abc"), "~ba7816bf8f01cfea");
    EXPECT_NE(object_folder_name("A", 60), object_folder_name("a", 60));
}

TEST(PackageName, FolderOfAnyLengthOfPathIsAmongTheNames) {
    for (const std::string& key : {std::string(200, 'k'), std::string("a"),
                                   std::string("Maische\u00fc\u00e4\u00f6 1. Sorte"),
                                   std::string("COM1 and more"), std::string("ab. . . .cd")}) {
        const std::vector<std::string> names = object_folder_names(key);
        for (std::size_t base_bytes = 0; base_bytes <= 250; ++base_bytes) {
            const auto folder = object_folder({"recipes", key}, base_bytes).filename();
            EXPECT_NE(std::find(names.begin(), names.end(), path_text(folder)), names.end())
                << key << " " << base_bytes;
        }
        EXPECT_LE(names.size(), key.size());
    }
}

TEST(PackageName, HostileKeysStayInTheirFolder) {
    for (const char* key : {"../../etc/passwd", "/abs", "C:\\x", "..", ".", "a\nb", "CON"}) {
        const auto folder = object_folder({"recipes", key}, 20);
        EXPECT_EQ(std::distance(folder.begin(), folder.end()), 2) << key;
        for (const auto& part : folder) {
            EXPECT_NE(part, "..");
        }
    }
    EXPECT_EQ(object_folder({"../x", "k"}, 20).begin()->string(), "___x");
}

TEST(PackageName, WholePathStaysUnderTwoHundredBytes) {
    const std::string key(4096, 'k');
    for (const std::size_t base : {std::size_t{10}, std::size_t{40}, std::size_t{75}}) {
        PackageName name = name_of(key, ".12345678901");
        name.object.provider = std::string(32, 'p');
        const std::size_t bytes = base + 1 + path_text(object_folder(name.object, base)).size() +
                                  1 + package_file_name(name).size() +
                                  std::string_view(".have.part").size();
        EXPECT_LT(bytes, 200U) << base;
    }
    // Where there is room, READABLE has its 60 bytes.
    EXPECT_NE(path_text(object_folder({"recipes", key}, 30)).find(std::string(60, 'k') + "~"),
              std::string::npos);
}

TEST(PackageDescription, RoundTrips) {
    PackageDescription description;
    description.package.digest.bytes[3] = 9;
    description.package.bytes = 1'234'567'890'123;
    description.package.modified_100ns = -42;
    description.object = {"recipes", "Ä/b"};
    description.revision = std::string("opaque\0bytes", 12);
    description.note = "conflict_lost";
    const auto decoded = decode_description(encode(description));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(*decoded, description);
}

TEST(PackageDescription, EveryFlippedByteIsNoticed) {
    PackageDescription description;
    description.object = {"recipes", "key"};
    description.revision = "revision";
    const auto bytes = encode(description);
    for (std::size_t index = 0; index < bytes.size(); ++index) {
        auto damaged = bytes;
        damaged[index] ^= std::byte{1};
        EXPECT_FALSE(decode_description(damaged)) << index;
        EXPECT_FALSE(decode_description(std::span(bytes).first(index)));
    }
}

} // namespace
} // namespace stationsync::host
