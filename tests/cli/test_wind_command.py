"""siderion sources wind and loss."""

import json

import pytest

from siderion.cli.source_wind import loss, wind
from siderion.core.errors import CoverageError, SettingsError
from siderion.io.store import open_dataset


def test_wind_gives_mass_per_charge_and_flux(capsys):
    wind("slow", json_=True)
    variables = json.loads(capsys.readouterr().out)["variables"]
    at = {name: k for k, name in enumerate(variables["ion"]["values"])}
    protons = variables["ion_flux"]["values"][at["H+"]]
    assert protons == pytest.approx(5e6 * 4e5)
    assert variables["mass_per_charge"]["values"][at["He2+"]] == pytest.approx(2.0, rel=0.01)
    wind("fast")
    assert "gyroradius" in capsys.readouterr().out
    with pytest.raises(CoverageError, match="no wind 'gale'"):
        wind("gale")


def test_loss_of_the_review(capsys, tmp_path):
    """1e27 N per second for 600 million years, by hand: 1e27 * 14.007 u * 600 * 3.15576e13 s = 4.40e17 kg."""
    loss(species="N", first_rate=1e27, duration=600.0, output=tmp_path / "loss.nc")
    assert capsys.readouterr().out.startswith("N: 4.4e+17 kg in 600 million years")
    assert float(open_dataset(tmp_path / "loss.nc")["lost_mass"][0, -1]) == pytest.approx(4.40e17, rel=1e-3)
    with pytest.raises(SettingsError, match="--duration"):
        loss(duration=-1.0)
