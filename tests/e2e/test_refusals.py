"""What a person does wrong is refused on standard error, with cause and remedy, and with exit code 1."""

import shutil
import subprocess
import unittest

from stations import Plant, files_provider, put, wait_until


class UnknownNames(unittest.TestCase):
    def refused(self, station, *arguments):
        done = station.command(*arguments)
        self.assertEqual((done.returncode, done.stdout), (1, ""), f"{arguments}: {done.stderr}")
        return done.stderr

    def test_a_provider_that_is_not_there_is_refused_by_every_command(self):
        with Plant("A") as plant:
            a = plant[0].init()
            a.configure(files_provider(a), files_provider(a, "off", "off", extra="enabled = false")).start()
            put(a.data / "recipes" / "r.txt", b"text")
            a.wait_synced("recipes", "r.txt")
            for command in (("verify", "nope"), ("objects", "--provider", "nope"), ("history", "nope"),
                            ("history", "nope/x"), ("wait", "nope"), ("wait", "nope/x"), ("explain", "nope/x"),
                            ("send-now", "nope"), ("send-now", "nope/x"), ("publish", "nope/x"),
                            ("restore", "nope/x", "--version", "1"), ("establish", "nope"),
                            ("provider", "accept-root", "nope")):
                said = " ".join(self.refused(a, *command).split())
                self.assertIn('no provider "nope" in project "Plant"; it has off, recipes', said, command)
                self.assertIn("Correct the name, or add [providers.nope] to", said, command)
            for command in ("enable", "disable"):
                said = self.refused(a, "project", command, "nope")
                self.assertIn('there is no provider "nope". Known are: recipes, off.', said)
                self.assertIn("add [providers.nope]", said)

    def test_a_disabled_provider_is_told_apart_from_an_unknown_one(self):
        with Plant("A") as plant:
            a = plant[0].init()
            a.configure(files_provider(a), files_provider(a, "off", "off", extra="enabled = false")).start()
            for command in (("verify", "off"), ("send-now", "off"), ("publish", "off/x"), ("establish", "off"),
                            ("restore", "off/x", "--version", "1"), ("provider", "accept-root", "off")):
                said = " ".join(self.refused(a, *command).split())
                self.assertIn('Provider "off" is disabled', said, command)
                self.assertIn("stationsync project enable off", said, command)
            self.assertEqual(a.cli("objects", "--provider", "off"), "No objects.\n")

    def test_an_object_that_is_not_there_is_refused(self):
        with Plant("A") as plant:
            a = plant[0].init()
            a.configure(files_provider(a)).start()
            a.wait_all_synced()
            for command in (("explain", "recipes/x"), ("send-now", "recipes/x"), ("publish", "recipes/x"),
                            ("restore", "recipes/x", "--version", "1")):
                self.assertIn("stationsync objects", self.refused(a, *command), command)

    def test_publish_of_an_unknown_provider_is_refused_while_the_engine_is_stopped(self):
        with Plant("A") as plant:
            a = plant[0].init()
            a.configure(files_provider(a)).start()
            a.cli("stop")
            self.assertIn('no provider "nope"', self.refused(a, "publish", "nope/x"))


class Output(unittest.TestCase):
    def test_an_output_that_cannot_be_written_is_a_failure(self):
        with Plant("A") as plant:
            a = plant[0].init()
            a.configure(files_provider(a)).start()
            for command in (("status", "--json"), ("objects",), ("log",), ("send-now",)):
                with open("/dev/full", "w", encoding="utf-8") as full:
                    done = subprocess.run([a.program, "--root", str(a.root), *command], stdout=full,
                                          stderr=subprocess.PIPE, text=True, timeout=120, check=False)
                self.assertEqual(done.returncode, 1, command)
                self.assertIn("could not be written", done.stderr, command)


class Configuration(unittest.TestCase):
    def test_each_error_is_an_entry_of_the_log_and_a_line_of_status(self):
        with Plant("A") as plant:
            a = plant[0].init()
            a.configure('[providers.one]\nplugin = "filesync"\nsetle = "1s"\n',
                        '[providers.two]\nplugin = "nope"\n').start()
            entries = [line for line in a.log_text().splitlines() if "the engine cannot start" in line]
            for error in ("unknown key `setle`", "lacks the key `root`", 'no plugin \\"nope\\"'):
                self.assertEqual(len([e for e in entries if error in e]), 1, entries)
            self.assertEqual(len(entries), 3, entries)
            self.assertNotIn("\\x0a", a.log_text())
            shown = " ".join(a.cli("status").split("PROVIDER")[0].split())
            self.assertIn('[providers.two]', shown)
            self.assertNotIn(".?", shown)

    def test_a_syntax_error_names_line_cause_and_remedy(self):
        with Plant("A") as plant:
            a = plant[0].init()
            a.project_file().write_text('[providers.one]\nplugin = filesync\n', encoding="utf-8")
            a.start()
            said = a.status()["reason"]
            self.assertIn("Plant.toml:2: the value of `plugin`", said)
            self.assertIn('such as plugin = "..."', said)
            self.assertIn("stationsync start", self.stopped(a))

    def stopped(self, station):
        done = station.command("objects")
        self.assertEqual(done.returncode, 1)
        return done.stderr


class MendedMeanwhile(unittest.TestCase):
    def faults(self, station):
        return [m for m in station.status()["messages"] if m["id"] == "provider-fault"]

    def test_a_fault_mended_while_the_service_was_stopped_is_no_longer_told(self):
        with Plant("A") as plant:
            a = plant[0].init()
            a.configure(files_provider(a)).start()
            a.wait_all_synced()
            away = a.data / "away"
            (a.data / "recipes").rename(away)
            wait_until(lambda: self.faults(a), "the fault is told")
            a.stop()
            away.rename(a.data / "recipes")
            a.start()
            a.wait_all_synced()
            self.assertEqual(self.faults(a), [])

    def test_a_fault_mended_in_the_configuration_is_no_longer_told(self):
        with Plant("A") as plant:
            a = plant[0].init()
            a.configure(files_provider(a, extra='include = ["a\\\\b"]')).start()
            wait_until(lambda: self.faults(a), "the fault is told")
            a.configure(files_provider(a)).cli("project", "enable", "recipes")
            a.wait_all_synced()
            self.assertEqual(self.faults(a), [])

    def test_a_provider_that_is_disabled_has_no_fault(self):
        with Plant("A") as plant:
            a = plant[0].init()
            a.configure(files_provider(a)).start()
            a.wait_all_synced()
            shutil.move(a.data / "recipes", a.data / "away")
            wait_until(lambda: self.faults(a), "the fault is told")
            a.cli("project", "disable", "recipes")
            wait_until(lambda: not self.faults(a), "the fault is no longer told")

    def test_a_fault_that_lasts_is_told_again_with_the_time_since_which_it_does(self):
        with Plant("A") as plant:
            a = plant[0].init()
            a.configure(files_provider(a)).start()
            a.wait_all_synced()
            shutil.move(a.data / "recipes", a.data / "away")
            first = wait_until(lambda: self.faults(a), "the fault is told")[0]
            a.stop()
            a.start()
            again = wait_until(lambda: self.faults(a), "the fault is told again")[0]
            self.assertEqual(again["since"], first["since"])


if __name__ == "__main__":
    unittest.main()
