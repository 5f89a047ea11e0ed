// Compiles all C headers as C++ with every warning on.
#include <stationsync/discovery.h>
#include <stationsync/host.h>
#include <stationsync/plugin.hpp>
#include <stationsync/provider.h>
#include <stationsync/provider_selftest.h>
#include <stationsync/provider_watch.h>
#include <stationsync/testing/fault_point.h>

#include <cstddef>

#define STATIC_CHECK static_assert
#include "layout.inc"
