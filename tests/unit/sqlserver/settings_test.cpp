#include "settings.hpp"

#include "support/fake_host.hpp"

#include <gtest/gtest.h>

namespace stationsync::sqlserver {
namespace {

class SqlServerSettings : public ::testing::Test {
protected:
    ServerSettings read() { return server_settings_of(sdk::Host(host_.abi())); }
    std::string refusal() {
        try {
            read();
        } catch (const sdk::Error& error) {
            EXPECT_EQ(error.status(), STSYNC_INVALID_ARG);
            return error.what();
        }
        return "";
    }
    stationsync::test::FakeHost host_;
};

TEST_F(SqlServerSettings, AreReadFromTheConfiguration) {
    host_.config = {{"server", {"plant-pc"}}, {"instance", {"SQLEXPRESS"}},
                    {"port", {"1433"}},       {"user", {"sync"}},
                    {"encrypt", {"strict"}},  {"trust_certificate", {"true"}},
                    {"driver", {"FreeTDS"}}};
    const ServerSettings settings = read();
    EXPECT_EQ(settings.server, "plant-pc");
    EXPECT_EQ(settings.instance, "SQLEXPRESS");
    EXPECT_EQ(settings.port, 1433);
    EXPECT_EQ(settings.user, "sync");
    EXPECT_FALSE(settings.is_trusted);
    EXPECT_EQ(settings.encryption, Encryption::strict);
    EXPECT_EQ(settings.trusts_certificate, true);
    EXPECT_EQ(settings.driver, "FreeTDS");
    EXPECT_EQ(settings.database, "master");
}

TEST_F(SqlServerSettings, EncryptAndCheckCertificatesUnlessTold) {
    const ServerSettings settings = read();
    EXPECT_EQ(settings.encryption, Encryption::yes);
    EXPECT_FALSE(settings.trusts_certificate);
}

TEST_F(SqlServerSettings, RefuseWhatIsNotAllowed) {
    host_.config = {{"encrypt", {"maybe"}}};
    EXPECT_NE(refusal().find("encrypt"), std::string::npos);
    host_.config = {{"port", {"70000"}}};
    EXPECT_NE(refusal().find("port"), std::string::npos);
    host_.config = {{"password", {"geheim"}}};
    EXPECT_NE(refusal().find("secret set"), std::string::npos);
    EXPECT_EQ(refusal().find("geheim"), std::string::npos);
    host_.config = {{"connection", {"DSN=x"}}, {"server", {"y"}}};
    EXPECT_NE(refusal().find("contradict"), std::string::npos);
}

TEST_F(SqlServerSettings, ThePasswordIsASecretOfTheHost) {
    host_.config = {{"user", {"sync"}}};
    const ServerSettings settings = read();
    EXPECT_THROW(password_of(sdk::Host(host_.abi()), settings), sdk::Error);
    host_.secrets["password"] = "geheim47";
    EXPECT_EQ(password_of(sdk::Host(host_.abi()), read()), "geheim47");
}

} // namespace
} // namespace stationsync::sqlserver
