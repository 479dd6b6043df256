"""Named conventions: which factors an author puts between wave power, ion density and neutral density.

The printed equations of Lammer et al. (2025) and their words do not agree on every factor (docs/wave_densities.md), so a
density means little without the convention behind it. Numbers and sources: ``waves/tables/conventions.csv``.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace

from siderion.core.errors import CoverageError, SettingsError
from siderion.core.tables import load_table


@dataclass(frozen=True)
class Convention:
    """Factors of equations (1) and (2) of Lammer et al. 2025, doi:10.3389/fspas.2024.1499346.

    Attributes
    ----------
    name : str
        Name; `with_values` appends what was changed.
    transfer_efficiency : float
        phi of equation (1): part of the free energy that reaches the waves, above 0, at most 1.
    gyration_factor : float
        Factor before n_i f in equation (2): 2 pi as printed, or 1.
    growth_gyrations : float
        The 100 of equation (2). With the gyration factor 1 it counts gyroperiods; with 2 pi it counts radians.
    kinetic_energy_included : bool
        Whether the wave energy holds the motion of the plasma too, which doubles it for an Alfvenic wave.
    constant_plasma : bool
        Whether the source took one value of wind, field and ionisation rate for all of its data. No function acts on it.
    """

    name: str
    transfer_efficiency: float
    gyration_factor: float
    growth_gyrations: float = 100.0
    kinetic_energy_included: bool = False
    constant_plasma: bool = False

    def __post_init__(self) -> None:
        """Refuse factors outside their ranges."""
        if not 0.0 < self.transfer_efficiency <= 1.0:
            raise SettingsError(
                f"convention {self.name!r}: transfer_efficiency is {self.transfer_efficiency}; it must lie in (0, 1]"
            )
        for field in ("gyration_factor", "growth_gyrations"):
            value = getattr(self, field)
            if not 0.0 < value < math.inf:
                raise SettingsError(f"convention {self.name!r}: {field} is {value}; it must be positive and finite")

    @property
    def growth_periods(self) -> float:
        """Time over which ions gather, in gyroperiods: ``growth_gyrations / gyration_factor``."""
        return self.growth_gyrations / self.gyration_factor

    @property
    def energy_factor(self) -> float:
        """Wave energy over that of the magnetic field alone: 2 with the motion of the plasma, else 1."""
        return 2.0 if self.kinetic_energy_included else 1.0

    def with_values(self, **values: float | bool) -> Convention:
        """Copy with other factors; the name says which, so that the output cannot claim the bare convention.

        Raises
        ------
        SettingsError
            A factor does not exist or is out of range.
        """
        unknown = [key for key in values if key == "name" or key not in self.__dataclass_fields__]
        if unknown:
            factors = [key for key in self.__dataclass_fields__ if key != "name"]
            raise SettingsError(f"convention {self.name!r} has no factor {unknown[0]!r}; factors: {', '.join(factors)}")
        changed = {key: value for key, value in values.items() if getattr(self, key) != value}
        if not changed:
            return self
        words = ", ".join(f"{key}={value if isinstance(value, bool) else f'{value:g}'}" for key, value in changed.items())
        return replace(self, name=f"{self.name} with {words}", **changed)  # type: ignore[arg-type]

    def attributes(self) -> dict[str, str | float]:
        """The factors for the attributes of an output; truths as 0 or 1."""
        values = asdict(self)
        return {"convention": values.pop("name")} | {
            f"convention_{key}": int(value) if isinstance(value, bool) else value for key, value in values.items()
        }


def convention_names() -> tuple[str, ...]:
    """Names of all conventions, in the order of the table."""
    return tuple(load_table("waves", "conventions")["convention"].unique())


def get_convention(name: str) -> Convention:
    """Look up a convention.

    Parameters
    ----------
    name : str
        ``"lammer2025"``, ``"schmid2022"`` or ``"delva2009"``.

    Returns
    -------
    Convention
        Its factors; change one with `Convention.with_values`.

    Raises
    ------
    CoverageError
        The convention is not in ``waves/tables/conventions.csv``.
    """
    table = load_table("waves", "conventions")
    rows = table[table["convention"] == name]
    if rows.empty:
        raise CoverageError(f"convention {name!r} is unknown; known conventions: {', '.join(convention_names())}")
    values = rows.set_index("quantity")["value"].astype(float)
    return Convention(
        name=name,
        transfer_efficiency=float(values["transfer_efficiency"]),
        gyration_factor=2.0 * math.pi if values["angular_gyrofrequency"] == 1.0 else 1.0,
        growth_gyrations=float(values["growth_gyrations"]),
        kinetic_energy_included=bool(values["kinetic_energy_included"]),
        constant_plasma=bool(values["constant_plasma"]),
    )
