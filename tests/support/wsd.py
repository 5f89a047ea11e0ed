"""Messages of WS-Discovery as a test sends and reads them, and stations that are found by it."""

import json
import re
import uuid

from stations import Plant, files_provider

VERSIONS = {
    "2005/04": {
        "wsd": "http://schemas.xmlsoap.org/ws/2005/04/discovery",
        "wsa": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
        "to": "urn:schemas-xmlsoap-org:ws:2005:04:discovery",
    },
    "2009/01": {
        "wsd": "http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01",
        "wsa": "http://www.w3.org/2005/08/addressing",
        "to": "urn:docs-oasis-open-org:ws-dd:ns:discovery:2009:01",
    },
}
STATION = "urn:stationsync:discovery:1"


def message(kind, content, version="2005/04", message_id=None, header=""):
    names = VERSIONS[version]
    return (f'<?xml version="1.0" encoding="utf-8"?><soap:Envelope '
            f'xmlns:soap="http://www.w3.org/2003/05/soap-envelope" xmlns:wsa="{names["wsa"]}" '
            f'xmlns:wsd="{names["wsd"]}" xmlns:stn="{STATION}" '
            f'xmlns:wsdp="http://schemas.xmlsoap.org/ws/2006/02/devprof"><soap:Header>'
            f'<wsa:To>{names["to"]}</wsa:To><wsa:Action>{names["wsd"]}/{kind}</wsa:Action>'
            f'<wsa:MessageID>{message_id or new_id()}</wsa:MessageID>{header}</soap:Header>'
            f'<soap:Body><wsd:{kind}>{content}</wsd:{kind}></soap:Body></soap:Envelope>').encode()


def new_id():
    return f"urn:uuid:{uuid.uuid4()}"


def probe(types="stn:Station", **more):
    return message("Probe", f"<wsd:Types>{types}</wsd:Types>" if types else "", **more)


def target(station_id, project, name, address=None):
    """What a Hello or a match says of a station; without XAddrs when there is no address."""
    scopes = " ".join(f"stn://stationsync/{key}/{value}" for key, value in
                      (("project", project), ("station", station_id), ("name", name), ("proto", "1")))
    addresses = f"<wsd:XAddrs>{address}</wsd:XAddrs>" if address else ""
    return (f"<wsa:EndpointReference><wsa:Address>urn:uuid:{station_id}</wsa:Address></wsa:EndpointReference>"
            f"<wsd:Types>stn:Station</wsd:Types><wsd:Scopes>{scopes}</wsd:Scopes>{addresses}"
            f"<wsd:MetadataVersion>1</wsd:MetadataVersion>")


def sequence(instance, number):
    return f'<wsd:AppSequence InstanceId="{instance}" MessageNumber="{number}"/>'


def hello(station_id, project, name, address=None, instance=1, number=1):
    return message("Hello", target(station_id, project, name, address), header=sequence(instance, number))


def bye(station_id, instance=1, number=2):
    return message("Bye", f"<wsa:EndpointReference><wsa:Address>urn:uuid:{station_id}</wsa:Address>"
                          "</wsa:EndpointReference>", header=sequence(instance, number))


def field(payload, name):
    """The text of the first element with that name, whatever its prefix; None when there is none."""
    found = re.search(rb"<(?:\w+:)?%s(?: [^>]*)?>([^<]*)</" % name.encode(), payload)
    return found.group(1).decode() if found else None


def attribute(payload, name):
    found = re.search(rb'%s="(\d+)"' % name.encode(), payload)
    return int(found.group(1)) if found else None


def configure(station, *providers, product_version="1.0", project="Plant", static=(), **settings):
    """The project file of a station that searches by discovery-wsd with these settings."""
    settings = {"probe_period_s": 2, "quiet_probe_period_s": 2, **settings}
    text = f'product_version = "{product_version}"\n\n' + "\n".join(providers)
    text += '\n[discovery.lan]\nplugin = "discovery-wsd"\n'
    text += "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items())
    if static:
        text += f'\n[discovery.stations]\nplugin = "discovery-static"\nstations = {json.dumps(list(static))}\n'
    station.project_file(project).write_text(text, encoding="utf-8")
    return station


def plant_on(lan, names, addresses):
    """Stations on the computers of a lan.Lan that have their names."""
    plant = Plant(names, addresses=addresses)
    for station in plant:
        station.namespace = lan.namespaces[station.name]
    return plant


def join(plant, **settings):
    """The first station inits, the others join; all search by discovery-wsd (see configure)."""
    code = plant[0].init().invite()
    for station in plant.stations[1:]:
        station.join(code)
    for station in plant:
        configure(station, files_provider(station), **settings)
    return plant
