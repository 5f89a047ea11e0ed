#include "connection_string.hpp"

#include <stationsync/error.hpp>

#include <gtest/gtest.h>

namespace stationsync::sqlserver {
namespace {

const Driver microsoft{"ODBC Driver 18 for SQL Server", DriverFamily::microsoft, 18};
const Driver older{"ODBC Driver 17 for SQL Server", DriverFamily::microsoft, 17};
const Driver windows{"SQL Server", DriverFamily::windows, 0};
const Driver freetds{"FreeTDS", DriverFamily::freetds, 0};
const Driver unknown{"Mine", DriverFamily::other, 0};

ServerSettings plant() {
    ServerSettings settings;
    settings.server = "plant-pc";
    settings.instance = "SQLEXPRESS";
    settings.user = "stationsync";
    return settings;
}

std::string made(const ServerSettings& settings, const Driver& driver,
                 std::string_view password = "secret") {
    return make_connection_string(settings, driver, password, "StationSync look 1").text();
}

std::string refusal(const ServerSettings& settings, const Driver& driver,
                    std::string_view password = "secret") {
    try {
        return "took " + made(settings, driver, password);
    } catch (const sdk::Error& error) {
        EXPECT_EQ(error.status(), STSYNC_INVALID_ARG);
        return error.what();
    }
}

// Reads a string the way Microsoft's drivers do: braces, with } doubled within.
std::optional<std::string> as_microsoft(std::string_view text, const std::string& key) {
    return ConnectionString(std::string(text)).value(key);
}

// Reads it the way FreeTDS does: a value in braces ends at the first "};" or at the end.
std::optional<std::string> as_freetds(std::string text, const std::string& key) {
    while (!text.empty()) {
        const std::size_t equals = text.find('=');
        if (equals == std::string::npos)
            return std::nullopt;
        const std::string found = text.substr(0, equals);
        text.erase(0, equals + 1);
        const bool is_braced = text.starts_with("{");
        std::size_t end = text.find(is_braced ? "};" : ";");
        if (end == std::string::npos)
            end = text.size() - (is_braced ? 1 : 0);
        std::string value = text.substr(is_braced ? 1 : 0, end - (is_braced ? 1 : 0));
        text.erase(0, std::min(text.size(), end + (is_braced ? 2 : 1)));
        if (found == key)
            return value;
    }
    return std::nullopt;
}

TEST(ConnectionString, ForMicrosoftsDriver) {
    EXPECT_EQ(made(plant(), microsoft),
              "Driver={ODBC Driver 18 for SQL Server};Server=plant-pc\\SQLEXPRESS;"
              "UID=stationsync;Encrypt=yes;TrustServerCertificate=no;Database=master;"
              "PWD={secret};APP={StationSync look 1};MARS_Connection=no;ConnectRetryCount=0;");
}

TEST(ConnectionString, ForFreeTdsAlwaysSaysWhichTds) {
    ServerSettings settings = plant();
    settings.instance.clear();
    settings.port = 14331;
    settings.trusts_certificate = true;
    EXPECT_EQ(made(settings, freetds),
              "Driver={FreeTDS};Server=plant-pc;Port=14331;UID=stationsync;Encryption=require;"
              "Database=master;PWD={secret};APP={StationSync look 1};ClientCharset=UTF-8;"
              "TDS_Version=7.4;");
    // One that nobody knows may be FreeTDS under another name.
    EXPECT_NE(made(settings, unknown).find("TDS_Version=7.4;"), std::string::npos);
    settings.encryption = Encryption::no;
    EXPECT_NE(made(settings, freetds).find("Encryption=request;"), std::string::npos);
}

TEST(ConnectionString, NamesAFixedPortForWhichNobodyIsAsked) {
    ServerSettings settings = plant();
    settings.port = 1433;
    EXPECT_NE(made(settings, microsoft).find("Server=plant-pc,1433;"), std::string::npos);
    EXPECT_EQ(made(settings, microsoft).find("SQLEXPRESS"), std::string::npos);
}

TEST(ConnectionString, TrustsTheCertificateOfThisComputerOnly) {
    ServerSettings settings = plant();
    EXPECT_NE(made(settings, older).find("TrustServerCertificate=no"), std::string::npos);
    settings.trusts_certificate = true;
    EXPECT_NE(made(settings, older).find("TrustServerCertificate=yes"), std::string::npos);
    settings.trusts_certificate.reset();
    for (const char* const here : {"", ".", "localhost", "(local)", "LOCALHOST", "127.0.0.1"}) {
        settings.server = here;
        EXPECT_NE(made(settings, older).find("TrustServerCertificate=yes"), std::string::npos)
            << here;
    }
    settings.trusts_certificate = false;
    EXPECT_NE(made(settings, older).find("TrustServerCertificate=no"), std::string::npos);
}

TEST(ConnectionString, FreeTdsDoesNotCheckCertificatesAndSaysSo) {
    EXPECT_NE(refusal(plant(), freetds).find("trust_certificate = true"), std::string::npos);
    ServerSettings local = plant();
    local.server = "localhost";
    EXPECT_NE(made(local, freetds).find("Encryption=require"), std::string::npos);
}

TEST(ConnectionString, LogsInAsTheServiceWhenTrusted) {
    ServerSettings settings = plant();
    settings.user.clear();
    settings.is_trusted = true;
    const std::string text = made(settings, windows);
    EXPECT_NE(text.find("Trusted_Connection=yes;"), std::string::npos);
    EXPECT_EQ(text.find("UID"), std::string::npos);
    EXPECT_EQ(text.find("PWD"), std::string::npos);
    EXPECT_EQ(text.find("ConnectRetryCount"), std::string::npos) << "it does not know it";
}

TEST(ConnectionString, SettingsThatContradictEachOtherAreRefused) {
    ServerSettings both = plant();
    both.is_trusted = true;
    EXPECT_NE(refusal(both, microsoft).find("contradict"), std::string::npos);
    ServerSettings neither = plant();
    neither.user.clear();
    EXPECT_NE(refusal(neither, microsoft).find("how to log in"), std::string::npos);
    ServerSettings strict = plant();
    strict.encryption = Encryption::strict;
    EXPECT_NE(refusal(strict, older).find("strict"), std::string::npos);
    EXPECT_NE(made(strict, microsoft).find("Encrypt=strict;"), std::string::npos);
    EXPECT_NE(refusal(strict, freetds).find("strict"), std::string::npos);
}

TEST(ConnectionString, NoPlaceBringsAKeyOfItsOwn) {
    for (const char* const hostile :
         {"a;UID=sa", "a}b", "{a", "a=b", "a b", "a,1", "tcp:a/b", "a\\b", "a\nb", "a'b", "\xff"}) {
        ServerSettings settings = plant();
        settings.server = hostile;
        EXPECT_NE(refusal(settings, microsoft).find("\"server\""), std::string::npos) << hostile;
        settings = plant();
        settings.instance = hostile;
        EXPECT_NE(refusal(settings, microsoft).find("\"instance\""), std::string::npos) << hostile;
    }
    ServerSettings settings = plant();
    settings.server = "fd00::7";
    EXPECT_NE(made(settings, microsoft).find("Server=fd00::7\\SQLEXPRESS"), std::string::npos);
}

TEST(QuotedValue, ComesOutOfEachDriverAsItWentIn) {
    const std::vector<std::string> parts = {"{",  "}", ";", "=", "'", "\"",
                                            "\\", "[", " ", "ž", "😀"};
    for (const std::string& a : parts)
        for (const std::string& b : parts)
            for (const std::string& c : parts) {
                std::string password = a;
                password.append("x").append(b).append(c);
                ServerSettings settings = plant();
                settings.server = "localhost";
                EXPECT_EQ(as_microsoft(made(settings, microsoft, password), "PWD"), password);
                if (password.find("};") == std::string::npos) {
                    EXPECT_EQ(as_freetds(made(settings, freetds, password), "PWD"), password);
                }
                settings.user = password;
                EXPECT_EQ(as_microsoft(made(settings, microsoft, "p"), "UID"), password);
            }
}

TEST(QuotedValue, WhatFreeTdsTakesForTheEndIsRefusedWithoutBeingShown) {
    ServerSettings settings = plant();
    settings.server = "localhost";
    const std::string said = refusal(settings, freetds, "geheim};DSN=x");
    EXPECT_NE(said.find("};"), std::string::npos);
    EXPECT_EQ(said.find("geheim"), std::string::npos);
    EXPECT_NE(refusal(settings, unknown, "geheim}").find("may misread"), std::string::npos);
    EXPECT_NE(refusal(settings, microsoft, "a\nb").find("control character"), std::string::npos);
    EXPECT_NE(refusal(settings, microsoft, std::string_view("a\0b", 3)).find("control character"),
              std::string::npos);
    EXPECT_NE(refusal(settings, microsoft, "\xff").find("no valid text"), std::string::npos);
}

TEST(OwnString, IsCompletedNotChanged) {
    ServerSettings settings;
    settings.connection = "DSN=Plant;UID=sync;Encryption=off";
    EXPECT_EQ(made(settings, unknown),
              "DSN=Plant;UID=sync;Encryption=off;Database=master;PWD={secret};"
              "APP={StationSync look 1};ClientCharset=UTF-8;TDS_Version=7.4;");
    settings.connection = "Driver={ODBC Driver 18 for SQL Server};Server=.\\X;"
                          "Trusted_Connection=yes;app=Mine;connectretrycount=2;database=Master;";
    EXPECT_EQ(made(settings, microsoft, ""), settings.connection + "MARS_Connection=no;");
}

TEST(OwnString, MayNotSayWhatWouldBeDangerous) {
    const auto refused = [](const char* text, const Driver& driver) {
        ServerSettings settings;
        settings.connection = text;
        return refusal(settings, driver);
    };
    EXPECT_NE(refused("DSN=P;PWD=geheim", microsoft).find("must not stand"), std::string::npos);
    EXPECT_EQ(refused("DSN=P;PWD=geheim", microsoft).find("geheim"), std::string::npos);
    EXPECT_NE(refused("Server=x", microsoft).find("driver or a data source"), std::string::npos);
    for (const char* const version : {"5.0", "auto", "4.2", "7.0", "8.0", ""})
        EXPECT_NE(refused(("DSN=P;tds_version=" + std::string(version)).c_str(), freetds)
                      .find("TDS_Version"),
                  std::string::npos)
            << version;
    EXPECT_NE(refused("DSN=P;TDS_Version=7.4;TDS_Version=5.0", freetds).find("TDS_Version"),
              std::string::npos);
    EXPECT_NE(refused("DSN=P;TDS_Version=5.0;TDS_Version=7.4", freetds).find("TDS_Version"),
              std::string::npos);
    EXPECT_NE(refused("DSN=P;MARS_Connection=yes", microsoft).find("MARS"), std::string::npos);
    EXPECT_NE(refused("DSN=P;Database=Batch", microsoft).find("master"), std::string::npos);
    ServerSettings fine;
    fine.connection = "DSN=P;TDS_Version=7.4";
    EXPECT_EQ(made(fine, freetds).find("TDS_Version=7.4;TDS"), std::string::npos);
}

TEST(Secrets, AreTakenOutOfWhateverADriverSays) {
    ServerSettings settings = plant();
    const ConnectionString string =
        make_connection_string(settings, microsoft, "pa}ss", "StationSync");
    EXPECT_EQ(string.without_secrets("login with pa}ss or {pa}}ss} failed"),
              "login with *** or {***} failed");
    const ConnectionString own("DSN=x;AccessToken={abc};Client Secret=def");
    EXPECT_EQ(own.without_secrets("abc def"), "*** ***");
}

TEST(Warnings, SayWhatIsLessSafeThanItCouldBe) {
    EXPECT_TRUE(connection_warnings(plant()).empty());
    ServerSettings settings = plant();
    settings.encryption = Encryption::no;
    EXPECT_EQ(connection_warnings(settings).size(), 1u);
    settings.encryption = Encryption::yes;
    settings.trusts_certificate = true;
    EXPECT_EQ(connection_warnings(settings).size(), 1u);
    settings.server = "localhost";
    EXPECT_TRUE(connection_warnings(settings).empty());
}

} // namespace
} // namespace stationsync::sqlserver
