/* Versions of the plugin ABI and of this SDK. */
#pragma once

/* Major version of the ABI: part of the entry function's name, changes only with it. */
#define STSYNC_ABI_MAJOR 1
/* Informative: grows when a new table or a new tail field is published. Never a reason to refuse.
 */
#define STSYNC_ABI_MINOR 0
/* Version of these headers, for messages. */
#define STSYNC_SDK_VERSION "1.0.0"
