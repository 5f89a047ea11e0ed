// The byte streams of the host, under the name that this module's files include.
#pragma once

#include "base/byte_stream.hpp"
