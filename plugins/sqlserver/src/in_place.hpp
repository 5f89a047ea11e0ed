// The package overwrites the database, behind a proved copy of it.
#pragma once

#include "restore_scene.hpp"

#include <functional>

namespace stationsync::sqlserver {

// Users are out: writes the copy and proves that it can be read. Throws sdk::Error, sdk::Cancelled.
void save_copy(RestoreScene& scene, const Intent& intent, const sdk::Op* teller);

// Takes the database offline, so that nobody can take a place in it, and restores the package over
// it; what turns out to be damaged is given up. `recheck` throws when somebody wrote since, and is
// called before each further attempt to get it offline. Throws sdk::Error; what it came to is asked
// by settle_in_place.
void overwrite(RestoreScene& scene, Intent& intent, const RestorePlan& plan, std::string_view file,
               const sdk::Op* teller, const std::function<void()>& recheck);

// RESTORE of the copy over the database, which only administrators may use afterwards. REPLACE
// would also let it write over files that belong to no database: where the database has been
// dropped in the meantime (`is_there`), those that stand in its place are somebody else's.
std::string rescue_statement(std::string_view database, std::string_view copy,
                             bool is_there = true);

// As settle_side_by_side. Where the content is gone half-way, the copy is restored; when that does
// not work either, the copy stays and the sentence says how to restore it.
Content settle_in_place(RestoreScene& scene, Intent intent);

} // namespace stationsync::sqlserver
