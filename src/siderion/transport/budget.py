"""The mass budget: every way in which ions enter or leave the domain, in numbers of ions."""

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

    @property
    def gains(self) -> float:
        """Sum of all gains."""
        return (
            self.through_edge + self.through_bottom + self.through_top + self.held_boundaries + self.through_lid + self.chemistry
        )

    @property
    def residual(self) -> float:
        """Number of ions left unexplained."""
        return self.final - self.initial - self.gains

    def as_dict(self) -> dict[str, float]:
        """All entries and the residual, by name."""
        return {**asdict(self), "residual": self.residual}
