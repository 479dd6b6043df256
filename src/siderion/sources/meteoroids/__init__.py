"""Meteoroids: how much arrives, of which masses and speeds, from which angles, and what it leaves at which altitude."""

from .entry_angles import angle_quadrature, sample_angles
from .influx import MassDistribution, grun_differential_flux, grun_flux, grun_shape, influx_by_decade, table_shape
from .injection import meteoroid_injection
from .scenarios import Scenario, ablated_observations, get_scenario, grun_scenario, scenario_names, scenario_table
from .settings import InjectionSettings
from .speeds import SpeedDistribution, focused, get_speeds, mixture, single_speed, speed_names, tabulated_speeds

__all__ = [
    "InjectionSettings",
    "MassDistribution",
    "Scenario",
    "SpeedDistribution",
    "ablated_observations",
    "angle_quadrature",
    "focused",
    "get_scenario",
    "get_speeds",
    "grun_differential_flux",
    "grun_flux",
    "grun_scenario",
    "grun_shape",
    "influx_by_decade",
    "meteoroid_injection",
    "mixture",
    "sample_angles",
    "scenario_names",
    "scenario_table",
    "single_speed",
    "speed_names",
    "table_shape",
    "tabulated_speeds",
]
