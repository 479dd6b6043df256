"""Evening cell against morning cell: how many more ions, by altitude and time."""

from __future__ import annotations

import numpy as np
import xarray as xr

from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import DataError
from siderion.core.variables import with_attributes
from siderion.transport.diagnostics.cells import CELLS, convection_cells
from siderion.transport.diagnostics.times import analysed_times


def cell_asymmetry(output: xr.Dataset, species: str = "Fe+") -> xr.Dataset:
    """Content of the two cells and its ratio, evening over morning.

    The content of a cell on a level is the sum of N r^2 dOmega dr. The cells are those of the potential at 110 km
    (`convection_cells`) and have the same latitudes and longitudes at all altitudes: up to 310 km a field line leans by less than
    a degree poleward of magnetic latitude 55.

    Parameters
    ----------
    output : xarray.Dataset
        With ``number_density``, ``electric_potential``, ``solid_angle``, ``alt_bounds`` and dimensions time, alt, lat, lon.
    species : str
        A species of the output.

    Returns
    -------
    xarray.Dataset
        ``cell_content`` (cell, time, alt), ions in the level; ``cell_area`` (cell, time), sr; ``content_ratio`` and
        ``density_ratio`` (time, alt), the latter the ratio of mean densities; their geometric means over time (alt).
        Times are those of `analysed_times`.

    Raises
    ------
    DataError
        A cell holds no ions at some level, so that there is no ratio.
    """
    radius = EARTH_RADIUS + 1e3 * output.alt_bounds.values
    shell = (radius[:, 1] ** 3 - radius[:, 0] ** 3) / 3.0
    weight = output.solid_angle.values
    output = output.isel(time=analysed_times(output))
    content = np.empty((len(CELLS), output.sizes["time"], output.sizes["alt"]))
    area = np.empty(content.shape[:2])
    for t in range(output.sizes["time"]):
        morning, evening = convection_cells(output.electric_potential.isel(time=t).values)
        density = output.number_density.sel(species=species).isel(time=t).values
        for c, cell in enumerate((evening, morning)):
            content[c, t] = density[:, cell].astype(float) @ weight[cell] * shell
            area[c, t] = weight[cell].sum()
    if not (content > 0.0).all():
        c, t, k = (int(n) for n in np.argwhere(~(content > 0.0))[0])
        raise DataError(
            f"the {list(CELLS)[c]} cell holds {content[c, t, k]:g} {species} ions at {output.alt.values[k]:.1f} km, "
            f"{str(output.time.values[t])[:16]}; a ratio needs more than 0"
        )
    content_ratio = content[0] / content[1]
    density_ratio = content_ratio * (area[1] / area[0])[:, None]
    return with_attributes(
        xr.Dataset(
            {
                "cell_content": (("cell", "time", "alt"), content),
                "cell_area": (("cell", "time"), area),
                "content_ratio": (("time", "alt"), content_ratio),
                "density_ratio": (("time", "alt"), density_ratio),
                "content_ratio_mean": ("alt", np.exp(np.log(content_ratio).mean(axis=0))),
                "density_ratio_mean": ("alt", np.exp(np.log(density_ratio).mean(axis=0))),
            },
            coords={"cell": list(CELLS), "time": output.time.values, "alt": output.alt.values},
        )
    )
