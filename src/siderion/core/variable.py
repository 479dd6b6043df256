"""One entry of the registry of variables."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Variable:
    """One entry of the registry.

    Attributes
    ----------
    name, units, long_name : str
        Name in data sets, CF units, meaning in words.
    dims : tuple of str
        Dimensions in their standard order.
    standard_name : str, optional
        CF standard name, where there is one.
    minimum : float, optional
        Smallest physical value; a check refuses anything below.
    """

    name: str
    dims: tuple[str, ...]
    units: str
    long_name: str
    standard_name: str = ""
    minimum: float | None = None

    @property
    def attributes(self) -> dict[str, str]:
        """CF attributes of the variable."""
        attributes = {"units": self.units, "long_name": self.long_name}
        if self.standard_name:
            attributes["standard_name"] = self.standard_name
        return attributes
