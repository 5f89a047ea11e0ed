#pragma once

#include "support/fake_host.hpp"

#include <stationsync/discovery.h>

#include <gtest/gtest.h>

#include <chrono>

namespace stationsync::test {

// Stops and destroys a discovery instance as the service does at its end, within the time that is
// allowed. None is left alone; there is none afterwards.
inline void end_discovery(const stsync_discovery_v1* table, const stsync_instance*& instance) {
    if (instance == nullptr)
        return;
    FakeOp op;
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_EQ(table->stop(instance, op.abi()), STSYNC_OK);
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(2));
    EXPECT_EQ(instance->destroy(instance), STSYNC_OK);
    instance = nullptr;
}

} // namespace stationsync::test
