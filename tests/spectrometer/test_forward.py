"""Simulated spectra: budgets of events, dead time, seeds, and masses of drawn events."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siderion.core.errors import DataError, SettingsError
from siderion.spectrometer.dead_time import observed_rate, true_rate
from siderion.spectrometer.foil_montecarlo import draw_flight_times
from siderion.spectrometer.forward import simulate_spectrum
from siderion.spectrometer.instruments import make_setup
from siderion.spectrometer.mass_scatter import draw_mass_scatter
from siderion.spectrometer.peaks import PeakShape

SETUP = make_setup("codif", 16e3, 100.0)
EDGES = np.linspace(0.0, 300e-9, 257)


def test_expected_events_are_conserved() -> None:
    found = simulate_spectrum({"O+": 1000.0, "O2+": 50.0}, EDGES, SETUP, shape=PeakShape(), background=0.25)
    assert float(found["expected_counts"].sum()) == pytest.approx(1050.0 + 0.25 * 256, rel=1e-6)
    assert found["expected_by_species"].sum("tof").values == pytest.approx([1000.0, 50.0], rel=1e-6)
    assert found["counts"].values == pytest.approx(found["expected_counts"].values)
    assert list(found["species"].values) == ["O+", "O2+"]
    assert json.loads(found.attrs["settings"])["instrument"] == "codif"
    assert {"what", "model", "confidence", "citation"} == set(json.loads(found.attrs["sources"])[0])
    assert found["tof_ns"].values[0] == pytest.approx(300.0 / 512)


def test_drawn_counts_are_poisson_about_the_expected() -> None:
    first, again, other = (
        simulate_spectrum({"O+": 5000.0}, EDGES, SETUP, shape=PeakShape(), background=2.0, seed=s) for s in (1, 1, 2)
    )
    assert np.array_equal(first["counts"], again["counts"])
    assert not np.array_equal(first["counts"], other["counts"])
    expected = first["expected_counts"].values
    chi = ((first["counts"].values - expected) ** 2 / expected).sum()
    assert abs(chi - 256.0) < 5.0 * np.sqrt(2.0 * 256.0)


def test_montecarlo_draws_the_events_themselves() -> None:
    found = simulate_spectrum({"O+": 3000.0, "NO+": 100.0}, EDGES, SETUP, shape="montecarlo", seed=3, template_size=20_000)
    assert float(found["counts"].sum()) == pytest.approx(3100.0, abs=5.0 * np.sqrt(3100.0))
    assert (found["counts"].values % 1.0 == 0.0).all()
    with pytest.raises(SettingsError, match="seed"):
        simulate_spectrum({"O+": 10.0}, EDGES, SETUP, shape="montecarlo")


def test_counts_alone_need_no_template(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts are the same with and without templates, and only the events themselves are drawn."""
    options = {"shape": "montecarlo", "background": 0.5, "seed": 3, "template_size": 20_000}
    whole = simulate_spectrum({"O+": 3000.0, "NO+": 100.0}, EDGES, SETUP, **options)
    drawn = []

    def draw(name: str, setup: object, number: int, seed: object) -> np.ndarray:
        drawn.append(number)
        return draw_flight_times(name, setup, number, seed)

    monkeypatch.setattr("siderion.spectrometer.forward.draw_flight_times", draw)
    found = simulate_spectrum({"O+": 3000.0, "NO+": 100.0}, EDGES, SETUP, with_expected=False, **options)
    assert np.array_equal(found["counts"], whole["counts"])
    assert list(found.data_vars) == ["counts"]
    assert sum(drawn) == pytest.approx(3100.0, abs=5.0 * np.sqrt(3100.0))


def test_dead_time_takes_its_share_of_all_events() -> None:
    plain = simulate_spectrum({"O+": 1e5}, EDGES, SETUP, shape=PeakShape())
    dead = simulate_spectrum({"O+": 1e5}, EDGES, SETUP, shape=PeakShape(), dead_time=1e-6, duration=1.0)
    assert dead.attrs["live_share"] == pytest.approx(1.0 / 1.1, rel=1e-4)
    assert dead["expected_counts"].values == pytest.approx(dead.attrs["live_share"] * plain["expected_counts"].values)


@given(st.floats(0.0, 0.85), st.sampled_from(["nonparalyzable", "paralyzable"]))
@settings(max_examples=60, deadline=None)
def test_dead_time_correction_inverts_the_loss(load: float, kind: str) -> None:
    tau = 2e-6
    assert float(true_rate(observed_rate(load / tau, tau, kind), tau, kind)) == pytest.approx(load / tau, rel=1e-6, abs=1e-6)


def test_dead_time_against_a_simulated_counter() -> None:
    rng, rate, tau = np.random.default_rng(8), 2e5, 2e-6
    arrivals = np.cumsum(rng.exponential(1.0 / rate, 200_000))
    gaps = np.diff(arrivals, prepend=-1.0)
    assert (gaps > tau).sum() / arrivals[-1] == pytest.approx(float(observed_rate(rate, tau, "paralyzable")), rel=0.01)
    counted, free = 0, 0.0
    for time in arrivals:
        if time >= free:
            counted, free = counted + 1, time + tau
    assert counted / arrivals[-1] == pytest.approx(float(observed_rate(rate, tau)), rel=0.01)


def test_saturated_counters_are_not_corrected() -> None:
    with pytest.raises(DataError, match="cannot be corrected"):
        true_rate([1e3, 0.995e6], 1e-6)
    with pytest.raises(DataError, match="cannot be corrected"):
        true_rate(0.37e6, 1e-6, "paralyzable")
    with pytest.raises(SettingsError, match="kind"):
        observed_rate(1.0, 1e-6, "other")
    assert float(true_rate(5.0, 0.0)) == 5.0


def test_mass_scatter_finds_the_species() -> None:
    setup = make_setup("stics", energy_per_charge=150e3)
    found = draw_mass_scatter({"He+": 300, "O+": 500, "O++": 300, "Fe+": 300}, setup, 4)
    assert found.sizes["event"] == 1400
    for name, mass, per_charge in (("He+", 4.0, 4.0), ("O+", 16.0, 16.0), ("O++", 16.0, 8.0), ("Fe+", 55.8, 55.8)):
        mine = found.isel(event=np.flatnonzero(found["species"].values == name))
        assert float(mine["mass"].median()) == pytest.approx(mass, rel=0.06)
        assert float(mine["mass_per_charge"].median()) == pytest.approx(per_charge, rel=0.06)
    assert np.isnan(found["mass"].values).sum() == (found["coincidence"].values == "double").sum()
    with pytest.raises(SettingsError, match="no solid-state detector"):
        draw_mass_scatter({"O+": 1}, SETUP, 1)
    with pytest.raises(SettingsError, match="molecules"):
        draw_mass_scatter({"O2+": 1}, setup, 1)


@pytest.mark.parametrize(
    "arguments",
    [{"counts": {"O+": -1.0}}, {"background": -1.0}, {"duration": 0.0}, {"shape": "template"}, {"background": np.nan}],
)
def test_bad_input_is_refused(arguments: dict) -> None:
    with pytest.raises(SettingsError):
        simulate_spectrum(**({"counts": {"O+": 1.0}, "edges_s": EDGES, "setup": SETUP, "shape": PeakShape()} | arguments))
