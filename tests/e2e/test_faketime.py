"""The release binary reads the system's wall clock: checked once with libfaketime."""

import glob
import unittest

from stations import Plant, files_provider, put, wait_until


def faked(**more):
    libraries = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    if not libraries:
        raise unittest.SkipTest("libfaketime is not installed")
    return {"LD_PRELOAD": libraries[0], "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1", **more}


def wait_rejected(*pairs):
    for station, other in pairs:
        wait_until(lambda station=station, other=other: (p := station.peer(other)) and p["state"] == "rejected"
                   and any(r["check"] == "time" for r in p["reasons"]),
                   f"{station.name} rejects {other.name} for its clock")


class FakeTime(unittest.TestCase):
    def test_two_hours_either_way_while_running(self):
        with Plant("AB") as plant:
            a, b = plant
            plant.join_all(files_provider)
            offset = b.folder / "offset"
            offset.write_text("+0\n")
            a.start()
            b.start(faked(FAKETIME_TIMESTAMP_FILE=str(offset), FAKETIME_NO_CACHE="1"))
            put(a.data / "recipes" / "r.txt", b"before")
            b.wait_file("recipes/r.txt", b"before")
            plant.wait_all_synced()

            def step(hours, to):
                text = f"clock of this computer was set by {hours * 3600} s"
                before = b.messages(text)
                offset.write_text(to + "\n")
                wait_until(lambda: (now := b.messages(text)) and now != before, f"{b.name} says '{text}', now")

            for hours in (2, -2):
                published = [s.provider("recipes")["published"] for s in plant]
                step(hours, f"{hours:+}h")
                wait_rejected((a, b), (b, a))
                # Waited for as well: two steps between two looks at the clock are seen as one of four hours.
                step(-hours, "+0")
                plant.wait_connected()
                plant.wait_all_synced()
                self.assertEqual([s.provider("recipes")["published"] for s in plant], published, "no change is seen")
            put(b.data / "recipes" / "r.txt", b"after")
            a.wait_file("recipes/r.txt", b"after")

    def test_61_seconds_off_is_rejected(self):
        with Plant("AB") as plant:
            a, b = plant
            plant.join_all(files_provider)
            a.start()
            b.start(faked(FAKETIME="+61s"))
            wait_rejected((a, b), (b, a))
            b.stop()
            b.start()
            plant.wait_connected()


if __name__ == "__main__":
    unittest.main()
