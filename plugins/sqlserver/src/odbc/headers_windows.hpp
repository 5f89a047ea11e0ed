// What the headers of ODBC need on Windows.
#pragma once

#define NOMINMAX
#include <windows.h>

#include <sql.h>
#include <sqlext.h>
#include <sqlucode.h>
