"""Mass and mass per charge of events: forward and back, limits, the sample's noise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from siderion.core.errors import CoverageError, DataError, SettingsError
from siderion.io.pulse_height.geotail_stics import read_stics_events
from siderion.io.pulse_height.writer import write_stics_events
from siderion.spectrometer.instruments import get_instrument
from siderion.spectrometer.mass_from_flight import (
    mass_from_time_and_energy,
    mass_per_charge_from_time,
    retained_fraction_of_mass,
)
from siderion.spectrometer.pulse_height.events import coincidence_of, event_table, fit_time_calibration
from siderion.spectrometer.pulse_height.mass import (
    energy_per_charge_of_steps,
    flight_of_ions,
    masses_from_flight,
    stics_calibration,
)
from siderion.spectrometer.pulse_height.sample import sample_events
from siderion.spectrometer.pulse_height.spectra import mass_per_charge_of_flight, spectra_of

BARE = stics_calibration(foil_thickness=0.0, defect_scale=0.0)


def test_times_without_loss_are_those_of_the_formula():
    # L sqrt(m / (2 E)) by hand, 10 cm: O+, N2+, Fe+ at 87 keV/e and Fe10+ at 20 keV/e
    time, energy = flight_of_ions([15.999, 28.014, 55.845, 55.845], [1, 1, 1, 10], [87e3, 87e3, 87e3, 20e3], BARE)
    np.testing.assert_allclose(time * 1e9, [97.6, 129.1, 182.4, 120.3], atol=0.1)
    np.testing.assert_allclose(energy, [87e3, 87e3, 87e3, 200e3])


@given(
    mass=st.floats(1.0, 60.0), charge=st.integers(1, 12), energy=st.floats(8e3, 212e3), thickness=st.floats(0.0, 3.0),
    scale=st.floats(0.0, 1.0),
)  # fmt: skip
def test_forward_and_back(mass, charge, energy, thickness, scale):
    known = stics_calibration(foil_thickness=thickness, defect_scale=scale)
    time, detector = flight_of_ions([mass], [charge], [energy], known)
    found, per_charge = masses_from_flight(time, [energy], detector, [True], known)
    assert found[0] == pytest.approx(mass, rel=1e-5)
    assert per_charge[0] == pytest.approx(mass / charge, rel=1e-5)


def test_corrections_on_the_grid_are_those_of_the_functions():
    known = stics_calibration()
    energies = np.array([100e3, 150e3, 200e3])
    time, detector = flight_of_ions([15.999, 31.998, 55.845], [1, 1, 1], energies, known)
    mass, per_charge = masses_from_flight(time, energies, detector, np.ones(3, dtype=bool), known)
    np.testing.assert_allclose(mass, mass_from_time_and_energy(time, detector, 0.1), rtol=2e-4)
    np.testing.assert_allclose(per_charge, mass_per_charge_from_time(time, energies, 0.1, 0.0, known.foil_thickness), rtol=2e-4)


def test_both_solvers_agree_over_the_range():
    """Where the foil does not stop the ion (share above its floor of 2 %) and the grid reaches (1 keV)."""
    known = stics_calibration()
    axes = np.geomspace(1.0, 60.0, 15), [1, 2, 6, 10, 16], np.geomspace(7.5e3, 240e3, 10)
    mass, charge, energy = (axis.ravel() for axis in np.meshgrid(*axes, indexing="ij"))
    mass, charge, energy = (values[mass >= charge] for values in (mass, charge, energy))
    left = charge * energy * retained_fraction_of_mass(mass, charge * energy, known.foil_thickness)
    use = (left > 1e3) & (left > 0.04 * charge * energy)
    assert use.mean() > 0.98
    mass, charge, energy = mass[use], charge[use], energy[use]
    time, detector = flight_of_ions(mass, charge, energy, known)
    fast, fast_per_charge = masses_from_flight(time, energy, detector, np.ones(time.size, dtype=bool), known)
    slow = mass_from_time_and_energy(time, detector, known.flight_path)
    slow_per_charge = mass_per_charge_from_time(time, energy, known.flight_path, 0.0, known.foil_thickness, charge)
    np.testing.assert_allclose(fast, slow, rtol=1e-3)
    np.testing.assert_allclose(fast_per_charge, slow_per_charge, rtol=1e-3)
    np.testing.assert_allclose(slow, mass, rtol=1e-3)


def test_doubles_have_no_mass_and_the_loss_of_one_charge():
    known = stics_calibration()
    time, _ = flight_of_ions([15.999], [1], [90e3], known)
    mass, per_charge = masses_from_flight(time, [90e3], [0.0], [False], known)
    assert mass[0] == 0.0
    assert per_charge[0] == pytest.approx(15.999, rel=1e-5)
    assert (np.array(masses_from_flight([0.0], [90e3], [1e5], [True], known)) == 0.0).all()
    np.testing.assert_array_equal(coincidence_of([0.0, 0.0, 16.0, 16.0], [0.0, 16.0, 16.0, 0.0]), [0, 1, 2, 0])
    with pytest.raises(DataError, match="shapes"):
        masses_from_flight([1e-7, 1e-7], [9e4], [0.0], [False], known)


@given(time=st.floats(1e-9, 6e-7), energy=st.floats(7e3, 240e3), detector=st.floats(1.0, 2.1e6), triple=st.booleans())
def test_every_event_settles(time, energy, detector, triple):
    mass, per_charge = masses_from_flight([time], [energy], [detector], [triple], stics_calibration())
    free = 2.0 * energy * 1.602176634e-19 / 1.66053906660e-27 * (time / 0.1) ** 2
    assert 0.0 < per_charge[0] <= free * (1.0 + 1e-9)
    assert (mass[0] > 0.0) == triple
    if triple:
        assert mass[0] >= free / energy * detector * (1.0 - 1e-9)


def test_ladder_of_the_steps():
    cycle, whole = energy_per_charge_of_steps("cycle"), energy_per_charge_of_steps("range")
    np.testing.assert_allclose(cycle[[22, 30]], [87e3, 212e3])
    np.testing.assert_allclose(cycle[[0, 31]], [7.5e3, 237e3], rtol=2e-3)  # the limits of the SPASE record, 7.5 and 230 keV/e
    np.testing.assert_allclose(whole[[0, 31]], [8e3, 212e3])
    for steps in (cycle, whole):
        np.testing.assert_allclose(np.diff(np.log(steps), 2), 0.0, atol=1e-12)
    with pytest.raises(CoverageError, match="reading"):
        energy_per_charge_of_steps("other")


def test_calibration_is_checked_and_agrees_with_the_instrument():
    assert stics_calibration().flight_path == get_instrument("stics").path_length
    for values, words in (
        ({"time_gain": 0.0}, "time_gain is 0.0"),
        ({"gain": 1.0}, "gain unknown"),
        ({"defect_scale": -1.0}, "defect_scale"),
    ):
        with pytest.raises(SettingsError, match=words):
            stics_calibration(**values)


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    path = tmp_path_factory.mktemp("sample") / "s.gz"
    parts = list(sample_events(40_000, seed=5, mixture={"H+": 1.0, "O+": 1.0, "Fe10+": 1.0}))
    write_stics_events(path, parts)
    return np.concatenate([part["species"] for part in parts]), read_stics_events(path)


def test_sample_holds_its_mixture(sample):
    species, events = sample
    table = event_table(events)
    for k, (mass, per_charge) in enumerate([(1.008, 1.008), (15.999, 15.999), (55.845, 5.5845)]):
        mine = species == k
        assert abs(mine.mean() - 1.0 / 3.0) < 4.0 * np.sqrt(2.0 / 9.0 / 40_000)
        fast = mine & (table["energy_per_charge"].values > 80e3)
        channel = 0.5e-9 / (0.1 / np.sqrt(2.0 * 212e3 * 1.602e-19 / (per_charge * 1.6605e-27)))  # of the shortest flight
        assert np.median(table["mass_per_charge"].values[fast]) == pytest.approx(per_charge, rel=0.01 + channel)
        triple = fast & (table["coincidence"].values == 2)
        assert np.median(table["mass"].values[triple]) == pytest.approx(mass, rel=0.03 + channel)
    assert set(np.unique(events["deflection_step"].values)) == {2, 6, 10, 14, 18, 22, 26, 30}
    assert (np.diff(events["time"].values) >= np.timedelta64(0)).all()


def test_recomputed_masses_are_those_of_the_file(sample):
    _, events = sample
    found = event_table(events, source="recompute")
    use = events["mass_per_charge"].values < 98.9
    np.testing.assert_allclose(found["mass_per_charge"].values[use], events["mass_per_charge"].values[use], atol=6e-4)
    use = events["mass"].values < 98.9
    np.testing.assert_allclose(found["mass"].values[use], events["mass"].values[use], atol=6e-3)


def test_charge_is_missing_only_without_mass(sample):
    table = event_table(sample[1])
    np.testing.assert_array_equal(np.isfinite(table["charge"].values), table["coincidence"].values == 2)


def test_time_calibration_is_found_from_the_file(sample):
    found = fit_time_calibration(sample[1])
    known = stics_calibration()
    assert found.time_gain == pytest.approx(known.time_gain, rel=0.01)
    assert abs(found.time_offset) < 1e-9
    with pytest.raises(DataError, match="usable double coincidences"):
        fit_time_calibration(sample[1].isel(event=slice(0, 10)))


def test_sample_is_reproducible_and_checked():
    first, second = (next(sample_events(100, seed=3)) for _ in range(2))
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])
    for options in ({"rate": 0.0}, {"mixture": {"Xe+": 1.0}}):
        with pytest.raises(SettingsError, match="sample"):
            next(sample_events(10, **options))


def test_batches_of_spectra_keep_every_count():
    import xarray as xr

    values = np.random.default_rng(0).poisson(2.0, (7, 4, 16))
    data = xr.Dataset(
        {"counts": (("time", "energy", "tof"), values), "energy_per_charge": ("energy", np.array([1.0, 2.0, 3.0, 4.0]))},
        coords={
            "time": np.datetime64("2019-01-01", "ns") + np.arange(7) * np.timedelta64(1, "s"),
            "tof_ns": ("tof", np.arange(16.0)),
        },
    )
    for over, group, number in (("none", None, 28), ("time", None, 4), ("time", 3, 12), ("energy", None, 7)):
        made = spectra_of(data, over=over, group=group)
        assert made.sizes == {"spectrum": number, "tof": 16}
        np.testing.assert_array_equal(made["counts"].sum("spectrum"), values.sum((0, 1)))
    grouped = spectra_of(data, over="time", group=3)
    np.testing.assert_array_equal(grouped["counts"].values[5], values[3:6, 1].sum(axis=0))
    assert float(grouped["energy_per_charge"][5]) == 2.0
    with pytest.raises(DataError, match="energy_per_charge"):
        spectra_of(data.drop_vars("energy_per_charge"))
    with pytest.raises(SettingsError, match="over"):
        spectra_of(data, over="energy", group=2)


def test_mass_per_charge_of_a_straight_flight():
    # 16 u at 10 keV: v = sqrt(2 E/m) by hand
    speed = np.sqrt(2.0 * 10e3 * 1.602176634e-19 / (16.0 * 1.66053906660e-27))
    assert mass_per_charge_of_flight(0.15 / speed, 4e3, 8e3, 0.15) == pytest.approx(16.0)
    with pytest.raises(SettingsError, match="must be positive"):
        mass_per_charge_of_flight(1e-7, 500.0, 1e3, 0.15)
