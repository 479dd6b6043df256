"""``siderion design``: what separates two species, what can be detected, what an orbit sees."""

from __future__ import annotations

from cyclopts import App

from siderion.cli.design_species import separate

# By name, so that a command loads only what it needs; the separation is what comes without a name.
design = App(name="design", help="What separates two species: mass resolution, geometric factor, time; residence of an orbit.")
design.default(separate)
design.command(separate)
COMMANDS = {
    "detect": ("design_species", "Smallest fraction of a minor species that can be detected, against counts."),
    "orbit": ("design_orbit", "Hours a year that an orbit spends in each region, and the counts of a flux there."),
    "angle": ("design_orbit", "Counts that show a loss cone or a beam, and the place of a source."),
    "gain": ("design_orbit", "Exposure and limits of a detector whose gain falls."),
}
for name, (module, words) in COMMANDS.items():
    design.command(f"siderion.cli.{module}:{name}", name=name, help=words)
