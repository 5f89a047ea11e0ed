// The package comes up under a name of its own, then takes the place of the database.
#pragma once

#include "restore_scene.hpp"
#include "write_traces.hpp"

namespace stationsync::sqlserver {

// A file that the package would go to exists or belongs to another database: other names will do.
class FileClaimed : public sdk::Error {
public:
    using sdk::Error::Error;
};

// Restores the package under the intent's own name and makes it ready; the database is in use all
// the while. Throws FileClaimed, sdk::Error, sdk::Cancelled; `settle_side_by_side` then cleans up.
void prepare_incoming(RestoreScene& scene, const Intent& intent, const RestorePlan& plan,
                      std::string_view file, const sdk::Op* teller);

// Users are out: gives the database its other name, and the new one the name of the database. What
// it comes to is asked by settle_side_by_side. The traces of writes in what was there, nothing when
// they have to be asked for again. Throws sdk::Error: BUSY, naming who is in the way.
std::optional<WriteTraces> exchange_names(RestoreScene& scene, const Intent& intent);

// After exchange_names went through: notes the new content, lets users in, and puts away what was
// there. `old`: administrators, who are not put out, wrote to that; it is in its place again.
// Throws as settle_side_by_side.
Content finish_side_by_side(RestoreScene& scene, Intent intent,
                            const std::optional<WriteTraces>& traces);

// Finishes or undoes by what the server says, whatever broke off where: afterwards the database is
// online, open to its users and wholly old or new, nothing else of this service is left, and the
// intent is closed. Throws sdk::Error when the server cannot be asked or a person must look; the
// intent stays open then.
Content settle_side_by_side(RestoreScene& scene, Intent intent);

// What was set aside: true once nothing is left of it. Where the new database is gone by now it
// may be the last one of its content, and is kept for people. Throws sdk::Error.
bool settle_leftover(RestoreScene& scene, Intent leftover, Told told);

// The same where no record tells anything, by the names alone: what lost its name is given it back,
// as a content never seen, and the rest is dropped, now or later; what was kept offline stays.
// Throws sdk::Error.
void settle_leftovers(RestoreScene& scene, const std::string& key, const std::string& database,
                      const WorkNames& stems);

} // namespace stationsync::sqlserver
