"""The fluid model: state of the metal ions on the native grid, and one window of it between two driver times.

Steps are Strang-split: half a step of vertical diffusion, advection (horizontal and vertical, in alternating order), half
a step of diffusion; the halves of neighbouring steps are taken as one. Chemistry comes every few steps. Velocities are
those of the middle of the window.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import ModuleType

import numpy as np
from numpy.typing import DTypeLike, NDArray

from siderion.chemistry.network import Network
from siderion.core.errors import NumericalError
from siderion.core.species import Species, get_species
from siderion.transport.boundaries import Boundaries
from siderion.transport.budget import AtomBudget, Budget
from siderion.transport.columns import column_geometry, column_weights, phase_places
from siderion.transport.engines import get_engine
from siderion.transport.fields import DriverFields
from siderion.transport.grid import CapGrid, ShellGrid
from siderion.transport.settings import RunSettings, metal_network, run_period
from siderion.transport.supply import Supply

WINDOW = 600.0
"""Seconds between two evaluations of the velocities (the paper's 10 minutes)."""
CHEMISTRY_WINDOWS = 3
"""Windows between two evaluations of the reaction rates."""
SCALE = 1e13
"""Volumes and areas per solid angle are divided by this, so that products with densities stay in range."""
COURANT_LIMIT = 0.9
"""Largest horizontal Courant number plus stretching of a cell by the vertical wind in one step."""


@dataclass
class Metal:
    """One transported ion with the states of its element and its coefficients on the native grid."""

    ion: Species
    network: Network | None
    reservoirs: NDArray  # (state, lev, y, x); state 0 is the ion
    initial: NDArray  # (state, lev): initial profile
    velocity_x: NDArray
    velocity_y: NDArray
    velocity_up: NDArray
    diffusivity: NDArray
    drift: NDArray
    ambipolar: NDArray
    top_velocity: NDArray  # (y, x): flow through the top that the advection carries, and that of the diffusion
    top_drift: NDArray
    rates: NDArray  # (reaction, lev, y, x)
    states_at: NDArray  # (lev,): states that take part in the chemistry of each level
    budget: Budget = field(default_factory=Budget)
    atoms: AtomBudget = field(default_factory=AtomBudget)

    @property
    def density(self) -> NDArray:
        """Density of the ion, (lev, y, x), m-3."""
        return self.reservoirs[0]


class NativeGeometry:
    """Geometry in the working precision, as the kernels take it."""

    def __init__(self, grid: CapGrid, shells: ShellGrid, dtype: DTypeLike) -> None:
        def cast(values: NDArray) -> NDArray:
            return np.ascontiguousarray(values, dtype=dtype)

        self.grid, self.shells = grid, shells
        self.solid_angle, self.edge_x, self.edge_y = cast(grid.solid_angle), cast(grid.edge_x), cast(grid.edge_y)
        self.row_range, self.column_range = grid.row_range, grid.column_range
        self.inverse_radius = shells.side / shells.shell
        self.thickness, self.distance = cast(shells.thickness), cast(shells.centre_distance)
        self.shell, self.area = cast(shells.shell / SCALE), cast(shells.area / SCALE)
        self.parabola_weights, self.face_weight = cast(shells.parabola_weights), cast(shells.face_weight)


class Model:
    """State and time step of a run.

    Parameters
    ----------
    settings : RunSettings
    fields : DriverFields
        Drivers of the same hemisphere, on the levels of ``shells``.
    grid, shells
        The native grid.
    supply : Supply, optional
        What the sources of the settings add; read here without it.
    """

    def __init__(
        self, settings: RunSettings, fields: DriverFields, grid: CapGrid, shells: ShellGrid, supply: Supply | None = None
    ) -> None:
        self.settings, self.fields, self.grid, self.shells = settings, fields, grid, shells
        self.dtype = np.dtype(settings.precision)
        self.engine: ModuleType = get_engine(settings.engine)
        self.geometry = NativeGeometry(grid, shells, self.dtype)
        needed = np.where(grid.active, grid.latitude, grid.sign * grid.edge_latitude)  # masked cells need no drivers
        self.corners = column_weights(fields.lat, fields.lon, needed, grid.longitude)
        self.corner_weight = self.corners.weight.astype(self.dtype)
        self.shape = (shells.levels, grid.cells, grid.cells)
        self.background = np.ones((1, *self.shape), self.dtype)
        self.metals = [self._new_metal(name) for name in settings.species]
        self.boundaries = Boundaries(settings, grid)
        self.supply = supply or Supply(settings, grid, shells, run_period(settings))
        self.steps_done = 0
        self.windows_done = 0
        self.largest_courant = 0.0
        self.most_cells_crossed = 0

    def _new_metal(self, name: str) -> Metal:
        ion = get_species(name)
        found = metal_network(self.settings, name)
        network = None if found is None else atom_second(found)
        states = network.states if network else (name,)
        initial = initial_profiles(self.settings, self.shells.altitude, states)
        reservoirs = np.zeros((len(states), *self.shape), self.dtype)
        reservoirs[:] = initial[:, :, None, None]

        def empty(lead: tuple[int, ...] = ()) -> NDArray:
            return np.zeros((*lead, *self.shape), self.dtype)

        edges = len(network.edges) if network else 0
        turned = np.zeros((self.shape[0], self.shape[2], self.shape[1]), self.dtype)
        return Metal(
            ion, network, reservoirs, initial, empty(), turned, empty(), empty(), empty(), empty(),
            np.zeros(self.shape[1:], self.dtype), np.zeros(self.shape[1:], self.dtype), empty((edges,)),
            np.full(self.shape[0], len(states)),
        )  # fmt: skip

    # ------------------------------------------------------------------ coefficients

    def electrons(self) -> NDArray:
        """Background electrons plus metal ions, (lev, y, x), m-3."""
        total = self.background[0].copy()
        for metal in self.metals:
            total += metal.density
        return total

    def fill_background(self, time: np.datetime64) -> None:
        """Bring the background electrons of a moment to the native grid."""
        rows = self.fields.electron_density(time).astype(self.dtype)
        self.engine.interpolate_columns(rows, self.corners.corner, self.corner_weight, self.grid.row_range, self.background)

    def update_coefficients(self, time: np.datetime64) -> None:
        """Evaluate velocities, diffusion and, every few windows, reaction rates at a moment."""
        engine, corner = self.engine, self.corners.corner
        self.fill_background(time)
        electrons = self.electrons()
        for metal in self.metals:
            self.fill_velocity(metal, time, electrons, frozenset(self.settings.terms))
            metal.top_velocity, metal.top_drift = self.flow_through_top(metal, electrons)
            if metal.network is not None and metal.network.edges and self.windows_done % CHEMISTRY_WINDOWS == 0:
                rates = self.fields.chemistry_rows(time, metal.network, self.settings.chemistry.sunlight)
                metal.states_at = states_that_matter(metal.network, rates)
                rates = rates.astype(self.dtype)
                engine.interpolate_columns(rates, corner, self.corner_weight, self.grid.row_range, metal.rates)

    def fill_velocity(
        self, metal: Metal, time: np.datetime64, electrons: NDArray, terms: frozenset[str], slow_up: NDArray | None = None
    ) -> None:
        """Evaluate the velocity of one metal from the given terms; ``slow_up`` gains the vertical slow part."""
        convection = self.fields.convection(time)
        shells, dtype = self.shells, self.dtype
        drivers = self.fields.motion_rows(time, metal.ion, terms, self.settings.collision_formula, self.settings.eddy_diffusivity)
        ratio = (convection.footpoint_radius / shells.radius) ** 0.5
        strength = convection.dipole.strength * (convection.earth_radius / shells.radius) ** 3
        index, weight, cosine, sine = phase_places(self.grid, convection)
        weights = np.array([name in terms for name in ("exb", "pedersen", "wind")], dtype=dtype)
        self.engine.fill_velocity(
            drivers.astype(dtype), self.corners.corner, self.corner_weight,
            column_geometry(self.grid, convection).astype(dtype), index, weight.astype(dtype), cosine.astype(dtype),
            sine.astype(dtype), convection.table.astype(dtype), dtype.type(convection.sine_step), metal.density, electrons,
            self.grid.row_range, shells.radius.astype(dtype), ratio.astype(dtype),
            (metal.ion.charge / metal.ion.mass * strength).astype(dtype), strength.astype(dtype), self.geometry.distance,
            weights, metal.velocity_x, metal.velocity_y, metal.velocity_up, metal.diffusivity, metal.drift,
            metal.ambipolar, np.zeros((0, 0, 0), dtype) if slow_up is None else slow_up,
        )  # fmt: skip

    def flow_through_top(self, metal: Metal, electrons: NDArray) -> tuple[NDArray, NDArray]:
        """Velocity of the flow through an open top, (y, x), m s-1: the sum of all drifts where that is upwards, else 0.

        Where gravity wins, ions that rise fall back, and nothing is known of ions above. The density gradient does not
        count: extrapolated beyond the top, it would turn the boundary into a sink.

        Returns the part that goes with the advection, at most its own velocity there, and the rest, which goes with the
        diffusion: lifted by the electric field along B, light ions leave a high top faster than an explicit step allows.
        Where the advection is downwards it brings the floor density in: else a fast sinking flow would empty the top cell
        in one step.
        """
        slope = np.log(electrons[-1] / electrons[-2]) / self.shells.centre_distance[-1]
        total = np.maximum(metal.velocity_up[-1] + metal.drift[-1] - metal.ambipolar[-1] * slope, 0.0)
        upward = metal.velocity_up[-1]
        advected = np.where(upward < 0.0, upward, np.minimum(total, upward))
        return advected.astype(self.dtype), (total - np.maximum(advected, 0.0)).astype(self.dtype)

    def steps_in_window(self) -> int:
        """Number of steps in the coming window: enough for the settings, the Courant number and the stretching."""
        g = self.geometry
        steps = int(np.ceil(WINDOW / self.settings.time_step - 1e-9))
        for metal in self.metals:
            rates, places = self.engine.largest_rates(
                metal.velocity_x, metal.velocity_y, metal.velocity_up, g.solid_angle, g.edge_x, g.edge_y, g.row_range,
                g.inverse_radius, g.distance,
            )  # fmt: skip
            # A cell that the vertical wind stretches has less volume left for the horizontal sweeps: the two rates add up.
            needed = WINDOW * rates.sum(axis=1).max() / COURANT_LIMIT
            if not needed < 600:
                level, kind = np.unravel_index(np.nanargmax(np.where(np.isfinite(rates), rates, np.inf)), rates.shape)
                y, x = np.unravel_index(places[level, kind], self.grid.latitude.shape)
                raise NumericalError(
                    f"the velocity of {metal.ion.name} needs a time step below 1 s: rate {rates[level, kind]:.3g} s-1 at "
                    f"{self.place(int(level), int(y), int(x))}; look at the drivers there (electric potential, wind)"
                )
            steps = max(steps, int(np.ceil(needed)))
        return steps

    def place(self, level: int, y: int, x: int) -> str:
        """Words for a cell: altitude, latitude, longitude."""
        return (
            f"{self.shells.altitude[level]:.1f} km, {self.grid.latitude[y, x]:.2f} N, {self.grid.longitude[y, x]:.2f} E "
            f"(cell {level}, {y}, {x})"
        )

    # ------------------------------------------------------------------ the step

    def run_window(self, start: np.datetime64) -> None:
        """Advance by one window of 10 minutes that begins at ``start``.

        Raises
        ------
        NumericalError
            A density is negative or not finite, or the flow is too fast for the time step; with place and time.
        """
        self.update_coefficients(start + np.timedelta64(int(WINDOW * 500), "ms"))
        steps = self.steps_in_window()
        time_step = WINDOW / steps
        every = max(1, int(self.settings.chemistry.step // time_step))
        since = 0
        self.diffuse(time_step / 2.0)
        for step in range(steps):
            for metal in self.metals:
                self.advect(metal, time_step)
            self.steps_done += 1
            since += 1
            final = step == steps - 1
            if since == every or final:
                self.chemistry_step(start + _span((step + 1 - since) * time_step), since * time_step)
                since = 0
            self.diffuse(time_step / 2.0 if final else time_step)
            for metal in self.metals:
                self.boundaries.hold(metal, self)
        self.windows_done += 1
        self.check(start)

    def advect(self, metal: Metal, time_step: float) -> None:
        """Move one metal: the horizontal sweeps and the vertical one, in an order that turns with the steps."""
        volume = np.ones(self.shape, self.dtype)
        turn = self.steps_done % 4
        if turn % 2 == 0:
            self.advect_horizontal(metal, volume, time_step, x_first=turn == 0, last=False)
            self.advect_vertical(metal, volume, time_step, last=True)
        else:
            self.advect_vertical(metal, volume, time_step, last=False)
            self.advect_horizontal(metal, volume, time_step, x_first=turn == 1, last=True)

    def diffuse(self, time_step: float) -> None:
        """Vertical diffusion of all metals, with gravity and the ambipolar field."""
        g = self.geometry
        electrons = self.electrons()
        for metal in self.metals:
            outflow = np.zeros(self.grid.cells)
            self.engine.diffuse_vertical(
                metal.density, electrons, metal.diffusivity, metal.drift, metal.ambipolar, metal.top_drift, g.row_range,
                g.shell, g.area, g.distance, g.solid_angle, self.dtype.type(time_step), outflow,
            )  # fmt: skip
            metal.budget.through_top -= float(outflow.sum()) * SCALE

    def advect_horizontal(self, metal: Metal, volume: NDArray, time_step: float, x_first: bool, last: bool) -> None:
        """The two horizontal sweeps."""
        g = self.geometry
        gained = np.zeros(self.shells.levels)
        courant = self.engine.advect_horizontal(
            metal.density, volume, metal.velocity_x, metal.velocity_y, g.solid_angle, g.edge_x, g.edge_y, g.row_range,
            g.column_range, (time_step * g.inverse_radius).astype(self.dtype), self.shells.shell,
            self.settings.boundaries.edge != "inflow", metal.initial[0].astype(self.dtype), x_first, last, gained,
        )  # fmt: skip
        metal.budget.through_edge += float(gained.sum())
        self.largest_courant = max(self.largest_courant, float(courant))
        if not courant <= 1.0:
            raise NumericalError(f"horizontal Courant number {courant:.3f} in step {self.steps_done}; it must be at most 1")

    def advect_vertical(self, metal: Metal, volume: NDArray, time_step: float, last: bool) -> None:
        """The vertical sweep."""
        g = self.geometry
        gained = np.zeros((self.grid.cells, 2))
        kind = self.dtype.type
        floor = kind(metal.initial[0].min())
        crossed = self.engine.advect_vertical(
            metal.density, volume, metal.velocity_up, g.row_range, g.thickness, g.shell, g.area, g.parabola_weights,
            g.face_weight, kind(time_step), metal.top_velocity, floor, floor, last, g.solid_angle, gained,
        )  # fmt: skip
        bottom, top = gained.sum(axis=0) * SCALE
        metal.budget.through_bottom += float(bottom)
        metal.budget.through_top += float(top)
        self.most_cells_crossed = max(self.most_cells_crossed, int(crossed))

    def chemistry_step(self, begin: np.datetime64, time_step: float) -> None:
        """What the sources release from ``begin`` on for ``time_step`` seconds, then the reactions of every metal."""
        for metal in self.metals:
            self.supply.add(metal, begin, time_step, self)
        electrons = self.electrons()
        for metal in self.metals:
            if metal.network is None or not metal.network.edges:
                continue
            before = self.content(metal)
            held = self.boundaries.held_neutrals(metal)
            self.engine.react(
                metal.reservoirs, metal.rates, electrons, metal.network.scales_with_electrons, metal.network.edges_from,
                metal.network.edges_to, metal.states_at, self.grid.row_range, self.dtype.type(time_step),
            )  # fmt: skip
            self.boundaries.reset_neutrals(metal, held, self)
            metal.budget.chemistry += self.content(metal) - before

    def content(self, metal: Metal, state: int = 0) -> float:
        """Number of particles of one state in the domain."""
        g = self.geometry
        return float(self.engine.total_content(metal.reservoirs[state], g.solid_angle, self.shells.shell, g.row_range))

    def count_atoms(self, metal: Metal) -> float:
        """Number of atoms of a metal in all its states in the domain."""
        return sum(self.content(metal, state) for state in range(len(metal.reservoirs)))

    def check(self, start: np.datetime64) -> None:
        """Raise `NumericalError` when a density is negative or not finite."""
        for metal in self.metals:
            level, y, x = self.engine.first_invalid(metal.density, self.grid.row_range)
            if level >= 0:
                speeds = [float(v[level, y, x]) for v in (metal.velocity_x, metal.velocity_up, metal.diffusivity)]
                raise NumericalError(
                    f"density of {metal.ion.name} is {metal.density[level, y, x]} m-3 at {self.place(level, y, x)} after "
                    f"{start}; it must be positive. There: horizontal velocity {speeds[0]:.4g} m/s, vertical {speeds[1]:.4g} "
                    f"m/s, diffusivity {speeds[2]:.4g} m2/s, electrons {self.background[0][level, y, x]:.4g} m-3; "
                    "look at the driver that stands out, or take a smaller time_step"
                )


def _span(seconds: float) -> np.timedelta64:
    return np.timedelta64(round(seconds * 1e9), "ns")


NEGLIGIBLE_RATE = 1e-8
"""Rate, s-1, of the formation of molecules below which a level goes without them: 1e-3 of the ions in 36 h, and most come
back at once. Molecular states matter below about 140 km."""


def atom_second(network: Network) -> Network:
    """The same network with the neutral atom as the second state, so that molecules can be left out where they are rare."""
    ion, atom = network.states[0], network.metal
    if atom not in network.states:
        return network
    others = tuple(state for state in network.states if state not in (ion, atom))
    return replace(network, states=(ion, atom, *others))


def states_that_matter(network: Network, rates: NDArray) -> NDArray[np.int64]:
    """How many states take part at each level: all, or only ion and atom where molecules hardly form; ``rates``
    (reaction, lev, column)."""
    count = len(network.states)
    pair = network.states[:2]
    forms = [e.from_state in pair and e.to_state not in pair and not e.scales_with_electrons for e in network.edges]
    if network.metal not in pair or not any(forms):
        return np.full(rates.shape[1], count)
    formation = rates[np.array(forms)].sum(axis=0).max(axis=1)
    highest = np.flatnonzero(formation > NEGLIGIBLE_RATE)
    top = highest[-1] + 1 if len(highest) else 0
    return np.where(np.arange(rates.shape[1]) < top, count, 2)


def initial_profiles(settings: RunSettings, altitude: NDArray, states: tuple[str, ...]) -> NDArray[np.float64]:
    """Initial density of every state by altitude, (state, lev), m-3: the ion, its neutral atom, nothing else."""
    initial = settings.initial
    profiles = np.zeros((len(states), len(altitude)))
    ion = initial.peak_density * np.exp(-(((altitude - initial.peak_altitude) / initial.width) ** 2))
    profiles[0] = np.maximum(ion, initial.floor)
    atom = states[0].rstrip("+")
    if atom in states:
        layer = initial.neutral_peak_density * np.exp(
            -(((altitude - initial.neutral_peak_altitude) / initial.neutral_width) ** 2)
        )
        tail = initial.neutral_tail_density * np.exp(-(altitude - 120.0) / initial.neutral_tail_scale)
        profiles[states.index(atom)] = np.where(
            altitude > initial.neutral_peak_altitude, np.maximum(layer, np.minimum(tail, initial.neutral_peak_density)), layer
        )
    return profiles
