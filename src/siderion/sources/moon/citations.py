"""What a pick-up simulation rests on, with the confidence of the rows that are used."""

from __future__ import annotations

from collections.abc import Iterable

from siderion.chemistry.photo_rates import photo_rate_confidence
from siderion.core.species import get_species
from siderion.core.tables import CONFIDENCE, load_table

from .settings import PickupSettings


def source_citations(settings: PickupSettings) -> list[dict[str, str]]:
    """List of what, model, confidence and citation of everything that is used."""
    elements = [get_species(name).neutral_name for name in settings.species]
    rows = [
        ("plasma", settings.plasma, _worst("lunar_plasma", "state", [settings.plasma]), "sources/tables/lunar_plasma.csv"),
        ("composition of the regolith", settings.regolith, _worst("lunar_regolith", "regolith", [settings.regolith]),
         "Lunar Sourcebook (Heiken et al. 1991), table 7.15"),
        ("sputter yields", str(settings.yields), _yields(settings), "Brotzner et al. 2024, arXiv:2410.14450"),
        ("energies of sputtered atoms", "E/(E + E_b)^3", _worst("lunar_binding", "element", elements),
         "Sigmund 1969, doi:10.1103/PhysRev.184.383; sources/tables/lunar_binding.csv"),
        ("pick-up and transport", "exact cycloids in uniform fields", "computed", "siderion/sources/moon/cycloid.py"),
    ]  # fmt: skip
    if isinstance(settings.yields, str):
        table = load_table("sources", "sputter_yields").set_index("model")["range_confidence"]
        confidence = str(table.loc[[settings.yields]].iloc[0])
        rows.append(("range of the sputter yields", settings.yields, confidence, "sources/tables/sputter_yields.csv"))
    if settings.source != "photo":
        rows.append(("ion fraction of sputtered atoms", "1e-3 to 1e-2", "unverified", "sources/tables/lunar_release.csv"))
    if settings.yield_energy:
        rows.append(("energy dependence of yields", "Bohdansky, Yamamura", "unverified", "sources/tables/sputter_energy.csv"))
    if settings.source != "sputter":
        rows += [
            ("release of the exosphere", "impacts, desorption", "unverified", "sources/tables/lunar_release.csv"),
            ("photo-ionisation", "rates of the table or given", photo_rate_confidence(elements, 0.0),
             "Huebner & Mukherjee 2015, doi:10.1016/j.pss.2014.11.022"),
        ]  # fmt: skip
    if settings.at in ("bow-shock", "magnetopause"):
        rows.append(("farthest arrivals down the tail", "30 RE", "unverified", "sources/tables/lunar_surfaces.csv"))
        rows.append(("magnetopause", "shue1998", "verified", "Shue et al. 1998, doi:10.1029/98JA01103"))
    if settings.at == "bow-shock":
        rows.append(("bow shock", "shape of slavin1981, standoff of Farris and Russell 1994", "unverified",
                     "doi:10.1029/JA086iA13p11401, doi:10.1029/94JA01020"))  # fmt: skip
    return [dict(zip(("what", "model", "confidence", "citation"), row, strict=True)) for row in rows]


def _yields(settings: PickupSettings) -> str:
    return _worst("sputter_yields", "model", [settings.yields]) if isinstance(settings.yields, str) else "computed"


def _worst(table: str, column: str, values: Iterable[str]) -> str:
    rows = load_table("sources", table)
    rows = rows[rows[column].isin(list(values))]
    ranks = [CONFIDENCE.index(str(value)) for value in rows["confidence"]]
    return CONFIDENCE[max(ranks)] if ranks else "unverified"
