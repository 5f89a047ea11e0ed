// Named crash points of test builds; the macro STSYNC_FAULT_POINT(name) and its protocol are those
// of the SDK, so that host and plugins share one registry. Release builds contain nothing of it.
#pragma once

#include "stationsync/testing/fault_point.h"
