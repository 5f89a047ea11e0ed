"""A pair has two links, one of them breaks in the middle of a transfer: the rest comes over the other."""

import os
import unittest

from relays import Relay
from stations import Plant, files_provider, put, wait_until

MIB = 1 << 20


class DroppedLink(unittest.TestCase):
    def check(self, writer, drop):
        """Station `writer` (0 or 1) has the file; `drop` ends the line that carries it."""
        with Plant("AB") as plant:
            plant.join_all(files_provider)
            lines = [Relay(self, f"{station.address}:0", f"{station.address}:8883") for station in plant]
            for number, station in enumerate(plant):
                # Addresses that the other station tells would lead around the relay.
                station.station_setting("net", "dial_ports = [1]")
                station.configure(files_provider(station), dial=[lines[1 - number].address])
                lines[number].tell(f"rate {8 * MIB}")
            plant.start_all().wait_connected()
            for station, other in (plant, reversed(plant.stations)):
                wait_until(lambda station=station, other=other:
                           station.peer(other)["found"] and station.peer(other)["found_by"], "both links stand")
            content = os.urandom(64 * MIB)
            put(plant[writer].data / "recipes" / "big.bin", content)
            carrying = wait_until(lambda: next((line for line in lines if line.carried() > 8 * MIB), None),
                                  "the transfer runs")
            drop(carrying)
            # Longer than a silent link is believed in, shorter than a silent source.
            plant[1 - writer].wait_file("recipes/big.bin", content, timeout=120)
            plant.wait_all_synced()
            self.assertLess(sum(line.carried() for line in lines), 100 * MIB)

    def test_reset_from_a_to_b(self):
        self.check(0, Relay.reset)

    def test_reset_from_b_to_a(self):
        self.check(1, Relay.reset)

    def test_silent_from_a_to_b(self):
        self.check(0, Relay.fall_silent)

    def test_silent_from_b_to_a(self):
        self.check(1, Relay.fall_silent)


if __name__ == "__main__":
    unittest.main()
