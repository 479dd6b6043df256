"""Entries of the registry for the sources of heavy ions: escape, entry, debris, ionosphere, Moon, solar wind, budget."""

from __future__ import annotations

from .variable import Variable

_ESCAPE = ("species", "wave_power", "start_alt")
_RATIO = ("element", "scenario")

SOURCE_VARIABLES = [
    # what a run takes, from meteoroids or debris
    Variable("neutral_production", ("species", "alt"), "m-3 s-1", "neutral atoms produced", minimum=0.0),
    Variable("ion_production", ("species", "alt"), "m-3 s-1", "ions produced", minimum=0.0),
    Variable("released_atoms", ("species", "point"), "1", "neutral atoms released", minimum=0.0),
    Variable("released_ions", ("species", "point"), "1", "ions released", minimum=0.0),
    Variable("point_alt", ("point",), "km", "altitude of the release"),
    Variable("point_lat", ("point",), "degrees_north", "latitude of the release"),
    Variable("point_lon", ("point",), "degrees_east", "longitude of the release"),
    Variable("point_width", ("point",), "km", "standard deviation of the horizontal spread", minimum=0.0),
    # escape from a body
    Variable("escape_speed", ("alt",), "km s-1", "escape speed", minimum=0.0),
    Variable("escape_energy", ("species", "alt"), "eV", "energy needed to escape", minimum=0.0),
    Variable("target_alt", ("target",), "km", "altitude of the target"),
    Variable("energy_between", ("species", "target"), "eV", "energy from the start to the target against gravity"),
    Variable("energy_needed", ("species", "target"), "eV", "energy from the start to the target, ambipolar field counted"),
    Variable(
        "parallel_energy_needed", ("species", "target"), "eV", "least energy along the field, mirror force counted", minimum=0.0
    ),
    Variable("field_ratio", ("target",), "1", "magnetic field at the target over that at the start", minimum=0.0),
    # debris
    Variable("debris_ratio", _RATIO, "1", "input by debris over natural input", minimum=0.0),
    Variable("debris_input", _RATIO, "t yr-1", "input by debris", minimum=0.0),
    Variable("debris_ratio_by_year", ("element", "year"), "1", "input by debris over natural input", minimum=0.0),
    Variable("parity_year", ("element",), "year", "year in which debris equals the natural input"),
    Variable("parity_fraction", _RATIO, "1", "mass fraction of debris at parity; impossible above 1", minimum=0.0),
    Variable("exceedance_probability", _RATIO, "1", "share of samples with more debris than natural input", minimum=0.0),
    Variable("natural_input", ("element",), "t yr-1", "natural input", minimum=0.0),
    Variable("injected_rate", ("species",), "t yr-1", "mass injected at all altitudes", minimum=0.0),
    Variable("layer_rate", ("species",), "t yr-1", "mass released as atoms above the floor of the layer", minimum=0.0),
    # meteoroids
    Variable("ablation_rate", ("species", "alt"), "m-3 s-1", "atoms and ions left by ablation", minimum=0.0),
    Variable("ablated_mass_rate", ("species",), "t d-1", "mass ablated a day over the Earth", minimum=0.0),
    Variable("ablated_flux", ("species",), "m-2 s-1", "atoms ablated per area of the sphere at 100 km", minimum=0.0),
    Variable("ablated_share", ("species",), "1", "share of the arriving element that ablates", minimum=0.0),
    # one body
    Variable("half_mass_altitude", ("body",), "km", "altitude where half of the mass is left"),
    Variable("half_mass_air_column", ("body",), "kg m-2", "vertical column of air above the point of half mass", minimum=0.0),
    # ionosphere
    Variable("escape_fraction", _ESCAPE, "1", "share of the upward flux that reaches the upper surface", minimum=0.0),
    Variable(
        "unbound_fraction", _ESCAPE, "1", "share with the energy to leave the Earth for good at the upper surface", minimum=0.0
    ),
    Variable("main_region_fraction", _ESCAPE, "1", "share that reaches the main wave region", minimum=0.0),
    Variable("recombined_fraction", _ESCAPE, "1", "share that recombines on the way"),
    Variable(
        "wave_power", ("wave_power",), "V2 m-2 Hz-1", "wave power below the main region at the reference frequency", minimum=0.0
    ),
    Variable("start_alt", ("start_alt",), "km", "altitude of the start"),
    Variable("passing_fraction", ("species", "reach_alt"), "1", "share of the upward flux that passes the altitude", minimum=0.0),
    Variable("reach_alt", ("reach_alt",), "km", "altitude that is passed"),
    Variable("upward_flux", ("species", "velocity_time", "lat", "lon"), "m-2 s-1", "upward flux of the ions"),
    Variable("ions_up", ("species", "velocity_time"), "s-1", "ions per second that rise through the level", minimum=0.0),
    Variable(
        "supply_to_magnetosphere",
        ("species", "velocity_time"),
        "s-1",
        "ions per second that reach the magnetosphere",
        minimum=0.0,
    ),
    Variable("nitrogen_oxygen_ratio", ("activity", "alt"), "1", "N2 over O", minimum=0.0),
    # Moon
    Variable("launch_rate", ("species",), "s-1", "ions that start on and around the Moon", minimum=0.0),
    Variable("share_arriving", ("species",), "1", "share of the ions that arrive", minimum=0.0),
    Variable("arrival_rate", ("species",), "s-1", "ions that arrive", minimum=0.0),
    Variable("arrival_flux", ("species",), "m-2 s-1", "flux of ions that arrive, mean over the area of arrival", minimum=0.0),
    Variable("differential_flux", ("species", "energy"), "m-2 s-1 eV-1", "flux of ions that arrive, by energy", minimum=0.0),
    Variable("energy", ("energy",), "eV", "kinetic energy, middle of the bin", minimum=0.0),
    Variable("wake_width", ("species",), "RE", "width of the wake of ions, central 98 % of places on a cycle", minimum=0.0),
    Variable("wake_lower_edge", ("species", "wake_distance"), "RE", "edge of the wake along the electric field, 1 % of the ions"),
    Variable(
        "wake_upper_edge", ("species", "wake_distance"), "RE", "edge of the wake along the electric field, 99 % of the ions"
    ),
    Variable("arrival_map", ("species", "arrival_y", "arrival_z"), "m-2 s-1", "flux of ions that arrive, by place", minimum=0.0),
    # solar wind
    Variable("abundance_to_oxygen", ("ion",), "1", "ions over all oxygen, by number", minimum=0.0),
    Variable("ion_share", ("ion",), "1", "share of all ions of the table", minimum=0.0),
    Variable("ion_flux", ("ion",), "m-2 s-1", "flux of the ion", minimum=0.0),
    Variable("charge_number", ("ion",), "1", "charge in elementary charges"),
    # atmosphere over geological time
    Variable("escape_rate", ("species", "elapsed_time"), "s-1", "atoms that escape per second", minimum=0.0),
    Variable("lost_mass", ("species", "elapsed_time"), "kg", "mass that has escaped since the first time", minimum=0.0),
    # budget
    Variable("supply", ("route",), "s-1", "supply of the species to the place", minimum=0.0),
    Variable("supply_share", ("route",), "1", "share of all supplies", minimum=0.0),
    Variable("low_charge_share", ("route",), "1", "share of the supplies of singly charged ions", minimum=0.0),
    Variable("variance_share", ("route", "step"), "1", "part of the variance of the logarithm of the supply", minimum=0.0),
]
"""Variables of the sources that cross a wall, in the order of the design."""
