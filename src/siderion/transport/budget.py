"""The mass budget: every way in which ions, and the atoms of their metal, enter or leave the domain, in numbers."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass
class Budget:
    """Number of ions gained since the start, by way; losses are negative.

    ``residual`` closes the budget: final - initial - all gains. It is round-off when nothing is wrong.
    """

    initial: float = 0.0
    final: float = 0.0
    through_edge: float = 0.0
    through_bottom: float = 0.0
    through_top: float = 0.0
    held_boundaries: float = 0.0
    through_lid: float = 0.0
    chemistry: float = 0.0
    supply: float = 0.0

    @property
    def gains(self) -> float:
        """Sum of all gains."""
        return (
            self.through_edge + self.through_bottom + self.through_top + self.held_boundaries + self.through_lid + self.chemistry
            + self.supply
        )  # fmt: skip

    @property
    def residual(self) -> float:
        """Number of ions left unexplained."""
        return self.final - self.initial - self.gains

    def as_dict(self) -> dict[str, float]:
        """All entries and the residual, by name."""
        return {**asdict(self), "residual": self.residual}


@dataclass
class AtomBudget:
    """Number of atoms of one metal in all its states, ion, molecules and neutral atom; losses are negative.

    The ions come and go as their `Budget` says; neutrals do not move. What chemistry takes from one state it gives to
    another, so that it has no entry here: the residual tells whether the reactions conserve the metal.
    """

    initial: float = 0.0
    final: float = 0.0
    supply: float = 0.0
    held_neutral: float = 0.0

    def as_dict(self, ions: Budget) -> dict[str, float]:
        """All entries and the residual, by name."""
        moved = ions.gains - ions.chemistry - ions.supply
        gains = {"supply_of_atoms": self.supply, "supply_of_ions": ions.supply, "held_neutral": self.held_neutral, "moved": moved}
        return {"initial": self.initial, "final": self.final, **gains,
                "residual": self.final - self.initial - sum(gains.values())}  # fmt: skip
