"""``siderion sources``: what each source supplies, and the files that `siderion run` takes."""

from __future__ import annotations

from cyclopts import App

from siderion.cli.source_budget import budget

# By name, so that a command loads only what it needs; the budget is what comes without a name.
debris = App(name="debris", help="Re-entering debris: one event, a global rate, and debris against the natural input.")
DEBRIS = {
    "event": "Fly one re-entry and write what it releases as a source for siderion run.",
    "rate": "What the re-entries of a year release above 80 km, as a source for siderion run.",
    "parity": "Debris against the natural input, by element and year.",
}
for name, words in DEBRIS.items():
    debris.command(f"siderion.cli.source_debris:debris_{name}", name=name, help=words)

sources = App(name="sources", help="Where heavy ions come from: supply, budgets, and source files for siderion run.")
sources.default(budget)
sources.command(budget)
sources.command(debris)
OTHERS = {
    "meteoroids": (
        "source_meteoroids",
        "What meteoroids leave in the air, by element and altitude; a source for siderion run.",
    ),
    "ionosphere": ("source_ionosphere", "Which share of the ions of the topside ionosphere escapes."),
    "wind": ("source_wind", "Heavy ions of the solar wind."),
    "loss": ("source_wind", "Nitrogen or oxygen that escapes over geological time."),
}
for name, (module, words) in OTHERS.items():
    sources.command(f"siderion.cli.{module}:{name}", name=name, help=words)
