// The headers of unixODBC, which need nothing else.
#pragma once

#include <sql.h>
#include <sqlext.h>
#include <sqlucode.h>
