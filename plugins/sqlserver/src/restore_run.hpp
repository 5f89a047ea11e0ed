// One apply, from its checks to its end.
#pragma once

#include "restore_scene.hpp"
#include "restorer.hpp"

namespace stationsync::sqlserver {

// Name, size and time of a package: another one as soon as the host has fetched it again.
std::string identity_of(const std::filesystem::path& package);

// As Restorer::apply, where nothing of an earlier one is open. What fails after the users were put
// out is remembered in `failed`.
Applied run_restore(RestoreScene scene, SqlServer& server, const ExchangeFolder& folder,
                    UndecidedDatabases& undecided, FailedApplies& failed,
                    const ApplyRequest& request, const sdk::Op& op);

} // namespace stationsync::sqlserver
