"""Write docs/settings.md and docs/chemistry.md from the settings models and the reaction table: they cannot drift."""

from __future__ import annotations

from pathlib import Path

from pydantic_core import PydanticUndefined

from siderion.core.tables import load_table
from siderion.jobs.settings import Settings
from siderion.transport.settings import PRESETS, RunSettings
from siderion.waves.settings import WaveSettings


def table(model: type[Settings], prefix: str = "") -> list[str]:
    """Rows of one model and of the models in it."""
    rows, below = [], []
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Settings):
            below += ["", f"## {prefix}{name}", "", (kind.__doc__ or "").strip(), "", *table(kind, f"{prefix}{name}.")]
            continue
        default = (
            "needed"
            if field.default is PydanticUndefined and field.default_factory is None
            else f"`{field.get_default(call_default_factory=True)!r}`"
        )
        allowed = (
            str(kind).replace("typing.", "").replace("datetime.", "").replace("<class '", "").replace("'>", "").replace("|", "or")
        )
        rows.append(f"| `{prefix}{name}` | {allowed} | {default} | {field.description or ''} |")
    return ["| Setting | Type | Default | Meaning |", "|---|---|---|---|", *rows, *below]


def settings_page() -> str:
    """The page of the settings."""
    presets = [f"| `{name}` | {' | '.join(str(v) for v in values.values())} |" for name, values in PRESETS.items()]
    lines = [
        "# Settings of a run",
        "",
        "Give them in a TOML file (`--settings FILE.toml`), as options of `siderion run`, or by full name with",
        "`--set name=value`.",
        "The output carries all of them, resolved. This page is made by `python docs/make_pages.py`.",
        "",
        f"| Preset | {' | '.join(next(iter(PRESETS.values())))} |",
        "|---|---|---|---|---|",
        *presets,
        "",
        *table(RunSettings),
        "",
    ]
    return "\n".join(lines)


def chemistry_page() -> str:
    """The page of the reaction rates."""
    lines = [
        "# Reactions",
        "",
        "Rate coefficients k = a (T/t0)^b exp(-c/T), branching included, in the units of the source; T is the temperature named.",
        "A variant replaces the rate of its key: `--set 'chemistry.alternatives={fe_ion_electron = \"umist22\"}'`.",
        "**Unverified** rates come from memory or secondary sources.",
        "Made by `python docs/make_pages.py`.",
        "",
        "| Key | Reaction | a | t0 | b | c | T | Units | Source | Confidence |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in load_table("chemistry", "reactions").astype(object).fillna("").to_dict("records"):
        names = ("key", "reaction", "a", "t0", "b", "c", "temperature", "units", "source", "confidence")
        lines.append("| " + " | ".join(str(row[name]).strip() for name in names) + " |")
    return "\n".join([*lines, ""])


def wave_settings_page() -> str:
    """The page of the settings of the wave analysis."""
    lines = [
        "# Settings of the wave analysis",
        "",
        "Give them in a TOML file (`siderion waves --settings FILE.toml`), as options, or by full name with `--set`, such as",
        "`--set detection.criteria.polarization_degree=0.8`. `docs/waves.md` says what they do. Made by",
        "`python docs/make_pages.py`.",
        "",
        *table(WaveSettings),
    ]
    return "\n".join([*lines, ""])


PAGES = {"settings.md": settings_page, "chemistry.md": chemistry_page, "wave_settings.md": wave_settings_page}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (Path(__file__).parent / name).write_text(page(), encoding="utf-8")
