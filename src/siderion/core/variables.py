"""The registry of variables: one entry per name, with dimensions, units, meaning.

Everything that crosses a wall between packages is an `xarray.Dataset` whose variables are listed here. Documentation,
file attributes and checks all come from this one place.
"""

from __future__ import annotations

import xarray as xr

from .errors import CoverageError, DataError, UnitsError
from .evidence_variables import EVIDENCE_VARIABLES
from .source_variables import SOURCE_VARIABLES
from .variable import Variable

_GRID = ("time", "alt", "lat", "lon")
_SPECIES_GRID = ("species", *_GRID)
_VELOCITY_GRID = ("species", "velocity_time", "alt", "lat", "lon")
_MAP = ("invariant_latitude", "magnetic_local_time")
_SPECIES_MAP = ("species", "alt", *_MAP)
_VELOCITY_MAP = ("species", "universal_time", "alt", *_MAP)
_SERIES = ("time", "component")
_WINDOW = ("time", "species")
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
    # convection pattern, layers and asymmetry of an output, see transport/diagnostics
    Variable("cell_mask", ("cell", "lat", "lon"), "1", "inside the convection cell: above 30 % of its potential extremum"),
    Variable("extremum_potential", ("cell",), "V", "extremum of the potential of the convection cell"),
    Variable("extremum_lat", ("cell",), "degrees_north", "geocentric latitude of the potential extremum"),
    Variable("extremum_lon", ("cell",), "degrees_east", "longitude of the potential extremum"),
    Variable("extremum_magnetic_local_time", ("cell",), "h", "magnetic local time of the potential extremum"),
    Variable("extremum_magnetic_latitude", ("cell",), "degrees", "absolute magnetic latitude of the potential extremum"),
    Variable("cross_polar_potential", (), "V", "largest less smallest potential of the two cells", minimum=0.0),
    Variable("reversal_lat", ("cell", "magnetic_local_time"), "degrees_north", "latitude of the convection reversal"),
    Variable("reversal_lon", ("cell", "magnetic_local_time"), "degrees_east", "longitude of the convection reversal"),
    Variable(
        "reversal_magnetic_latitude", ("cell", "magnetic_local_time"), "degrees", "magnetic latitude of the convection reversal"
    ),
    Variable("boundary_lat", ("boundary_point",), "degrees_north", "latitude of zero potential between the cells"),
    Variable("boundary_lon", ("boundary_point",), "degrees_east", "longitude of zero potential between the cells"),
    Variable("boundary_sunward", ("boundary_point",), "degrees", "distance from the magnetic pole towards magnetic noon"),
    Variable("layer_present", ("lat", "lon"), "1", "the column has a thin layer"),
    Variable("layer_alt", ("lat", "lon"), "km", "altitude of the peak of the layer"),
    Variable("layer_thickness", ("lat", "lon"), "km", "full width at half maximum of the layer in altitude", minimum=0.0),
    Variable("layer_peak_density", ("lat", "lon"), "m-3", "largest number density of the layer", minimum=0.0),
    Variable("layer_content", ("lat", "lon"), "m-2", "ions of the layer per area", minimum=0.0),
    Variable("layer_prominence", ("lat", "lon"), "1", "peak over the higher of the minima above and below", minimum=0.0),
    Variable("layer_critical_frequency", ("lat", "lon"), "Hz", "plasma frequency at the peak of the layer", minimum=0.0),
    Variable(
        "layer_latitude_width", ("lat", "lon"), "degrees", "full width at half maximum of the layer in latitude", minimum=0.0
    ),
    Variable("cell_content", ("cell", "time", "alt"), "1", "ions of the level in the convection cell", minimum=0.0),
    Variable("cell_area", ("cell", "time"), "sr", "solid angle of the convection cell", minimum=0.0),
    Variable("content_ratio", ("time", "alt"), "1", "content of the evening cell over that of the morning cell", minimum=0.0),
    Variable(
        "density_ratio", ("time", "alt"), "1", "mean density in the evening cell over that in the morning cell", minimum=0.0
    ),
    Variable("content_ratio_mean", ("alt",), "1", "content, evening over morning, geometric mean over time", minimum=0.0),
    Variable("density_ratio_mean", ("alt",), "1", "density, evening over morning, geometric mean over time", minimum=0.0),
    Variable("electric_field_magnetic_east", ("lat", "lon"), "V m-1", "convection electric field to geomagnetic east"),
    Variable("electric_field_magnetic_north", ("lat", "lon"), "V m-1", "convection electric field to geomagnetic north"),
    # ensembles: one member, and all of them; the density of 120 km is the largest between 115 and 125 km
    Variable("mean_number_density", _SPECIES_MAP, "m-3", "number density, mean over the day", minimum=0.0),
    Variable("median_number_density", _SPECIES_MAP, "m-3", "number density, median over the hours of the day", minimum=0.0),
    Variable("layer_occurrence", ("species", *_MAP), "1", "fraction of area and time above 1e11 m-3 at 115-125 km", minimum=0.0),
    Variable("mean_layer_area", ("species",), "m2", "mean area above 1e11 m-3 at 115-125 km, 60-90 deg invariant", minimum=0.0),
    Variable("mean_electric_potential", _MAP, "V", "electric potential of the convection, mean over the day"),
    Variable("map_velocity_up", _VELOCITY_MAP, "m s-1", "upward velocity at one time, all terms"),
    Variable("map_velocity_north", _VELOCITY_MAP, "m s-1", "northward velocity (geographic) at one time, all terms"),
    Variable("universal_time", ("universal_time",), "h", "universal time of day"),
    Variable("ensemble_mean_number_density", _SPECIES_MAP, "m-3", "mean over the members of the mean density", minimum=0.0),
    Variable("ensemble_lowest_number_density", _SPECIES_MAP, "m-3", "lowest mean density of the members", minimum=0.0),
    Variable("ensemble_highest_number_density", _SPECIES_MAP, "m-3", "highest mean density of the members", minimum=0.0),
    Variable("ensemble_density_spread", _SPECIES_MAP, "1", "standard deviation over the members of log10 density", minimum=0.0),
    Variable("ensemble_layer_occurrence", ("species", *_MAP), "1", "mean over the members of the layer occurrence", minimum=0.0),
    # flows of metal ions between the regions of the convection, see transport/diagnostics/flows.py
    *[
        Variable(name, ("drift",), "s-1", f"ions per second {meaning}, net")
        for name, meaning in (
            ("flow_upward_day", "up through 150 km by day (06-18 MLT) inside the cells"),
            ("flow_antisunward", "from day to night across the dawn-dusk meridian, poleward of the extrema, above 150 km"),
            ("flow_sunward_return", "back to the day equatorward of the extrema inside the cells, above 150 km"),
            ("flow_downward_night", "down through 200 km by night (18-06 MLT) inside the cells"),
            ("flow_morning_to_evening", "from the morning to the evening cell across zero potential, above 120 km"),
            ("flow_into_e_region", "down through 130 km by night inside the evening cell"),
        )
    ],
    *[
        Variable(f"flow_{name}_by_altitude", ("drift", "alt"), "km-1 s-1", f"ions per second and km of altitude {meaning}, net")
        for name, meaning in (
            ("antisunward", "from day to night across the dawn-dusk meridian, poleward of the potential extrema"),
            ("sunward_return", "back to the day equatorward of the extrema inside the cells"),
            ("morning_to_evening", "from the morning to the evening cell across zero potential"),
        )
    ],
    Variable(
        "flow_upward_day_rising", (), "s-1", "ions per second that rise through 150 km by day inside the cells", minimum=0.0
    ),
    Variable("flow_downward_night_sinking", (), "s-1", "ions per second that sink through 200 km by night", minimum=0.0),
    Variable(
        "flow_into_e_region_sinking", (), "s-1", "ions per second that sink through 130 km, evening cell by night", minimum=0.0
    ),
    *[
        variable
        for line, meaning in (("boundary", "common boundary of the cells"), ("reversal", "convection reversal"))
        for variable in (
            Variable(f"flow_into_e_region_share_near_{line}", (), "1", f"share of the sinking ions near the {meaning}"),
            Variable(f"evening_night_area_share_near_{line}", (), "1", f"share of the evening cell by night near the {meaning}"),
        )
    ],
    # waves: a field series, windows and events
    Variable("magnetic_field", _SERIES, "nT", "magnetic field"),
    Variable("position", _SERIES, "km", "position from the centre of the body"),
    Variable("radial_distance", ("time",), "km", "distance from the centre of the body", minimum=0.0),
    Variable("stretch", ("time",), "1", "number of the part of the series between long gaps"),
    Variable("mean_magnetic_field", _SERIES, "nT", "mean magnetic field of the cell"),
    Variable("magnetic_field_strength", ("time",), "nT", "mean strength of the magnetic field", minimum=0.0),
    *[
        Variable(name, _WINDOW, units, meaning, minimum=minimum)
        for name, units, meaning, minimum in (
            ("window_length", "s", "length of the window", 0.0),
            ("segment_length", "s", "length of the segments of the window", 0.0),
            ("coverage", "1", "part of the segments of the window without a gap", 0.0),
            ("gyrofrequency", "Hz", "gyrofrequency of the ion in the mean field strength of the window", 0.0),
            ("gyrofrequency_spread", "Hz", "standard deviation of the gyrofrequency in the window", 0.0),
            ("band_lower", "Hz", "lower end of the band", 0.0),
            ("band_upper", "Hz", "upper end of the band", 0.0),
            ("bins_in_band", "1", "number of frequencies in the band", 0.0),
            ("power_parallel", "nT2", "power along the mean field in the band", 0.0),
            ("power_perpendicular", "nT2", "power across the mean field, both components, in the band", 0.0),
            ("background", "nT2", "power across the mean field that the surrounding frequencies give in the band", 0.0),
            ("signal_to_noise", "1", "power across the field above the background, over the background", None),
            ("ellipticity", "1", "ellipticity of the wave in the band, negative left-handed about the field", None),
            ("polarization_degree", "1", "degree of polarisation across the field of the wave in the band", 0.0),
            ("polarization_degree_3d", "1", "degree of polarisation in space of the wave in the band (Samson & Olson 1980)", 0.0),
            ("wave_normal_angle", "degrees", "angle between wave normal (Means 1972) and mean field", 0.0),
            ("wave_normal_angle_svd", "degrees", "angle between wave normal (Santolik et al. 2003) and mean field", 0.0),
            ("planarity", "1", "planarity of the wave (Santolik et al. 2003)", None),
            ("peak_frequency", "Hz", "frequency of the largest ratio of power across the field to background", 0.0),
            ("peak_ellipticity", "1", "ellipticity at the peak frequency", None),
            ("peak_polarization_degree", "1", "degree of polarisation across the field at the peak frequency", 0.0),
            ("degrees_of_freedom", "1", "degrees of freedom of the power across the field in the band", 0.0),
            ("rejection", "1", "reasons against a pick-up wave, 0 for a detection", None),
            ("detected", "1", "a pick-up wave of the ion is detected", None),
            ("ionisation_rate", "s-1", "rate at which the parent neutral becomes the ion", 0.0),
            ("pickup_gyroradius", "km", "gyroradius of the pick-up ion", 0.0),
            (
                "gyroradius_ratio",
                "1",
                "gyroradius of the pick-up ion over the radius of the body; the method wants it below 1",
                0.0,
            ),
            ("pickup_current", "A m-2", "pick-up current density (Lammer et al. 2025, equation 5)", 0.0),
            ("ion_density", "m-3", "number density of the pick-up ions", None),
            ("neutral_density", "m-3", "number density of the parent neutrals", None),
        )
    ],
    Variable("pitch_angle", ("time",), "degrees", "angle between magnetic field and injection velocity", minimum=0.0),
    Variable("alfven_speed_ratio", ("time",), "1", "Alfven speed over injection speed", minimum=0.0),
    Variable("heliocentric_distance", ("time",), "au", "distance of the body from the Sun", minimum=0.0),
    Variable("region", ("time",), "1", "region of the plasma", minimum=0.0),
    Variable("connection_distance", ("time",), "km", "distance along the field to the bow shock, NaN where not connected"),
    Variable("first_window", ("event",), "1", "number of the first window of the event"),
    Variable("window_count", ("event",), "1", "number of windows of the event"),
    Variable("example_event", ("example",), "1", "number of the event that is shown"),
    Variable("aligned_field", ("example", "sample", "component"), "nT", "field less its mean: two axes across, one along it"),
    Variable("spectrum_frequency", ("example", "frequency"), "Hz", "frequency of the spectra"),
    Variable("density_across", ("example", "frequency"), "nT2 Hz-1", "spectral density across the mean field", minimum=0.0),
    Variable("density_along", ("example", "frequency"), "nT2 Hz-1", "spectral density along the mean field", minimum=0.0),
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
    *SOURCE_VARIABLES,
    *EVIDENCE_VARIABLES,
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
