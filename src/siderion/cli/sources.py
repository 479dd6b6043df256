"""``siderion sources``: what each source supplies, and the files that `siderion run` takes."""

from __future__ import annotations

from cyclopts import App

from siderion.cli.source_budget import budget
from siderion.cli.source_debris import debris_event, debris_parity, debris_rate
from siderion.cli.source_ionosphere import ionosphere
from siderion.cli.source_meteoroids import meteoroids
from siderion.cli.source_wind import loss, wind

debris = App(name="debris", help="Re-entering debris: one event, a global rate, and debris against the natural input.")
debris.command(debris_event, name="event")
debris.command(debris_rate, name="rate")
debris.command(debris_parity, name="parity")

sources = App(name="sources", help="Where heavy ions come from: supply, budgets, and source files for siderion run.")
sources.default(budget)
sources.command(budget)
sources.command(meteoroids)
sources.command(debris)
sources.command(ionosphere)
sources.command(wind)
sources.command(loss)
