"""python3 -m sqlserver DIRECTORY [options]: runs the stand-in until SIGTERM.

Prints one line, "listening PORT control PORT", when it is ready.
"""

import argparse
import os
import signal
import sys
import threading

from .control import Control
from .instance import Instance
from .server import Server
from .versions import EDITIONS, RELEASES


def main():
    parser = argparse.ArgumentParser(prog="sqlserver", description="A SQL Server for tests.")
    parser.add_argument("directory", help="where databases and settings are kept")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--version", choices=sorted(RELEASES), default="2019")
    parser.add_argument("--build", help="product version, e.g. 15.0.2000.5, in place of the newest of the release")
    parser.add_argument("--edition", choices=sorted(EDITIONS), default="express")
    parser.add_argument("--name", default="SQLEXPRESS", help="name of the instance")
    parser.add_argument("--machine", default="STANDIN")
    parser.add_argument("--password", default="secret", help="of sa")
    parser.add_argument("--collation", default="SQL_Latin1_General_CP1_CI_AS")
    parser.add_argument("--timezone", default="UTC")
    parser.add_argument("--with-parent", type=int, metavar="PID", help="end when that process is not the parent any more")
    arguments = vars(parser.parse_args())
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    instance = Instance(arguments.pop("directory"), arguments)
    server = Server(instance, arguments["address"], arguments["port"])
    control = Control(server)
    print(f"listening {server.port} control {control.port}", flush=True)
    while not stopped.wait(0.2):
        if arguments["with_parent"] is not None and os.getppid() != arguments["with_parent"]:
            break
        if instance.state == "shutdown":
            server.stop()
    if instance.state == "running":
        server.stop()
    return 0


sys.exit(main())
