"""Entry point of the command ``siderion``."""

from __future__ import annotations

import os
import sys

from cyclopts import App

from siderion.core.errors import SiderionError

app = App(
    name="siderion",
    help="Minor ions of space: from their sources, through their motion, to the instruments that see them.",
    help_on_error=False,
)
COMMANDS = {
    "run": "Simulate metal ions over a pole on a real day.",
    "ensemble": "Simulate many days, or one day with many settings, and join them.",
    "days": "List the days on which two convection cells are expected.",
    "waves": "Find ion cyclotron waves of pick-up ions and derive the densities of ions and neutrals.",
    "exosphere": "Fit exospheres to the densities of siderion waves, or give the model profiles of a body.",
    "sources": "Where heavy ions come from: supply, budgets, and source files for siderion run.",
    "ablate": "Fly one body (meteoroid or debris) into the atmosphere.",
    "pickup": "Pick ions of the Moon up in a given solar wind and follow them to the Earth.",
    "escape": "Escape speed and energy at an altitude of a body, and the energy to rise to others.",
    "catalogue": "Which instrument could see an ion: species, energy, year, region, mass resolution.",
    "spectrum": "Fit time-of-flight spectra: counts by species, intervals, limits; simulate them too.",
    "pha": "Pulse-height events to mass and mass per charge, and histograms of them.",
    "conjunctions": "Find and rank times when shocks, the Moon, spacecraft, activity and meteor showers line up.",
    "count": "Test tiny counts: before and after, inside and outside, and limits.",
    "design": "What separates two species: mass resolution, geometric factor, time; residence of an orbit.",
    "attribute": "Odds of solar wind, ionosphere, metal layer and Moon for a measured spectrum.",
    "layer": "Column, centroid and upper edge of a metal layer as a lidar or a limb sounder sees it.",
    "report": "Make a self-contained HTML page.",
    "sample": "Interpolate an output along a track.",
    "cite": "Print the citations of every model, rate and data set behind an output.",
}
"""Commands and what each does, for the list of them; the commands are loaded by name, so that each loads only what it needs."""
for name, words in COMMANDS.items():
    app.command(f"siderion.cli.{name}:{name}", name=name, help=words)


def main() -> None:
    """Run the command line; bad input ends with one message on standard error and exit status 2."""
    try:
        app(exit_on_error=True)
    except SiderionError as error:
        print(f"siderion: {error}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:  # the reader of the pipe has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        print("siderion: interrupted; a run goes on from its last checkpoint with --resume", file=sys.stderr)
        sys.exit(130)
