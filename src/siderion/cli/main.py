"""Entry point of the command ``siderion``."""

from __future__ import annotations

import os
import sys

from cyclopts import App

from siderion.cli.ablate import ablate
from siderion.cli.cite import cite
from siderion.cli.days import days
from siderion.cli.ensemble import ensemble
from siderion.cli.escape import escape
from siderion.cli.exosphere import exosphere
from siderion.cli.pickup import pickup
from siderion.cli.report import report
from siderion.cli.run import run
from siderion.cli.sample import sample
from siderion.cli.sources import sources
from siderion.cli.waves import waves
from siderion.core.errors import SiderionError

app = App(
    name="siderion",
    help="Minor ions of space: from their sources, through their motion, to the instruments that see them.",
    help_on_error=False,
)
for command in (run, ensemble, days, waves, exosphere, sources, ablate, pickup, escape, report, sample, cite):
    app.command(command)


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
