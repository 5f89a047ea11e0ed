/* Compiles all C headers as C11 with every warning on. */
#include <stationsync/discovery.h>
#include <stationsync/host.h>
#include <stationsync/provider.h>
#include <stationsync/provider_selftest.h>
#include <stationsync/provider_watch.h>

#include <stddef.h>

#define STATIC_CHECK _Static_assert
#include "layout.inc"
