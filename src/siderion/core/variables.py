"""The registry of variables: one entry per name, with dimensions, units, meaning.

Everything that crosses a wall between packages is an `xarray.Dataset` whose variables are listed here. Documentation,
file attributes and checks all come from this one place.
"""

from __future__ import annotations

from dataclasses import dataclass

import xarray as xr

from .errors import CoverageError, DataError, UnitsError


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


_GRID = ("time", "alt", "lat", "lon")
_SPECIES_GRID = ("species", *_GRID)
_VELOCITY_GRID = ("species", "velocity_time", "alt", "lat", "lon")
_MAGNETIC_GRID = ("convection_time", "magnetic_latitude", "magnetic_local_time")


def _driver_densities() -> list[Variable]:
    neutrals = ("N2", "O2", "O", "He", "Ar", "H", "N", "NO", "O3")
    ions = ("O+", "O2+", "NO+", "N2+")
    return [Variable(f"density_{name}", _GRID, "m-3", f"number density of {name}", minimum=0.0) for name in neutrals + ions]


_ENTRIES = [
    # coordinates
    Variable("alt", ("alt",), "km", "altitude above the sphere of 6371.2 km", "altitude"),
    Variable("lat", ("lat",), "degrees_north", "geocentric latitude", "latitude"),
    Variable("lon", ("lon",), "degrees_east", "longitude", "longitude"),
    # drivers
    *_driver_densities(),
    Variable("mass_density", _GRID, "kg m-3", "mass density of the neutral gas", "air_density", 0.0),
    Variable("molecular_recombination", _GRID, "m3 s-1", "mean recombination coefficient of molecular ions", minimum=0.0),
    Variable("auroral_ionisation", _GRID, "m-3 s-1", "ionisation rate by auroral electrons", minimum=0.0),
    Variable("neutral_temperature", _GRID, "K", "temperature of the neutral gas", "air_temperature", 0.0),
    Variable("ion_temperature", _GRID, "K", "temperature of the ions", minimum=0.0),
    Variable("electron_temperature", _GRID, "K", "temperature of the electrons", minimum=0.0),
    Variable("electron_density", _GRID, "m-3", "number density of electrons", minimum=0.0),
    Variable("neutral_wind_east", ("wind_time", *_GRID[1:]), "m s-1", "eastward neutral wind", "eastward_wind"),
    Variable("neutral_wind_north", ("wind_time", *_GRID[1:]), "m s-1", "northward neutral wind", "northward_wind"),
    Variable("electric_potential", _MAGNETIC_GRID, "V", "electric potential of the convection at 110 km"),
    # output of a transport run
    Variable("number_density", _SPECIES_GRID, "m-3", "number density of the species", minimum=0.0),
    Variable("velocity_east", _VELOCITY_GRID, "m s-1", "eastward velocity, all terms"),
    Variable("velocity_north", _VELOCITY_GRID, "m s-1", "northward velocity, all terms"),
    Variable("velocity_up", _VELOCITY_GRID, "m s-1", "upward velocity, all terms"),
    *[
        Variable(
            f"velocity_{way}_by_term",
            ("term", "species", "velocity_time", "term_alt", "lat", "lon"),
            "m s-1",
            f"{word} velocity due to one term",
        )
        for way, word in (("east", "eastward"), ("north", "northward"), ("up", "upward"))
    ],
    Variable("solid_angle", ("lat", "lon"), "sr", "solid angle of the part of the cell that the model covers"),
    Variable("alt_bounds", ("alt", "bound"), "km", "lower and upper altitude of the cells"),
    Variable("term_alt", ("term_alt",), "km", "altitude of the velocities by term"),
    Variable("magnetic_local_time", ("time", "lat", "lon"), "h", "magnetic local time of the tilted dipole"),
    Variable("invariant_latitude", ("alt", "lat", "lon"), "degrees", "invariant latitude of the tilted dipole"),
    # solar wind and indices
    Variable("imf_by_sigma", ("time",), "nT", "standard error of a reconstructed By", minimum=0.0),
    Variable("imf_by_flag", ("time",), "1", "how By was found"),
    Variable("ap_daily", ("day",), "2 nT", "planetary A index, daily", minimum=0.0),
    Variable("f107_qualifier", ("day",), "1", "how F10.7 was found: 0 observed, 4 interpolated"),
    Variable("by_within_limit_fraction", ("day",), "1", "fraction of hours with |By| below the limit", minimum=0.0),
    Variable("bz_negative_fraction", ("day",), "1", "fraction of hours with Bz below 0", minimum=0.0),
    Variable("joint_fraction", ("day",), "1", "fraction of hours that meet both conditions", minimum=0.0),
    Variable("largest_by", ("day",), "nT", "largest |By| of the day", minimum=0.0),
    Variable("hours_available", ("day",), "h", "hours with By and Bz", minimum=0.0),
    Variable("imf_by_gsm", ("time",), "nT", "interplanetary magnetic field, y component, GSM"),
    Variable("imf_bz_gsm", ("time",), "nT", "interplanetary magnetic field, z component, GSM"),
    Variable("solar_wind_speed", ("time",), "km s-1", "speed of the solar wind", minimum=0.0),
    Variable("solar_wind_density", ("time",), "cm-3", "proton density of the solar wind", minimum=0.0),
    Variable("kp", ("time",), "1", "planetary K index, 3-hourly", minimum=0.0),
    Variable("ap", ("time",), "2 nT", "planetary a index, 3-hourly", minimum=0.0),
    Variable("f107", ("day",), "1e-22 W m-2 Hz-1", "observed solar flux at 10.7 cm", minimum=0.0),
    Variable("f107_81_day_mean", ("day",), "1e-22 W m-2 Hz-1", "81-day centred mean of the flux at 10.7 cm", minimum=0.0),
]

REGISTRY: dict[str, Variable] = {entry.name: entry for entry in _ENTRIES}
"""Every known variable by name."""


def get_variable(name: str) -> Variable:
    """Look up a variable; raise `CoverageError` when the registry does not know it."""
    if name not in REGISTRY:
        raise CoverageError(f"variable {name!r} is not in the registry; known: {', '.join(REGISTRY)}")
    return REGISTRY[name]


def with_attributes(dataset: xr.Dataset) -> xr.Dataset:
    """Give every variable and coordinate of the registry its units and long name (in place), and return the data set."""
    for name in dataset.variables:
        if name in REGISTRY:
            dataset[name].attrs.update(REGISTRY[str(name)].attributes)
    return dataset


def check_variable(array: xr.DataArray, name: str, origin: str) -> None:
    """Check dimensions, units and range of one variable against the registry.

    Parameters
    ----------
    array : xarray.DataArray
        The variable as read.
    name : str
        Its registered name.
    origin : str
        Where it comes from, for the message (a file name, say).

    Raises
    ------
    DataError
        Dimensions differ, or values are missing, not finite or below the physical minimum.
    UnitsError
        Units are absent or differ from the registered ones.
    """
    entry = get_variable(name)
    if set(array.dims) != set(entry.dims):
        raise DataError(f"{origin}: {name} has dimensions {array.dims}; needed: {entry.dims}")
    units = array.attrs.get("units")
    if units != entry.units:
        raise UnitsError(f"{origin}: {name} has units {units!r}; needed: {entry.units!r}; convert it and set the attribute")
    bad = ~(array.notnull() & (abs(array) != float("inf")))
    if entry.minimum is not None:
        bad = bad | (array < entry.minimum)
    if bool(bad.any()):
        first = bad.values.argmax()
        index = dict(zip(array.dims, (int(i) for i in _unravel(int(first), array.shape)), strict=True))
        value = float(array.values.reshape(-1)[first])
        rule = "finite" if entry.minimum is None else f"finite and at least {entry.minimum:g}"
        raise DataError(
            f"{origin}: {name} is {value} at {index} ({int(bad.sum())} such values); it must be {rule}; fill the holes"
        )


def _unravel(flat: int, shape: tuple[int, ...]) -> list[int]:
    indices = []
    for size in reversed(shape):
        indices.append(flat % size)
        flat //= size
    return indices[::-1]
