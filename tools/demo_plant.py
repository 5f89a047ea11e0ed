"""The data of the demonstration plant: recipe, report-template and material files, a batch database."""

import pathlib
import random
import sqlite3

PRODUCTS = ["Wheat Beer", "Pilsner", "Pale Ale", "Dark Lager", "Porter", "Smoked Beer", "Rye Ale", "Cider",
            "Radler", "Alcohol Free", "Bock", "Festbier"]
PHASES = [("Dosing", "kg", 850), ("Heating", "°C", 64), ("Mashing", "min", 55), ("Lautering", "min", 90),
          ("Boiling", "min", 70), ("Whirlpool", "min", 20), ("Cooling", "°C", 12), ("Transfer", "hl", 95)]
UNITS = [("MV1", "Mash vessel"), ("LT1", "Lauter tun"), ("WK1", "Wort kettle"), ("WP1", "Whirlpool"),
         ("HX1", "Wort cooler"), ("FT1", "Fermenter 1"), ("FT2", "Fermenter 2"), ("BT1", "Bright tank")]
MATERIALS = ["Pilsner Malt", "Wheat Malt", "Munich Malt", "Caramel Malt", "Roasted Barley", "Rye Malt",
             "Hops Hallertau", "Hops Saaz", "Hops Cascade", "Yeast W34/70", "Yeast S-04", "Brewing Water",
             "Kieselguhr", "Caustic 50 %", "Peracetic Acid", "Carbon Dioxide"]
PLANT_SIZES = [20, 50, 100, 200, 300, 500, 750, 1000, 1500, 2000]

SCHEMA = """
CREATE TABLE units (id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE, name TEXT NOT NULL);
CREATE TABLE materials (id INTEGER PRIMARY KEY, number TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
    density_kg_per_l REAL, stock_kg REAL NOT NULL);
CREATE TABLE recipes (id INTEGER PRIMARY KEY, name TEXT NOT NULL, version INTEGER NOT NULL,
    batch_size_hl REAL NOT NULL, approved_by TEXT, UNIQUE (name, version));
CREATE TABLE phases (id INTEGER PRIMARY KEY, recipe_id INTEGER NOT NULL REFERENCES recipes,
    position INTEGER NOT NULL, name TEXT NOT NULL, unit_id INTEGER NOT NULL REFERENCES units,
    UNIQUE (recipe_id, position));
CREATE TABLE parameters (phase_id INTEGER NOT NULL REFERENCES phases, name TEXT NOT NULL,
    value REAL NOT NULL, unit TEXT NOT NULL, low REAL, high REAL, PRIMARY KEY (phase_id, name)) WITHOUT ROWID;
CREATE TABLE ingredients (recipe_id INTEGER NOT NULL REFERENCES recipes,
    material_id INTEGER NOT NULL REFERENCES materials, amount_kg REAL NOT NULL,
    PRIMARY KEY (recipe_id, material_id)) WITHOUT ROWID;
"""


def recipe_text(product, size_hl, mash_temperature_c=64):
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<recipe product="{product}" batch="{size_hl} hl">']
    for position, (phase, unit, value) in enumerate(PHASES, start=1):
        if phase == "Heating":
            value = mash_temperature_c
        lines.append(f'  <phase position="{position}" name="{phase}">')
        lines.append(f'    <parameter name="Setpoint" value="{value}" unit="{unit}"/>')
        lines.append("  </phase>")
    return "\n".join([*lines, "</recipe>", ""])


def write_files(folder):
    """Writes the files of a plant into `folder`; returns how many."""
    folder = pathlib.Path(folder)
    chance = random.Random(8883)  # the same plant each time
    count = 0

    def write(relative, text):
        nonlocal count
        path = folder / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        count += 1

    for product in PRODUCTS:
        for size in PLANT_SIZES:
            write(f"recipes/{product}/{product} {size} hl.xml", recipe_text(product, size))
    for area in ("Brewhouse", "Fermentation", "Filtration", "Filling"):
        for report in ("Batch Protocol", "Deviation List", "Daily Summary", "Material Balance", "Cleaning Proof"):
            rows = "".join(f"<tr><td>{{{field}}}</td></tr>" for field in ("batch", "start", "end", "operator"))
            write(f"templates/{area}/{report}.html",
                  f"<html><head><title>{area}: {report}</title></head><body><table>{rows}</table></body></html>\n")
    for number, material in enumerate(MATERIALS, start=1):
        write(f"materials/{100 + number} {material.replace('/', '-')}.csv",
              "lot;received;amount_kg\n" + "".join(
                  f"L{number:02}{lot:03};2026-0{1 + lot % 9}-1{lot % 10};{chance.randint(50, 2000)}\n"
                  for lot in range(30)))
    return count


def make_database(path):
    """Makes the batch database of the plant, with its rows, in WAL mode as batch systems use it."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    chance = random.Random(3702)
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode = WAL")
    database.executescript(SCHEMA)
    database.executemany("INSERT INTO units (code, name) VALUES (?, ?)", UNITS)
    database.executemany(
        "INSERT INTO materials (number, name, density_kg_per_l, stock_kg) VALUES (?, ?, ?, ?)",
        [(f"M-{100 + n}", name, round(chance.uniform(0.5, 1.4), 3), chance.randint(100, 20000))
         for n, name in enumerate(MATERIALS, start=1)])
    for product in PRODUCTS:
        for version, size in enumerate(PLANT_SIZES, start=1):
            recipe = database.execute(
                "INSERT INTO recipes (name, version, batch_size_hl, approved_by) VALUES (?, ?, ?, ?)",
                (product, version, size, "brewmaster")).lastrowid
            for position, (phase, unit, value) in enumerate(PHASES, start=1):
                phase_id = database.execute(
                    "INSERT INTO phases (recipe_id, position, name, unit_id) VALUES (?, ?, ?, ?)",
                    (recipe, position, phase, 1 + position % len(UNITS))).lastrowid
                database.execute("INSERT INTO parameters VALUES (?, 'Setpoint', ?, ?, ?, ?)",
                                 (phase_id, value, unit, value * 0.9, value * 1.1))
            for material in chance.sample(range(1, len(MATERIALS) + 1), 4):
                database.execute("INSERT INTO ingredients VALUES (?, ?, ?)",
                                 (recipe, material, chance.randint(5, 900)))
    database.commit()
    database.close()
