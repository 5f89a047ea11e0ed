#include "configuration_schema.hpp"
#include "provider_settings.hpp"
#include "support/fake_host.hpp"

#include <gtest/gtest.h>

namespace stationsync::sqlserver {
namespace {

TEST(DatabaseNames, NamesPatternsAndKeysSayWhatIsOurs) {
    const DatabaseNames names({"Batch", "recipes=Recipes_Line4", "plant_*", "x?"});
    EXPECT_EQ(names.key_of("Batch"), "Batch");
    EXPECT_EQ(names.key_of("BATCH"), "Batch");
    EXPECT_EQ(names.key_of("Recipes_Line4"), "recipes");
    EXPECT_EQ(names.database_of("recipes"), "Recipes_Line4");
    EXPECT_EQ(names.key_of("recipes"), std::nullopt) << "the key is taken";
    EXPECT_EQ(names.key_of("Plant_7"), "Plant_7");
    EXPECT_EQ(names.key_of("xä"), "xä") << "one character";
    EXPECT_EQ(names.key_of("xyz"), std::nullopt);
    EXPECT_EQ(names.database_of("plant_7"), "plant_7");
    EXPECT_THROW(names.database_of("other"), sdk::Error);
}

TEST(DatabaseNames, ThoseOfTheServerAreNeverOurs) {
    const DatabaseNames all({"*"});
    for (const char* const name : {"master", "Model", "MSDB", "tempdb", "distribution", "~syncin_1",
                                   "~SyncOld_1", "~SyncKept_Plant_1 (before 1)"}) {
        EXPECT_EQ(all.key_of(name), std::nullopt) << name;
        EXPECT_THROW(all.database_of(name), sdk::Error) << name;
        EXPECT_THROW(DatabaseNames({std::string("k=") + name}), sdk::Error) << name;
    }
}

TEST(DatabaseNames, WhatCannotBeMeantIsRefused) {
    for (const std::vector<std::string>& elements : {std::vector<std::string>{},
                                                     {""},
                                                     {"a", "A"},
                                                     {"k=a", "K=b"},
                                                     {"k=a*"},
                                                     {"=a"},
                                                     {std::string(129, 'n')}})
        EXPECT_THROW(DatabaseNames{elements}, sdk::Error);
}

TEST(ProviderSettings, WrongValuesNameTheirKey) {
    for (const std::pair<std::string, std::string>& wrong :
         {std::pair<std::string, std::string>{"restore", "sideways"},
          {"on_uncertain", "perhaps"},
          {"poll_seconds", "0"},
          {"stall_minutes", "soon"},
          {"backup_folder", "relative"},
          {"backup_folder_on_server", "C:\\x"}}) {
        test::FakeHost host;
        host.config["databases"] = {"plant"};
        host.config[wrong.first] = {wrong.second};
        try {
            provider_settings_of(sdk::Host(host.abi()));
            ADD_FAILURE() << wrong.first;
        } catch (const sdk::Error& error) {
            EXPECT_EQ(error.status(), STSYNC_INVALID_ARG);
            EXPECT_NE(std::string(error.what()).find(wrong.first), std::string::npos);
        }
    }
}

TEST(ProviderSettings, TheSchemaHasEveryKey) {
    for (const char* const key :
         {"databases", "server", "instance", "port", "user", "password", "trusted", "encrypt",
          "trust_certificate", "driver", "connection", "backup_folder", "compression",
          "exact_build", "on_uncertain", "restore", "poll_seconds"})
        EXPECT_NE(configuration_schema.find('"' + std::string(key) + "\":"), std::string::npos)
            << key;
}

} // namespace
} // namespace stationsync::sqlserver
