"""Two-cell convection potential of Heelis, Lowell and Spiro 1982, doi 10.1029/JA087iA08p06339, after Volland.

For southward field, without tables. The potential is a function of colatitude times a function of local time,
``G(theta) F(phi)``, about a centre off the magnetic pole. The elliptical arcs of the paper join the two sides
of the convection reversal, so that the electric field is continuous there.

Approximations
--------------
- The paper's numbers are examples. The dependence on Kp and By, the radius, the split between dawn and dusk,
  the zones of entry and exit, and the fall-off r1 are those of NCAR TIE-GCM 2.0; G is the paper's function.
- All four half-widths of the entry and exit zones are 90 degrees or half the cell, whichever is less, so F
  does not depend on colatitude.
- G is proportional to colatitude at the centre. There the paper's product would have a field that depends on
  the direction of approach. Poleward of the arcs, the azimuthal harmonics of F other than the first fade to
  zero towards the centre, which leaves one uniform field. At and beyond the reversal the product is
  unchanged.
- The fall-off is a power of sin(theta) without the exponential cut of TIE-GCM, which has a kink; the common
  taper ends it between 54 and 47 degrees. Above Kp 6 more than a tenth of the potential reaches 54 degrees.
- The potential counts as one in the frame that rotates with the Earth, as TIE-GCM uses it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from siderion.core.errors import NumericalError

from .grid import (
    Array,
    ConvectionModel,
    Hemisphere,
    OffsetPole,
    check_conditions,
    check_hemisphere,
    model_numbers,
    smooth_step,
)


@dataclass(frozen=True)
class LocalTimeFunction:
    """F(phi): the potential along the reversal, half cosines across entry and exit (Heelis et al. 1982, eq.
    4).

    Attributes
    ----------
    entry, exit : float
        Azimuths of the centres of the dayside entry and nightside exit, rad from midnight.
    half_width : float
        Largest half-width of a zone, rad.
    dawn, dusk : float
        Potentials of the two cells, V.
    """

    entry: float
    exit: float
    half_width: float
    dawn: float
    dusk: float

    @property
    def _widths(self) -> tuple[float, float, float]:
        """Length of the dusk cell from entry to exit; half-widths on the dawn and dusk sides."""
        length = (self.exit - self.entry) % (2.0 * np.pi)
        return length, min(self.half_width, np.pi - 0.5 * length), min(self.half_width, 0.5 * length)

    def evaluate(self, phi: Array) -> tuple[Array, Array]:
        """F in V and dF/dphi in V rad-1."""
        length, dawn_side, dusk_side = self._widths
        width = dawn_side + dusk_side
        # Azimuth from the dawn edge of the entry zone; the exit zone is the mirror image of the entry zone.
        position = (phi - self.entry + dawn_side) % (2.0 * np.pi)
        mirrored = position > 0.5 * length + dawn_side
        position = np.where(mirrored, length + 2.0 * dawn_side - position, position)
        angle = np.pi * np.clip(position / width, 0.0, 1.0)
        amplitude = 0.5 * (self.dawn - self.dusk)
        slope = -amplitude * np.pi / width * np.sin(angle)
        return 0.5 * (self.dawn + self.dusk) + amplitude * np.cos(angle), np.where(mirrored, -slope, slope)

    def first_harmonic(self) -> tuple[float, float]:
        """Coefficients of cos(phi) and sin(phi) in F, V."""
        phi = np.linspace(0.0, 2.0 * np.pi, 1440, endpoint=False)
        value, _ = self.evaluate(phi)
        return float(2.0 * np.mean(value * np.cos(phi))), float(2.0 * np.mean(value * np.sin(phi)))


@dataclass(frozen=True)
class LatitudeFunction:
    """G(theta) of Heelis et al. 1982, eq. 3: 0 at the centre, 1 at the reversal, smooth to first order.

    Equatorward of the arcs ``A1 (sin t/sin t0)^r1``; poleward ``A2 H`` with ``H = (sin(t + tc)^r2 -
    sin(tc)^r2)/sin(t0)^r2``; between them ``sqrt(1 - (t - t0)^2/B)`` with one B on either side. A and B
    follow from continuity.

    Attributes
    ----------
    radius : float
        Colatitude t0 of the reversal, rad.
    arc : float
        Half-width of the arcs, rad.
    outer_index, inner_index, inner_phase : float
        r1, r2 and tc (rad).
    """

    radius: float
    arc: float
    outer_index: float
    inner_index: float
    inner_phase: float

    def _inner_shape(self, theta: Array) -> tuple[Array, Array]:
        power, scale = self.inner_index, np.sin(self.radius) ** self.inner_index
        shape = (np.sin(theta + self.inner_phase) ** power - np.sin(self.inner_phase) ** power) / scale
        slope = power * np.sin(theta + self.inner_phase) ** (power - 1.0) * np.cos(theta + self.inner_phase) / scale
        return shape, slope

    def evaluate(self, theta: Array) -> tuple[Array, Array]:
        """G and dG/dtheta (rad-1)."""
        offset = theta - self.radius
        # Logarithmic slopes at the outer ends of the arcs fix B: -d/(B - d^2) = G'/G.
        outer_slope = self.outer_index / np.tan(self.radius + self.arc)
        inner_shape, inner_slope = self._inner_shape(np.asarray(self.radius - self.arc))
        outer_axis = self.arc**2 - self.arc / outer_slope
        inner_axis = self.arc**2 + self.arc * float(inner_shape / inner_slope)
        axis = np.where(offset > 0.0, outer_axis, inner_axis)
        within = np.clip(offset, -self.arc, self.arc)
        arc = np.sqrt(1.0 - within**2 / axis)
        arc_slope = -within / (axis * arc)
        ratio = np.sin(np.maximum(theta, self.radius)) / np.sin(self.radius + self.arc)
        outer = np.sqrt(1.0 - self.arc**2 / outer_axis) * ratio**self.outer_index
        shape, slope = self._inner_shape(np.minimum(theta, self.radius))
        inner_factor = np.sqrt(1.0 - self.arc**2 / inner_axis) / inner_shape
        value = np.where(offset > self.arc, outer, np.where(offset < -self.arc, inner_factor * shape, arc))
        outer_change = outer * self.outer_index / np.tan(np.maximum(theta, self.radius))
        change = np.where(offset > self.arc, outer_change, np.where(offset < -self.arc, inner_factor * slope, arc_slope))
        return value, change


@dataclass(frozen=True)
class Heelis(ConvectionModel):
    """The Heelis potential for one set of conditions; made by `heelis`."""

    centre: OffsetPole
    by_latitude: LatitudeFunction
    by_local_time: LocalTimeFunction
    harmonic: tuple[float, float]
    hemisphere: Hemisphere
    citation: str = "Heelis et al. 1982, JGR 87, 6339, doi 10.1029/JA087iA08p06339; parameters of NCAR TIE-GCM 2.0"
    frame: str = "Earth-rotating"
    coordinates: str = "invariant latitude and magnetic local time"

    def _untapered_potential(self, colatitude: Array, phi: Array) -> Array:
        theta, azimuth = self.centre.transform(colatitude, phi)
        radial, _ = self.by_latitude.evaluate(theta)
        return radial * self._angular(theta, azimuth)[0]

    def _untapered_gradient(self, colatitude: Array, phi: Array) -> tuple[Array, Array]:
        theta, azimuth = self.centre.transform(colatitude, phi)
        radial, radial_slope = self.by_latitude.evaluate(theta)
        angular, by_theta, by_azimuth = self._angular(theta, azimuth)
        sin = np.sin(theta)
        # At the very centre G/sin(theta) tends to G'.
        ratio = np.where(sin > 1e-12, radial / np.where(sin > 1e-12, sin, 1.0), radial_slope)
        along = radial_slope * angular + radial * by_theta
        return self.centre.gradient_back((colatitude, phi), (theta, azimuth), (along, ratio * by_azimuth))

    def _angular(self, theta: Array, azimuth: Array) -> tuple[Array, Array, Array]:
        """F with all but its first harmonic fading towards the centre; derivatives by theta and azimuth."""
        value, slope = self.by_local_time.evaluate(azimuth)
        cos, sin = self.harmonic
        first = cos * np.cos(azimuth) + sin * np.sin(azimuth)
        first_slope = sin * np.cos(azimuth) - cos * np.sin(azimuth)
        width = self.by_latitude.radius - self.by_latitude.arc
        share, share_slope = smooth_step(theta / width)
        angular = first + share * (value - first)
        return angular, share_slope / width * (value - first), first_slope + share * (slope - first_slope)


def cross_polar_potential(kp: float) -> float:
    """Potential difference across the polar cap, V, from Kp (NCAR TIE-GCM 2.0: 15 + 15 Kp + 0.8 Kp^2 kV)."""
    check_conditions(kp=kp)
    number = model_numbers("heelis")
    kilovolt = number["potential_constant"] + number["potential_linear"] * kp + number["potential_quadratic"] * kp * kp
    return 1000.0 * kilovolt


def heelis(kp: float, imf_by: float, hemisphere: str) -> Heelis:
    """Heelis 1982 convection potential for given conditions.

    Parameters
    ----------
    kp : float
        Planetary K index, 0 to 9.
    imf_by : float
        Interplanetary magnetic field, GSM y, nT; limited to -11 to 7 as in NCAR TIE-GCM. Its effect is
        reversed in the south.
    hemisphere : str
        ``"north"`` or ``"south"``.

    Returns
    -------
    Heelis
        The model; see `ConvectionModel` for its methods.

    Raises
    ------
    DataError
        A condition is missing, a fill value or in a wrong unit.
    SettingsError
        Unknown hemisphere.
    NumericalError
        The reversal lies too close to the pole for the arcs.
    """
    check_conditions(kp=kp, imf_by=imf_by)
    side = check_hemisphere(hemisphere)
    number = model_numbers("heelis")
    sign = 1.0 if side == "south" else -1.0
    by = sign * min(max(imf_by, number["by_minimum"]), number["by_maximum"])
    drop = cross_polar_potential(kp)
    radius = number["radius_constant"] + number["radius_factor"] * (drop / 1000.0) ** number["radius_exponent"]
    arc = number["arc_half_width"]
    if radius <= 2.0 * arc:
        raise NumericalError(f"the reversal is at colatitude {radius:.2f} degrees; it must exceed {2 * arc:g} degrees")
    by_local_time = LocalTimeFunction(
        entry=np.deg2rad(15.0 * (number["entry_time"] + number["entry_time_by"] * by)),
        exit=np.deg2rad(15.0 * (number["exit_time"] + number["exit_time_by"] * by)),
        half_width=np.deg2rad(number["zone_half_width"]),
        dawn=number["dawn_fraction"] * drop,
        dusk=number["dusk_fraction"] * drop,
    )
    by_latitude = LatitudeFunction(
        np.deg2rad(radius),
        np.deg2rad(arc),
        number["outer_index"],
        number["inner_index"],
        np.deg2rad(number["inner_phase"]),
    )
    towards_dusk = np.deg2rad(number["dusk_offset"] + number["dusk_offset_by"] * by)
    centre = OffsetPole(float(np.deg2rad(number["midnight_offset"])), -float(towards_dusk))
    return Heelis(centre, by_latitude, by_local_time, by_local_time.first_harmonic(), side)
