"""siderion sources budget: text, JSON, page, and results of other commands in the place of factors."""

import json

import numpy as np
import pytest
import xarray as xr

from siderion.cli.source_budget import budget
from siderion.core.errors import SettingsError
from siderion.io.store import open_dataset, write_netcdf


def polar(top=310.0, flux=1e9):
    """A run of one cell whose ions rise with a known flux through a known area."""
    time = np.array(["2023-06-18T06:00"], dtype="datetime64[ns]")
    dims = ("species", "time", "alt", "lat", "lon")
    shape = (1, 1, 2, 1, 1)
    return xr.Dataset(
        {
            "number_density": (dims, np.full(shape, 1e9), {"units": "m-3"}),
            "velocity_up": (("species", "velocity_time", *dims[2:]), np.full(shape, flux / 1e9), {"units": "m s-1"}),
            "solid_angle": (("lat", "lon"), [[1.0]], {"units": "sr"}),
        },
        {"species": ["Fe+"], "time": time, "velocity_time": time, "alt": [200.0, top], "lat": [80.0], "lon": [0.0]},
    )


def test_text_names_source_ends_and_assumption(capsys):
    budget(species="Fe", place="lobe")
    text = capsys.readouterr().out
    assert "solar wind" in text
    assert "dominated by share_lifted" in text
    assert "left out: ionosphere" in text


def test_json_and_page(capsys, tmp_path):
    budget(species="Al", place="metal-layer", output=tmp_path / "budget.nc", json_=True)
    found = json.loads(capsys.readouterr().out)
    assert found["variables"]["supply"]["units"] == "s-1"
    assert (tmp_path / "budget.html").read_text(encoding="utf-8").startswith("<!")
    assert open_dataset(tmp_path / "budget.nc").attrs["kind"] == "siderion budget"


def test_a_run_gives_the_lifted_share(capsys, tmp_path):
    """1e9 m-2 s-1 over 1 sr at 310 km, both poles: 2e9 (6371.2 + 310)^2 km2 = 8.93e22 s-1."""
    write_netcdf(polar(), tmp_path / "run.nc")
    budget(species="Fe", place="exobase", run=tmp_path / "run.nc", json_=True)
    variables = json.loads(capsys.readouterr().out)["variables"]
    assert sum(variables["supply"]["values"]) == pytest.approx(2e9 * 6681.2e3**2, rel=0.05)
    write_netcdf(polar(top=250.0), tmp_path / "low.nc")
    with pytest.raises(SettingsError, match="its top is at 250 km"):
        budget(species="Fe", place="exobase", run=tmp_path / "low.nc")


def test_a_pickup_counts_while_the_moon_is_upstream(capsys, tmp_path):
    def file(name, x):
        rates = {f"arrival_rate{end}": ("species", [value]) for end, value in (("", 6e18), ("_lower", 3e18), ("_upper", 1.2e19))}
        write_netcdf(xr.Dataset(rates, {"species": ["Fe+"]}, {"moon_gse_re": np.array([x, 0.0, 0.0])}), tmp_path / name)
        return tmp_path / name

    budget(species="Fe", place="upstream", pickup=file("new.nc", 60.0), json_=True)
    variables = json.loads(capsys.readouterr().out)["variables"]
    moon = variables["route"]["values"].index("moon")
    assert variables["supply"]["values"][moon] == pytest.approx(1e18, rel=0.02)  # 6e18 for 4 of 24 hours of local time
    with pytest.raises(SettingsError, match=r"the Moon is at 0\.0 h local time"):
        budget(species="Fe", place="upstream", pickup=file("full.nc", -60.0))


def test_set_takes_a_number_or_three(capsys):
    budget(species="Fe", place="upstream", set_=["solar-wind.proton-flux=1e12", "moon.ion_share=0.005:0.002:0.01"], json_=True)
    variables = json.loads(capsys.readouterr().out)["variables"]
    names = np.array(variables["factor"]["values"])
    values = np.array(variables["factor_value"]["values"], dtype=float)
    assert values[names == "proton_flux"] == [1e12]
    assert values[names == "ion_share"] == [0.005]
    for wrong in ("moon.ion_share", "moon.ion_share=1:2", "moon.ion_share=x"):
        with pytest.raises(SettingsError, match="write it as"):
            budget(species="Fe", place="upstream", set_=[wrong])
