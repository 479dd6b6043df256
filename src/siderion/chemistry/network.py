"""Networks of metal chemistry that are linear in the metal: every edge moves one metal atom between two states.

The background densities and the electron density are given, so each reaction is of first order in the metal and the
sum over the states is conserved.

A neutral layer of fixed density needs no other network: give the neutral state its density before each step, put it
back afterwards, and book the difference as the source (or sink) of the ions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import CoverageError, NumericalError, SettingsError

from .reactions import Reaction, Temperatures, get_reaction, rate_coefficient, reaction_keys, select_rate

TRANSPORT_ONLY = ("K", "Ni", "Li", "Ti", "Cu", "Ge")
"""Metals without sourced rates: their network is the ion alone. K+ outlives Na+ and Fe+, so this is fair for K."""

THIRD_BODIES = ("N2", "O2", "O")
"""The gases that make up M in three-body reactions; the rates were measured in N2 or He and are used for all three."""

_NOT_PARTNERS = ("e-", "hv", "M")


@dataclass(frozen=True)
class Edge:
    """One channel that moves a metal atom.

    Attributes
    ----------
    from_state, to_state : str
        The states it joins.
    partner : str or None
        Background species whose density multiplies the rate coefficient; None for photons and electrons.
    key : str
        Key in the reaction table.
    scales_with_electrons : bool
        The rate must be multiplied by the electron density.
    sunlit_only : bool
        The rate is multiplied by the sunlit factor.
    third_body : bool
        The rate is multiplied by the density of M as well.
    """

    from_state: str
    to_state: str
    partner: str | None
    key: str
    scales_with_electrons: bool
    sunlit_only: bool
    third_body: bool


@dataclass(frozen=True)
class Network:
    """A metal network.

    Attributes
    ----------
    metal, kind : str
        The metal; ``"full"`` or ``"simple"``.
    states : tuple of str
        The transported ion first, then molecular ions, then the neutral atom and neutral molecules.
    edges : tuple of Edge
        The channels.
    sourced : bool
        False when no sourced rates exist and the ion is transported without chemistry.
    """

    metal: str
    kind: str
    states: tuple[str, ...]
    edges: tuple[Edge, ...]
    sourced: bool

    @property
    def edges_from(self) -> NDArray[np.int64]:
        """Index of the state that each edge leaves, shape (edge,)."""
        return np.array([self.states.index(edge.from_state) for edge in self.edges], dtype=np.int64)

    @property
    def edges_to(self) -> NDArray[np.int64]:
        """Index of the state that each edge enters, shape (edge,)."""
        return np.array([self.states.index(edge.to_state) for edge in self.edges], dtype=np.int64)

    @property
    def scales_with_electrons(self) -> NDArray[np.bool_]:
        """Which edges must be multiplied by the electron density, shape (edge,)."""
        return np.array([edge.scales_with_electrons for edge in self.edges], dtype=bool)

    @property
    def partners(self) -> tuple[str, ...]:
        """Background species that the network reacts with, in order of appearance."""
        return tuple(dict.fromkeys(edge.partner for edge in self.edges if edge.partner is not None))

    def without_partner(self, densities: Mapping[str, ArrayLike]) -> tuple[str, ...]:
        """Partners that ``densities`` does not give; their edges have rate zero."""
        return tuple(name for name in self.partners if name not in densities)


def known_metals() -> tuple[str, ...]:
    """Metals that `build_network` knows, those without sourced rates included."""
    sourced = dict.fromkeys(get_reaction(key).metal for key in reaction_keys())
    return (*(metal for metal in sourced if metal), *TRANSPORT_ONLY)


def build_network(metal: str, kind: Literal["full", "simple"] = "full", alternatives: Mapping[str, str] | None = None) -> Network:
    """Build the network of a metal from the reaction table.

    Parameters
    ----------
    metal : str
        Element, such as ``"Fe"``.
    kind : {"full", "simple"}
        ``"simple"``: charge transfer with O2+ and NO+, photo-ionisation and radiative recombination, as Andoh et al.
        (2020, table 2) used for Ca+; ``"full"``: molecular ions and neutral molecules too.
    alternatives : mapping of str to str, optional
        Variants by key of the default rate, such as ``{"fe_ion_electron": "umist22"}``.

    Returns
    -------
    Network
        Its `sourced` is False for metals that are transported without chemistry.

    Raises
    ------
    CoverageError
        The metal, a key or a variant is unknown.
    SettingsError
        The kind is unknown, or an alternative names a rate that the network does not use.
    """
    if kind not in ("full", "simple"):
        raise SettingsError(f"kind of network is {kind!r}; use 'full' or 'simple'")
    if metal not in known_metals():
        raise CoverageError(f"no network for metal {metal!r}; known metals: {', '.join(known_metals())}")
    keys = [key for key in reaction_keys(metal) if kind == "full" or get_reaction(key).simple]
    chosen = dict.fromkeys(keys, "")
    for key, variant in (alternatives or {}).items():
        if key not in chosen:
            raise SettingsError(
                f"alternative for {key!r}, but the {kind} network of {metal} does not use it; its rates: {', '.join(keys)}"
            )
        chosen[key] = select_rate(key, variant)
    edges = tuple(_edge(get_reaction(chosen[key] or key), metal) for key in keys)
    return Network(metal, kind, _states(metal, edges), edges, sourced=bool(edges))


def _edge(reaction: Reaction, metal: str) -> Edge:
    from_state = next(name for name in reaction.reactants if _contains(name, metal))
    to_state = next(name for name in reaction.products if _contains(name, metal))
    others = [name for name in reaction.reactants if name != from_state and name not in _NOT_PARTNERS]
    return Edge(
        from_state,
        to_state,
        others[0] if others else None,
        reaction.key,
        scales_with_electrons="e-" in reaction.reactants,
        sunlit_only="hv" in reaction.reactants,
        third_body="M" in reaction.reactants,
    )


def _contains(name: str, metal: str) -> bool:
    return name.startswith(metal) and not name[len(metal) : len(metal) + 1].islower()


def _states(metal: str, edges: tuple[Edge, ...]) -> tuple[str, ...]:
    names = dict.fromkeys(name for edge in edges for name in (edge.from_state, edge.to_state))
    ion = f"{metal}+"
    molecular_ions = [name for name in names if name.endswith("+") and name != ion]
    neutrals = sorted((name for name in names if not name.endswith("+")), key=len)
    return (ion, *molecular_ions, *neutrals)


def first_order_rates(
    network: Network, temperatures: Temperatures, densities: Mapping[str, ArrayLike], sunlit: ArrayLike
) -> NDArray[np.float64]:
    """First-order rate of every edge of a network.

    Parameters
    ----------
    network : Network
        The network; `Network.without_partner` names the edges that get no partner density and so rate zero.
    temperatures : Temperatures
        Neutral, electron and ion temperature, K.
    densities : mapping of str to array
        Background densities by species, m-3; N2, O2 and O are required when the network has three-body reactions.
    sunlit : array
        Factor of the photo rates, 0 (night) to 1 (full Sun); see `sunlit_factor`.

    Returns
    -------
    array, shape (edge, ...)
        s-1; for edges with `scales_with_electrons`, m3 s-1, to be multiplied by the electron density. Products are
        formed in float64 whatever the input; the results fit float32.

    Raises
    ------
    CoverageError
        A gas of the third body is missing.
    NumericalError
        A density is negative or not finite, the sunlit factor lies outside 0 to 1, or a temperature is impossible.
    """
    needed = {name: np.asarray(densities[name], dtype=np.float64) for name in network.partners if name in densities}
    third_body = _third_body(network, densities)
    light = np.asarray(sunlit, dtype=np.float64)
    _check_range(light, "sunlit factor", 1.0)
    for name, density in needed.items():
        _check_range(density, f"density of {name}", np.inf)
    warm = [np.asarray(t, dtype=np.float64) for t in (temperatures.neutral, temperatures.electron, temperatures.ion)]
    shape = np.broadcast_shapes(
        light.shape, third_body.shape, *(t.shape for t in warm), *(density.shape for density in needed.values())
    )
    rates = np.zeros((len(network.edges), *shape))
    for index, edge in enumerate(network.edges):
        if edge.partner is not None and edge.partner not in needed:
            continue
        rate = rate_coefficient(edge.key, *warm)
        if edge.partner is not None:
            rate = rate * needed[edge.partner]
        if edge.third_body:
            rate = rate * third_body
        if edge.sunlit_only:
            rate = rate * light
        rates[index] = rate
    return rates


def _third_body(network: Network, densities: Mapping[str, ArrayLike]) -> NDArray[np.float64]:
    if not any(edge.third_body for edge in network.edges):
        return np.zeros(())
    missing = [name for name in THIRD_BODIES if name not in densities]
    if missing:
        raise CoverageError(
            f"network of {network.metal}: density of {', '.join(missing)} is missing; three-body rates need all of "
            f"{', '.join(THIRD_BODIES)}"
        )
    gases = [np.asarray(densities[name], dtype=np.float64) for name in THIRD_BODIES]
    for name, gas in zip(THIRD_BODIES, gases, strict=True):
        _check_range(gas, f"density of {name}", np.inf)
    return gases[0] + gases[1] + gases[2]


def _check_range(values: NDArray[np.float64], what: str, maximum: float) -> None:
    bad = ~(np.isfinite(values) & (values >= 0.0) & (values <= maximum))
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        upper = "" if maximum == np.inf else f" and at most {maximum:g}"
        raise NumericalError(
            f"{what} is {values[where]} at index {where} ({int(bad.sum())} such values); it must be finite, at least 0"
            f"{upper}; correct the background"
        )


def sunlit_factor(
    solar_zenith_angle: ArrayLike, altitude_km: ArrayLike, rule: Literal["horizon", "geometric_shadow"]
) -> NDArray[np.float64]:
    """Factor of the photo rates: 1 in sunlight, 0 in darkness.

    Parameters
    ----------
    solar_zenith_angle : array
        Solar zenith angle at the point, degrees.
    altitude_km : array
        Altitude above the sphere of 6371.2 km, km; only the rule ``"geometric_shadow"`` uses it.
    rule : {"horizon", "geometric_shadow"}
        ``"horizon"``: dark for zenith angles above 90 degrees (Andoh et al. 2020, table 2). ``"geometric_shadow"``:
        dark only inside the cylinder that the sphere casts, so a point at altitude stays lit after ground sunset.

    Returns
    -------
    array
        0 or 1, in the broadcast shape.

    Raises
    ------
    SettingsError
        The rule is unknown.
    NumericalError
        The zenith angle lies outside 0 to 180 degrees, or the altitude is below 0.
    """
    zenith = np.asarray(solar_zenith_angle, dtype=np.float64)
    altitude = np.asarray(altitude_km, dtype=np.float64)
    _check_range(zenith, "solar zenith angle", 180.0)
    _check_range(altitude, "altitude", np.inf)
    zenith, altitude = np.broadcast_arrays(zenith, altitude)
    if rule == "horizon":
        lit = zenith <= 90.0
    elif rule == "geometric_shadow":
        radius = EARTH_RADIUS / 1e3
        lit = (zenith <= 90.0) | ((radius + altitude) * np.sin(np.deg2rad(zenith)) >= radius)
    else:
        raise SettingsError(f"rule of sunlight is {rule!r}; use 'horizon' or 'geometric_shadow'")
    return lit.astype(np.float64)
