"""``siderion sample``: an output along a satellite, a radar beam or over a lidar."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from siderion.cli.show import print_json
from siderion.core.errors import SettingsError, explained
from siderion.core.interpolation import sample_along_track
from siderion.io.store import open_dataset
from siderion.io.track import read_track
from siderion.jobs.atomic import atomic_file


def sample(
    data: Path,
    *,
    track: Path,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    json_: Annotated[bool, Parameter(name="--json")] = False,
) -> None:
    """Interpolate an output along a track.

    Parameters
    ----------
    data
        Output of Siderion: a Zarr folder.
    track
        CSV with the columns time (ISO, UTC), lat, lon (degrees) and, for three-dimensional variables, alt (km).
    output
        NetCDF (.nc) or CSV (.csv) file; printed as CSV by default.
    json_
        Print JSON.
    """
    points = read_track(track)
    alt = points.alt.values if "alt" in points else None
    result = sample_along_track(open_dataset(data), points.time.values, points.lat.values, points.lon.values, alt)
    if json_:
        print_json("sample", {"data": str(data), "track": str(track)}, result)
        return
    if output is None:
        print(result.to_dataframe().to_csv(), end="")
        return
    if output.suffix not in (".nc", ".csv"):
        raise SettingsError(f"output {output}: the name must end in .nc or .csv")
    with explained(output), atomic_file(output) as temporary:
        if output.suffix == ".nc":
            result.to_netcdf(temporary, engine="h5netcdf")
        else:
            result.to_dataframe().to_csv(temporary)
    print(f"wrote {output}: {result.sizes['point']} points")
