"""Exospheres: densities, column densities, brightness, charge exchange of the solar wind, escape."""

from __future__ import annotations

from .airglow import g_factor, limb_brightness, line_centre_cross_section, line_centre_flux, thin_brightness
from .chamberlain import (
    chamberlain_density,
    chamberlain_profile,
    chamberlain_tangent_column,
    chamberlain_vertical_column,
    escape_parameter,
    jeans_flux,
    maxwellian_density,
    partition_functions,
)
from .charge_exchange import (
    HeliumCrossSections,
    coma_column_density,
    helium_charge_states,
    helium_column_density,
    helium_ratio,
    hydrogen_column_density,
    hydrogen_neutral_share,
    outgassing_measurement,
    outgassing_rate,
)
from .column import line_shells, shell_content, tangent_column, vertical_column
from .escape import (
    fractionation_factor,
    hydrogen_deuterium_escape,
    hydrogen_history,
    jeans_escape_rate,
    photo_loss_rate,
    rayleigh_enrichment,
    rayleigh_loss,
)
from .line_transfer import (
    absorbed_width,
    scattered_emission,
    spherical_emission,
    thick_brightness,
    thick_limb_brightness,
    transmission,
)

__all__ = [
    "HeliumCrossSections",
    "absorbed_width",
    "chamberlain_density",
    "chamberlain_profile",
    "chamberlain_tangent_column",
    "chamberlain_vertical_column",
    "coma_column_density",
    "escape_parameter",
    "fractionation_factor",
    "g_factor",
    "helium_charge_states",
    "helium_column_density",
    "helium_ratio",
    "hydrogen_column_density",
    "hydrogen_deuterium_escape",
    "hydrogen_history",
    "hydrogen_neutral_share",
    "jeans_escape_rate",
    "jeans_flux",
    "limb_brightness",
    "line_centre_cross_section",
    "line_centre_flux",
    "line_shells",
    "maxwellian_density",
    "outgassing_measurement",
    "outgassing_rate",
    "partition_functions",
    "photo_loss_rate",
    "rayleigh_enrichment",
    "rayleigh_loss",
    "scattered_emission",
    "shell_content",
    "spherical_emission",
    "tangent_column",
    "thick_brightness",
    "thick_limb_brightness",
    "thin_brightness",
    "transmission",
    "vertical_column",
]
