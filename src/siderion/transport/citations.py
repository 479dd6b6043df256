"""The sources behind a run: models, rates, data sets, each with its citation, terms and confidence."""

from __future__ import annotations

import pandas as pd

from siderion.chemistry.reactions import reaction_table
from siderion.core.tables import load_table
from siderion.transport.settings import RunSettings, metal_network


def sources_of_run(settings: RunSettings) -> list[dict[str, str]]:
    """All sources behind a run, in the order of the pipeline: what, model, citation, terms, confidence."""
    table = load_table("transport", "sources")
    drivers = settings.drivers
    chosen = {"model", "field", "indices", "solar_wind", "collisions", f"neutral:{drivers.neutral}", "no", "electrons"}
    chosen |= {"composition", "temperatures", f"convection:{drivers.convection}"}
    chosen |= {name for name in ("aurora", "ozone") if getattr(drivers, name)}
    if drivers.wind == "solver":
        chosen.add("wind")
    rows = table[table["key"].isin(chosen)]
    listed = [_entry(row.what, row.model, row.source, row.terms, row.confidence) for row in rows.itertuples()]
    listed += [
        _entry("replaced driver", path, "file given by the user", "those of the file", "unverified") for path in drivers.replace
    ]
    return listed + _rates(settings)


def _rates(settings: RunSettings) -> list[dict[str, str]]:
    reactions = reaction_table().drop_duplicates("key").set_index("key")
    listed = []
    for name in settings.species:
        network = metal_network(settings, name)
        for edge in network.edges if network else ():
            row = reactions.loc[edge.key]
            listed.append(
                _entry(
                    "reaction rate",
                    str(row["reaction"]),
                    str(row["source"]),
                    "facts, not subject to terms",
                    str(row["confidence"]),
                )
            )
    return listed


def _entry(what: str, model: str, citation: str, terms: str, confidence: str) -> dict[str, str]:
    values = {"what": what, "model": model, "citation": citation, "terms": terms, "confidence": confidence}
    return {key: "" if pd.isna(value) else str(value) for key, value in values.items()}
