"""A provider whose calls do not return holds up neither the rest, nor the end, nor its own settings."""

import json
import os
import pathlib
import shutil
import threading
import unittest

from stations import Plant, files_provider, put, wait_until

PUPPET = os.environ.get("STATIONSYNC_PUPPET_PLUGIN", "")


def with_puppets(station):
    folder = station.folder / "plugins"
    shutil.copytree(pathlib.Path(station.program).parent / "plugins", folder)
    shutil.copy(PUPPET, folder)
    station.environment["STATIONSYNC_PLUGINS"] = str(folder)


class Puppet:
    """The folder through which tests/support/puppet_plugin.cpp is told when its calls may return."""

    def __init__(self, station, name="puppet", label="one"):
        self.name = name
        self.folder = station.data / name
        self.folder.mkdir()
        self.label = label

    def section(self, label=None):
        return (f'[providers.{self.name}]\nplugin = "puppet"\nsettle = "200ms"\nscan_interval = "2s"\n'
                f'folder = {json.dumps(str(self.folder))}\nlabel = "{label or self.label}"\n\n')

    def file(self, name):
        return self.folder / name

    def hold(self, call):
        self.file("hold-" + call).write_text("1")

    def release(self, call):
        self.file("hold-" + call).unlink()

    def wait_in(self, call):
        wait_until(self.file("in-" + call).exists, f"{self.name} is in {call}")

    def wait_settings(self, label):
        def there():
            return self.file("settings").read_text() == label
        wait_until(there, f"{self.name} runs with '{label}'")


class HungPlugin(unittest.TestCase):
    def station(self, count=1):
        plant = Plant("A")
        self.enterContext(plant)
        a = plant[0].init()
        with_puppets(a)
        puppets = [Puppet(a, f"puppet{n}") for n in range(count)]
        a.configure(*(p.section() for p in puppets), files_provider(a))
        return a, puppets

    def test_sigterm_ends_in_time_while_calls_do_not_return(self):
        a, puppets = self.station(2)
        for puppet in puppets:
            puppet.hold("scan")
        a.start()
        for puppet in puppets:
            puppet.wait_in("scan")
        self.assertLess(a.stop(), 10)

    def test_sigterm_ends_in_time_while_the_engine_is_leaving(self):
        a, (puppet,) = self.station()
        puppet.hold("scan")
        a.start()
        puppet.wait_in("scan")
        stopping = threading.Thread(target=lambda: a.command("stop"))
        stopping.start()
        wait_until(lambda: a.status()["engine"] == "stopped", "the engine is leaving")
        self.assertLess(a.stop(), 10)
        stopping.join()

    def test_providers_that_hang_stop_no_other(self):
        a, puppets = self.station(6)
        for puppet in puppets:
            puppet.hold("scan")
        a.start()
        for puppet in puppets:
            puppet.wait_in("scan")
        put(a.data / "recipes" / "r.txt", b"text")
        a.wait_history("published", "recipes", "r.txt")
        for puppet in puppets:
            puppet.release("scan")
            put(puppet.file("live"), b"content")
        for puppet in puppets:
            a.wait_history("published", puppet.name, "live")

    def change_while(self, call):
        a, (puppet,) = self.station()
        puppet.hold(call)
        a.start()
        puppet.wait_in(call)
        a.cli("project", "disable", puppet.name)
        text = a.project_file().read_text(encoding="utf-8")
        a.project_file().write_text(text.replace('label = "one"', 'label = "two"'), encoding="utf-8")
        a.cli("project", "enable", puppet.name)
        puppet.release(call)
        puppet.wait_settings("two")
        put(puppet.file("live"), b"content")
        a.wait_history("published", puppet.name, "live")

    def test_provider_switched_off_and_on_during_a_call_runs_with_its_new_settings(self):
        self.change_while("scan")

    def test_provider_switched_off_and_on_while_it_is_made_runs_with_its_new_settings(self):
        self.change_while("create")

    def test_version_of_the_back_end_is_asked_again_while_objects_are_not_in_step(self):
        a, (puppet,) = self.station()
        put(puppet.file("refuse-compat"), b"1")
        put(puppet.file("live"), b"content")
        a.start()
        wait_until(lambda: a.provider(puppet.name)["state"] == "suspended", "the version is not known")
        puppet.file("refuse-compat").unlink()
        wait_until(lambda: a.provider(puppet.name)["state"] == "ok", "the version is known")


if __name__ == "__main__":
    unittest.main()
