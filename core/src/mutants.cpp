#include "mutants.hpp"

namespace stationsync::core {

Mutant active_mutant = Mutant::none;

} // namespace stationsync::core
