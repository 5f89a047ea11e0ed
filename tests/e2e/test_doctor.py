"""`stationsync doctor` finds what is wrong with a station, says what to do, and ends with 1 for a problem."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import unittest

from namespaces import Cable, run
from stations import Plant, files_provider, need_root, sqlite_provider, wait_until


def examine(station, *arguments):
    """Runs doctor --json. Returns the exit code and the findings."""
    done = station.command("doctor", "--json", *arguments)
    try:
        answer = json.loads(done.stdout)
    except ValueError as error:
        raise AssertionError(f"no JSON: {done.stdout}{done.stderr}") from error
    worst = {f["severity"] for f in answer["findings"]}
    assert answer["result"] == next(s for s in ("problem", "warning", "ok") if s in worst)
    assert done.returncode == (1 if answer["result"] == "problem" else 0), done
    for finding in answer["findings"]:
        assert finding["severity"] == "ok" or finding["remedy"], f"no remedy: {finding}"
    return done.returncode, answer["findings"]


def of(findings, name):
    return [f for f in findings if f["id"] == name]


def problems(findings):
    return [f for f in findings if f["severity"] == "problem"]


def make_station(plant):
    station = plant[0].init()
    return station.configure(files_provider(station), sqlite_provider(station))


class EngineStopped(unittest.TestCase):
    def test_the_providers_are_tested_all_the_same(self):
        with Plant("A") as plant:
            a = make_station(plant).start()
            a.cli("stop")
            shutil.rmtree(a.data / "recipes")
            _, findings = examine(a)
            self.assertTrue([f for f in problems(findings) if "recipes (filesync)" in f["text"]], findings)
            stopped = of(findings, "service.engine")[0]
            self.assertEqual(stopped["text"], "The engine is stopped: stopped by a person.")
            subprocess.run(stopped["remedy"].replace("stationsync", a.program, 1), shell=True, check=True,
                           capture_output=True)
            self.assertEqual(a.status()["engine"], "running")

    def test_a_service_that_hangs_is_told_and_the_rest_is_looked_at(self):
        with Plant("A") as plant:
            a = make_station(plant).start()
            os.kill(a.pid(), signal.SIGSTOP)
            try:
                _, findings = examine(a)
            finally:
                os.kill(a.pid(), signal.SIGCONT)
            self.assertIn("did not answer", of(findings, "service.asked")[0]["text"])
            self.assertTrue(of(findings, "providers.filesync.root"), findings)


class Healthy(unittest.TestCase):
    def test_without_a_service_it_looks_itself_and_changes_nothing(self):
        with Plant("A") as plant:
            a = make_station(plant)
            before = sorted(str(p) for p in a.folder.rglob("*"))
            code, findings = examine(a)
            self.assertEqual((code, problems(findings)), (0, []))
            self.assertEqual(of(findings, "service.runs")[0]["severity"], "warning")
            for name in ("ports.link", "ports.api", "keys.files", "plugins.loaded", "directories.sync",
                         "directories.history", "directories.state", "configuration.files", "clock.synchronized",
                         "providers.filesync.root"):
                self.assertTrue(of(findings, name), f"{name} is missing: {findings}")
            self.assertIn("is free", of(findings, "ports.link")[0]["text"])
            self.assertEqual(sorted(str(p) for p in a.folder.rglob("*")), before)

    def test_with_a_service_it_asks_it(self):
        with Plant("AB") as plant:
            plant.join_all(files_provider).start_all().wait_connected()
            a = plant[0]
            a.wait_all_synced()
            wait_until(lambda: a.peer(plant[1])["found_by"], "B reaches A")
            code, findings = examine(a)
            self.assertEqual((code, problems(findings)), (0, []))
            self.assertIn(f"process {a.pid()}", of(findings, "service.runs")[0]["text"])
            self.assertIn("listens", of(findings, "ports.link")[0]["text"])
            self.assertIn("B", of(findings, "ports.reachable")[0]["text"])
            self.assertEqual(of(findings, "ports.reachable")[0]["severity"], "ok")
            self.assertEqual(of(findings, "identity.twice")[0]["severity"], "ok")
            self.assertEqual(of(findings, "providers.filesync.root")[0]["severity"], "ok")
            self.assertTrue(of(findings, "clock.difference"))
            # The text says the same, and each remedy can be copied from one line.
            shown = a.cli("doctor")
            self.assertIn("Ports\n", shown)
            self.assertIn("0 problems", shown)
            self.assertEqual(a.cli("plugin", "test", "--json"),
                             json.dumps(a.get("selftest"), indent=2, sort_keys=True) + "\n")

    def test_no_secret_is_shown(self):
        with Plant("A") as plant:
            a = make_station(plant)
            a.cli("secret", "set", "DB", given="swordfish")
            a.start()
            shown = a.command("doctor").stdout + a.command("doctor", "--json").stdout
            for secret in ("swordfish", a._token("act"), a._token("view"),
                           (a.root / "state" / "Plant" / "key").read_text()):
                self.assertNotIn(secret.strip(), shown)


class Rights(unittest.TestCase):
    def test_an_account_that_may_not_look_gets_one_warning_and_no_wrong_verdict(self):
        need_root("running as another account")
        with Plant("A") as plant:
            a = make_station(plant)
            a.folder.parent.chmod(0o755)
            a.folder.chmod(0o755)
            for running in (False, True):
                if running:
                    a.start()
                done = subprocess.run([a.program, "--root", str(a.root), "doctor", "--json"],
                                      user=65534, group=65534, extra_groups=[], capture_output=True, text=True,
                                      check=False)
                self.assertEqual(done.returncode, 0, done)
                warnings = [f for f in json.loads(done.stdout)["findings"] if f["severity"] != "ok"]
                self.assertEqual(warnings[0]["id"], "configuration.rights")
                self.assertEqual(warnings[0]["remedy"], "sudo stationsync doctor")
                # What is the same for every account of the computer may follow.
                self.assertLessEqual({f["topic"] for f in warnings[1:]}, {"clock"}, warnings)


class Faults(unittest.TestCase):
    def found(self, station, name, *arguments):
        code, findings = examine(station, *arguments)
        self.assertEqual(code, 1, findings)
        found = [f for f in of(findings, name) if f["severity"] == "problem"]
        self.assertTrue(found, f"no {name}: {findings}")
        return found[0]

    def test_a_key_that_others_can_read(self):
        with Plant("A") as plant:
            a = make_station(plant)
            for file in (a.root / "state" / "identity.key", a.root / "state" / "Plant" / "key"):
                file.chmod(0o644)
                finding = self.found(a, "keys.rights")
                self.assertIn(f"chmod 600 {file}", finding["remedy"])
                command = finding["remedy"].split("   ")[0]
                subprocess.run(command, shell=True, check=True)
                self.assertEqual(examine(a)[0], 0, "the remedy helps")

    def test_keys_that_are_missing_or_damaged(self):
        with Plant("A") as plant:
            a = make_station(plant)
            key = a.root / "state" / "identity.key"
            key.rename(key.with_suffix(".away"))
            self.assertIn("new-identity", self.found(a, "keys.missing")["remedy"])
            key.with_suffix(".away").rename(key)
            project_key = a.root / "state" / "Plant" / "key"
            project_key.write_text("nonsense")
            self.assertIn("join CODE", self.found(a, "keys.content")["remedy"])

    def test_a_damaged_project_key_is_mended_by_what_is_told(self):
        with Plant("AB") as plant:
            plant.join_all(files_provider)
            a, b = plant
            key = b.root / "state" / "Plant" / "key"
            for damage in (lambda: key.write_text("nonsense"), key.unlink):
                damage()
                remedy = (of(problems(examine(b)[1]), "keys.content") + of(problems(examine(b)[1]), "keys.missing"))[0]
                subprocess.run(remedy["remedy"].split("   ")[0], shell=True, check=True)
                self.assertEqual(b.command("join", "-", given=a.invite()).returncode, 0)
                self.assertEqual([f for f in problems(examine(b)[1]) if f["topic"] == "keys"], [])
                for old in (b.project_file(), key):
                    old.with_name(old.name + ".old").unlink(missing_ok=True)

    def test_a_key_of_another_account(self):
        need_root("giving files to another account")
        with Plant("A") as plant:
            a = make_station(plant)
            run("chown", "-R", "65534:65534", str(a.folder))
            self.assertEqual([f for f in problems(examine(a)[1]) if f["topic"] == "keys"], [])
            for file in (a.root / "state" / "Plant" / "key", a.root / "state" / "api" / "act.token"):
                file.parent.mkdir(exist_ok=True)
                file.touch(mode=0o600)
                os.chown(file, 0, 0)
                finding = self.found(a, "keys.owner")
                self.assertIn(str(file), finding["text"])
                subprocess.run(finding["remedy"], shell=True, check=True)
                self.assertEqual([f for f in problems(examine(a)[1]) if f["topic"] == "keys"], [])

    def test_a_key_that_is_a_link_or_a_folder(self):
        with Plant("A") as plant:
            a = make_station(plant)
            key = a.root / "state" / "identity.key"
            key.rename(a.folder / "kept")
            for make in (lambda: key.symlink_to(a.folder / "kept"), key.mkdir):
                make()
                finding = self.found(a, "keys.kind")
                self.assertNotIn("chmod", finding["remedy"])
                subprocess.run(finding["remedy"].split("   ")[0], shell=True, check=True)
                self.assertFalse(os.path.lexists(key))
                moved = key.with_name(key.name + ".old")
                moved.unlink() if moved.is_symlink() else moved.rmdir()

    def test_a_folder_without_a_station(self):
        with Plant("A") as plant:
            code, findings = examine(plant[0])
            self.assertEqual((code, [f["id"] for f in findings]), (1, ["configuration.station"]))
            self.assertIn("stationsync join CODE", findings[0]["remedy"])

    def test_ports_that_another_program_holds(self):
        with Plant("A") as plant:
            a = make_station(plant)
            for port, name in ((8883, "ports.link"), (8884, "ports.api")):
                with socket.socket() as holder:
                    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    holder.bind((a.address, port))
                    holder.listen()
                    finding = self.found(a, name)
                    self.assertIn(f"(process {os.getpid()})", finding["text"])
                    self.assertIn("station.toml", finding["remedy"])
            with socket.socket() as holder:
                holder.bind((a.address, 8883))
                holder.listen()
                a.start()
                a.wait_message("Cannot listen")
                texts = [f["text"] for f in of(examine(a)[1], "ports.link")]
                self.assertTrue(any(f"(process {os.getpid()})" in text for text in texts), texts)

    def test_a_sync_directory_that_is_full_or_read_only(self):
        need_root("mounting a small disk")
        with Plant("A") as plant:
            a = make_station(plant)
            disk = a.folder / "disk"
            disk.mkdir()
            a.station_setting("sync", f"directory = {json.dumps(str(disk))}")
            run("mount", "-t", "tmpfs", "-o", "size=1M", "none", str(disk))
            try:
                self.assertEqual(of(examine(a)[1], "directories.sync")[0]["severity"], "warning")
                with contextlib.suppress(OSError), open(disk / "fill", "wb", buffering=0) as fill:
                    while fill.write(bytes(4096)) == 4096:
                        pass
                self.assertIn("Make room", self.found(a, "directories.sync")["remedy"])
                self.assertEqual(os.listdir(disk), ["fill"], "the doctor cleans up")
                run("mount", "-o", "remount,ro", str(disk))
                self.assertIn("read-only", self.found(a, "directories.sync")["remedy"])
            finally:
                run("umount", "-l", str(disk))

    def test_a_directory_that_is_a_file(self):
        with Plant("A") as plant:
            a = make_station(plant)
            history = a.root / "history"
            if history.exists():
                shutil.rmtree(history)
            history.write_text("not a folder")
            self.assertIn("station.toml", self.found(a, "directories.history")["remedy"])

    def test_broken_plugins_are_told_with_the_sentence_of_the_loader(self):
        with Plant("A") as plant:
            a = make_station(plant)
            folder = a.folder / "plugins"
            shutil.copytree(os.path.join(os.path.dirname(a.program), "plugins"), folder)
            (folder / "stationsync-broken.so").write_bytes(b"\x7fELF" + bytes(64))
            finding = self.found(a, "plugins.refused", "--plugins", str(folder))
            self.assertIn("stationsync-broken.so is not a shared library", finding["text"])
            (folder / "stationsync-broken.so").unlink()
            self.assertEqual(examine(a, "--plugins", str(folder))[0], 0)
            # What ends the process that loads it is told as well.
            crash = folder / "crash.c"
            crash.write_text("#include <stdlib.h>\n__attribute__((constructor)) static void go(void) { abort(); }\n"
                             "void stsync_plugin_v1(void) {}\n")
            built = subprocess.run(["cc", "-shared", "-fPIC", "-o", str(folder / "stationsync-crash.so"), str(crash)],
                                   check=False, capture_output=True)
            if built.returncode == 0:
                _, findings = examine(a, "--plugins", str(folder))
                self.assertIn("damaged", of(findings, "plugins.loaded")[0]["text"])
            finding = self.found(a, "plugins.loaded", "--plugins", str(a.data / "recipes"))
            self.assertIn("There is no plugin", finding["text"])

    def test_a_configuration_that_is_wrong_is_a_finding_and_the_rest_is_looked_at(self):
        with Plant("A") as plant:
            a = make_station(plant)
            good = a.project_file().read_text()
            for running in (False, True):
                if running:
                    a.project_file().write_text(good)
                    a.start()
                a.project_file().write_text(good + "[providers.x\n")
                finding = self.found(a, "configuration.invalid")
                self.assertIn("Plant.toml:", finding["text"])
                a.project_file().write_text(good.replace("settle =", "setle ="))
                findings = examine(a)[1]
                self.assertTrue(any("setle" in f["text"] for f in of(findings, "configuration.invalid")), findings)
                self.assertTrue(of(findings, "keys.files"))
            a.stop()
            a.project_file().write_text(good)
            (a.root / "station.toml").write_text("[station\n")
            findings = examine(a)[1]
            self.assertIn("station.toml:1", of(findings, "configuration.invalid")[0]["text"])
            self.assertTrue(of(findings, "directories.sync"))
            self.assertTrue(of(findings, "clock.synchronized"))

    def test_a_provider_that_cannot_work(self):
        with Plant("A") as plant:
            a = make_station(plant)
            for running in (False, True):
                if running:
                    a.start()
                shutil.rmtree(a.data / "recipes")
                finding = self.found(a, "providers.filesync.root_unusable")
                self.assertIn("recipes (filesync)", finding["text"])
                (a.data / "recipes").mkdir()

    def test_an_odbc_driver_that_is_not_there(self):
        with Plant("A") as plant:
            a = make_station(plant)
            settings = a.folder / "odbc"
            settings.mkdir()
            a.environment["ODBCSYSINI"] = str(settings)
            self.assertEqual([f for f in examine(a)[1] if f["topic"] == "odbc"], [], "nothing here needs it")
            a.project_file().write_text(a.project_file().read_text().replace(
                'plugin = "discovery-static"', 'plugin = "discovery-static"\nodbc = "Driver={Plant};Server=db"'))
            texts = [f["text"] for f in examine(a)[1] if f["topic"] == "odbc" and f["severity"] == "problem"]
            self.assertTrue(texts)
            if "no driver manager" in texts[0]:
                return
            self.assertIn('"Plant", which is not registered', texts[0])
            (settings / "odbcinst.ini").write_text("[Plant]\nDriver=/nonexistent/libplant.so\n")
            texts = [f["text"] for f in examine(a)[1] if f["topic"] == "odbc" and f["severity"] == "problem"]
            self.assertIn("/nonexistent/libplant.so is missing", texts[0])
            (settings / "odbcinst.ini").write_text(f"[Plant]\nDriver={a.program}\n")
            severities = {f["severity"] for f in examine(a)[1] if f["topic"] == "odbc"}
            self.assertEqual(severities, {"ok"})


class Clones(unittest.TestCase):
    def test_two_stations_with_one_id(self):
        with Plant("ABC") as plant:
            plant.join_all(files_provider)
            shutil.copy(plant[1].root / "state" / "identity.key", plant[2].root / "state" / "identity.key")
            plant.start_all()
            a = plant[0]
            a.wait_message("Two computers run with the identity")
            code, findings = examine(a)
            self.assertEqual(code, 1)
            twice = [f for f in of(findings, "identity.twice") if f["severity"] == "problem"]
            self.assertIn("station new-identity", twice[0]["remedy"])


class Firewall(unittest.TestCase):
    def test_the_command_that_is_told_opens_the_port(self):
        need_root("a network namespace")
        cable = Cable(self)
        namespace = cable.names[0]
        inside = ("ip", "netns", "exec", namespace)
        with Plant("A", addresses=["10.99.0.1"]) as plant:
            a = plant[0]
            a.namespace = namespace
            make_station(plant)
            code, findings = examine(a)
            self.assertEqual(of(findings, "firewall.link")[0]["severity"], "ok", findings)
            self.assertEqual(code, 0)
            run(*inside, "nft", "add table inet plant; add chain inet plant in "
                "{ type filter hook input priority 10; policy drop; }; "
                "add rule inet plant in iifname lo accept; add rule inet plant in tcp dport 22 accept")
            code, findings = examine(a)
            self.assertEqual(code, 1)
            finding = of(findings, "firewall.link")[0]
            self.assertEqual(finding["severity"], "problem")
            self.assertIn("nftables, chain inet plant in", finding["text"])
            a.start()
            self.assertFalse(self.reaches(cable))
            run(*inside, *finding["remedy"].split("   ")[0].split())
            self.assertTrue(self.reaches(cable))
            code, findings = examine(a)
            self.assertEqual(of(findings, "firewall.link")[0]["severity"], "ok", findings)
            self.assertIn("10.99.0.1:8883", of(findings, "ports.addresses")[0]["text"])

    def reaches(self, cable):
        done = subprocess.run(
            ["ip", "netns", "exec", cable.names[1], "python3", "-c",
             "import socket; socket.create_connection(('10.99.0.1', 8883), 2)"],
            capture_output=True, check=False)
        return done.returncode == 0


class DiscoveryPort(unittest.TestCase):
    def test_a_program_that_shares_udp_3702_is_told_apart_from_one_that_takes_it(self):
        need_root("a network namespace")
        cable = Cable(self)
        with Plant("A", addresses=["10.99.0.1"]) as plant:
            a = plant[0]
            a.namespace = cable.names[0]
            make_station(plant)
            for shares, text in ((True, "shared"), (False, "does not share it")):
                script = ("import socket, sys; s = socket.socket(type=socket.SOCK_DGRAM); "
                          f"s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, {int(shares)}); "
                          "s.bind(('', 3702)); print('bound', flush=True); sys.stdin.read()")
                with subprocess.Popen(["ip", "netns", "exec", a.namespace, "python3", "-c", script],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
                    self.assertEqual(holder.stdout.readline(), b"bound\n")
                    finding = of(examine(a)[1], "discovery.port")[0]
                    self.assertIn(text, finding["text"])
                    self.assertIn(f"(process {holder.pid})", finding["text"])
                    holder.stdin.close()
            self.assertIn("free", of(examine(a)[1], "discovery.port")[0]["text"])


if __name__ == "__main__":
    unittest.main()
