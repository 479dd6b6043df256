from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr

from siderion.cli.source_ionosphere import ionosphere
from siderion.core.constants import EARTH_RADIUS
from siderion.core.errors import CoverageError, DataError, SettingsError
from siderion.io.store import open_dataset, write_dataset
from siderion.sources.ionosphere.escape import Setting, escape_fractions
from siderion.sources.ionosphere.supply import magnetospheric_supply, top_flux


@pytest.fixture
def polar() -> xr.Dataset:
    """A run of Fe+ and Mg+ whose top level holds 1e9 m-3, rising with 100 m/s in one half and sinking with 40 in the other."""
    times = np.array(["2020-01-01T00", "2020-01-01T06"], dtype="datetime64[ns]")
    shape = (2, 2, 3, 2, 4)
    density = np.broadcast_to(np.array([1e8, 5e8, 1e9])[None, None, :, None, None], shape).astype(np.float32)
    speed = np.where(np.arange(4) < 2, 100.0, -40.0).astype(np.float32) * np.ones((2, 1, 3, 2, 4), dtype=np.float32)
    space = ("alt", "lat", "lon")
    return xr.Dataset(
        {
            "number_density": (("species", "time", *space), density.copy()),
            "velocity_up": (("species", "velocity_time", *space), speed),
            "solid_angle": (("lat", "lon"), np.full((2, 4), 0.25)),
        },
        coords={"species": np.array(["Fe+", "Mg+"], dtype=object),
                "time": times, "velocity_time": times[1:], "alt": [100.0, 200.0, 300.0],
                "lat": [70.0, 80.0], "lon": [0.0, 90.0, 180.0, 270.0]},
    )  # fmt: skip


def test_flux_of_metals_through_the_top(polar):
    flux = top_flux(polar)
    area = (EARTH_RADIUS + 300e3) ** 2
    assert float(flux["flux_alt"]) == 300.0
    np.testing.assert_allclose(flux["upward_flux"].sel(species="Fe+")[0, 0], [1e11, 1e11, -4e10, -4e10])
    np.testing.assert_allclose(flux["ions_up"], 1e11 * 1.0 * area)
    np.testing.assert_allclose(flux["ions_down"], 4e10 * 1.0 * area)
    np.testing.assert_allclose(flux["ions_net"], 6e10 * area)
    assert float(top_flux(polar, 180.0)["ions_up"][0, 0]) == pytest.approx(5e10 * (EARTH_RADIUS + 200e3) ** 2)


def test_supply_is_flux_times_fraction(polar):
    fractions = escape_fractions(["O+", "Fe+"], [2e-7], [500e3], Setting.named("day"), particles=500)
    flux = top_flux(polar)
    supply = magnetospheric_supply(flux, fractions, 2e-7, 500.0)
    assert list(supply["species"].values) == ["Fe+"]
    expected = float(flux["ions_up"].sel(species="Fe+")[0]) * float(fractions["escape_fraction"].sel(species="Fe+")[0, 0])
    assert float(supply["supply_to_magnetosphere"][0, 0]) == pytest.approx(expected)
    assert float(supply["supply_to_magnetosphere_lower"][0, 0]) < expected < float(supply["supply_to_magnetosphere_upper"][0, 0])
    with pytest.raises(SettingsError, match="not on the grid"):
        magnetospheric_supply(flux, fractions, 1e-7, 500.0)
    with pytest.raises(SettingsError, match="no species"):
        magnetospheric_supply(flux, fractions.sel(species=["O+"]), 2e-7, 500.0)


def test_bad_runs_are_refused(polar):
    with pytest.raises(DataError, match="velocity_up"):
        top_flux(polar.drop_vars("velocity_up"))
    with pytest.raises(CoverageError, match="Na"):
        top_flux(polar, species=["Na+"])
    with pytest.raises(CoverageError, match="same times"):
        top_flux(polar.assign_coords(velocity_time=polar["velocity_time"] + np.timedelta64(1, "h")))
    broken = polar.copy(deep=True)
    broken["velocity_up"][0, 0, 2, 0, 0] = np.nan
    with pytest.raises(DataError, match="not finite"):
        top_flux(broken)


def test_command_prints_a_table_and_writes_a_file(polar, tmp_path, capsys):
    run = tmp_path / "run"
    write_dataset(polar, run / "polar.zarr")
    output = tmp_path / "fractions.nc"
    ionosphere(species="O+,Fe+", wave_power=[2e-7], particles=300, run=run, output=output)
    text = capsys.readouterr().out
    assert "main waves" in text
    assert "Fe+   2020-01-01T06:00: 4.45e+24" in text  # 1e11 m-2 s-1 times 1 sr at 6671.2 km
    saved = open_dataset(output)
    assert saved["escape_fraction"].dims == ("species", "wave_power", "start_alt")
    assert saved["supply_to_magnetosphere"].sel(species="O+").isnull().all()
    assert "unverified" in saved.attrs["sources"]
    saved.close()


def test_command_prints_json(capsys):
    ionosphere(species="O+", preset="night", particles=200, json_=True)
    whole = json.loads(capsys.readouterr().out)
    assert whole["settings"]["main_altitude_km"] == 4000.0
    assert whole["variables"]["escape_fraction"]["dims"] == ["species", "wave_power", "start_alt"]
    with pytest.raises(SettingsError, match="names no ion"):
        ionosphere(species=" , ")
