"""Times of flight: published loss-free times, fragments of molecules, other principles, and masses back from times."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from siderion.core.errors import CoverageError, DataError, SettingsError
from siderion.core.species import get_species
from siderion.spectrometer.first_fragment import first_fragment_moments
from siderion.spectrometer.flight_time import (
    atoms_of,
    flight_components,
    linear_field_time,
    loss_free_time,
    release_half_width,
    straight_time,
    total_energy,
)
from siderion.spectrometer.instruments import make_setup
from siderion.spectrometer.magnetic import deflection, gyroradius, position_matrix
from siderion.spectrometer.mass_from_flight import (
    mass_from_time_and_energy,
    mass_per_charge_from_time,
    retained_fraction_of_mass,
    undetected_energy,
)

CODIF = {
    16e3: {"N+": 63.8, "O+": 68.2, "N2+": 90.3, "NO+": 93.4, "O2+": 96.5, "Fe+": 127.5},
    20e3: {"N+": 57.1, "O+": 61.0, "N2+": 80.8, "NO+": 83.6, "O2+": 86.3, "Fe+": 114.0},
}


@pytest.mark.parametrize("voltage", list(CODIF))
def test_loss_free_times_of_codif(voltage: float) -> None:
    """All twelve published times come out at E/q = 30 eV, the middle of the lowest energy steps."""
    setup = make_setup("codif", voltage, 30.0)
    assert {name: round(loss_free_time(name, setup) * 1e9, 1) for name in CODIF[voltage]} == CODIF[voltage]


def test_loss_free_times_of_stics() -> None:
    setup = make_setup("stics", energy_per_charge=87e3)
    for name, time in {"O+": 97.6, "N2+": 129.1, "Fe+": 182.4}.items():
        assert loss_free_time(name, setup) * 1e9 == pytest.approx(time, abs=0.1)  # 129.17: the last digit was cut, not rounded
    iron = make_setup("stics", energy_per_charge=20e3)
    assert loss_free_time("Fe++++++++++", iron) * 1e9 == pytest.approx(120.3, abs=0.05)


def test_without_foil_atoms_need_the_loss_free_time() -> None:
    setup = make_setup("codif", 16e3, 30.0, foil_thickness=0.0)
    for name in ("H+", "O+", "Fe+", "Fe++"):
        (part,) = flight_components(name, setup)
        # The table of masses counts the missing electron of the ion, an atom behind the foil has it back.
        assert part.time == pytest.approx(loss_free_time(name, setup), rel=5e-4)
        assert (part.weight, part.relative_spread) == (1.0, 0.0)


def test_without_foil_and_release_fragments_keep_the_time_of_the_molecule() -> None:
    setup = make_setup("codif", 16e3, 30.0, foil_thickness=0.0)
    for name in ("O2+", "NO+", "CO2+", "H2O+"):
        for part in flight_components(name, setup, 0.0):
            assert part.time == pytest.approx(loss_free_time(name, setup), rel=2e-5)


def test_oxygen_molecule_arrives_later_than_its_mass_says() -> None:
    setup = make_setup("codif", 16e3, 100.0)
    (atom,), (molecule,) = flight_components("O+", setup), flight_components("O2+", setup)
    assert atom.time * 1e9 == pytest.approx(73.8, abs=0.2)
    assert molecule.time * 1e9 == pytest.approx(108.7, rel=0.01)  # one fragment alone: 108.5; the first of two is earlier
    assert molecule.time / atom.time == pytest.approx(1.47, abs=0.01)
    assert molecule.fragment == "O"
    later = make_setup("codif", 16e3, 100.0, foil_model="stopping")
    assert flight_components("O2+", later)[0].time / flight_components("O+", later)[0].time == pytest.approx(1.53, abs=0.02)


@pytest.mark.parametrize(("release", "percent"), [(1.0, 0.8), (5.0, 1.8), (10.0, 2.5)])
def test_energy_release_widens_the_molecule(release: float, percent: float) -> None:
    assert round(100.0 * release_half_width("O2+", "O", make_setup("codif", 16e3, 100.0), release), 1) == percent


def test_nitric_oxide_has_two_offset_parts_and_is_counted_once() -> None:
    early, late = flight_components("NO+", make_setup("codif", 16e3, 100.0))
    assert (early.fragment, late.fragment) == ("N", "O")
    assert late.time > 1.005 * early.time
    assert early.weight + late.weight == pytest.approx(1.0)
    assert early.weight > late.weight


@pytest.mark.parametrize("name", ["O2+", "NO+", "CO2+", "H2O+", "SiO+", "FeO+", "N2++"])
def test_weights_of_fragments_sum_to_one(name: str) -> None:
    parts = flight_components(name, make_setup("codif", 20e3, 1e3))
    assert sum(part.weight for part in parts) == pytest.approx(1.0)
    assert len(parts) == len(set(atoms_of(name)))


@given(st.floats(15e3, 25e3), st.floats(0.0, 3e4), st.floats(0.1, 1.0))
@settings(max_examples=30, deadline=None)
def test_heavier_is_later(voltage: float, energy: float, thickness: float) -> None:
    setup = make_setup("codif", voltage, energy, thickness)
    times = [flight_components(name, setup)[0].time for name in ("H+", "He+", "C+", "N+", "O+", "Na+", "Si+", "Ar+", "Fe+")]
    assert np.all(np.diff(times) > 0.0)


def test_first_fragment_against_drawn_pairs() -> None:
    times, spreads, widths = np.array([100.0, 101.0]), np.array([0.02, 0.025]), np.array([0.01, 0.012])
    weights, means, variances = first_fragment_moments(times, spreads, widths, 0.5)
    rng = np.random.default_rng(5)
    cosine = rng.uniform(-1.0, 1.0, 400_000)
    drawn = np.stack(
        [
            t * (1.0 - sign * cosine * h + s * rng.standard_normal(cosine.size))
            for t, s, h, sign in zip(times, spreads, widths, (1, -1), strict=True)
        ]
    )
    drawn[rng.random(drawn.shape) > 0.5] = np.inf
    first, which = drawn.min(axis=0), drawn.argmin(axis=0)
    seen = np.isfinite(first)
    for index in range(2):
        mine = first[seen & (which == index)]
        error = 4.0 * mine.std() / np.sqrt(mine.size)
        assert means[index] == pytest.approx(mine.mean(), abs=error)
        assert np.sqrt(variances[index]) == pytest.approx(mine.std(), rel=0.01)
        assert weights[index] == pytest.approx(mine.size / seen.sum(), abs=0.004)


def test_gated_flight_has_no_foil_and_whole_molecules() -> None:
    (part,) = flight_components("NO+", make_setup("irm", energy_per_charge=10.0))
    assert part.fragment == "NO+"
    assert part.time == pytest.approx(0.05 * np.sqrt(get_species("NO+").mass / (2.0 * 10.0 * 1.602176634e-19)), rel=1e-12)


def test_linear_field_against_the_equation_of_motion() -> None:
    depth, voltage, mass, charge = 0.05, 12e3, get_species("O+").mass, 1.602176634e-19
    rate = 2.0 * charge * voltage / (mass * depth**2)

    def end(_: float, y: np.ndarray) -> float:
        return y[0]

    end.terminal, end.direction = True, -1
    for energy in (2e3, 9e3):
        start = [0.0, np.sqrt(2.0 * energy * charge / mass)]
        done = solve_ivp(lambda _, y: [y[1], -rate * y[0]], (0.0, 1e-5), start, events=end, rtol=1e-10, atol=1e-14)
        assert float(linear_field_time(depth, voltage, mass, 1, energy)) == pytest.approx(done.t_events[0][-1], rel=1e-6)
    weak = float(linear_field_time(depth, 1.0, mass, 1, 12e3))
    assert weak == pytest.approx(float(straight_time(depth, mass, 12e3)), rel=1e-4)


def test_linear_field_shows_ions_isochronous_and_neutrals_not() -> None:
    slow, fast = make_setup("ima", 12e3, 100.0), make_setup("ima", 12e3, 2e3)
    for name in ("O+", "O2+"):
        (neutral, ion), (faster, same) = flight_components(name, slow), flight_components(name, fast)
        assert ion.time == pytest.approx(same.time, rel=1e-12)
        assert faster.time < neutral.time < ion.time
        assert neutral.weight + ion.weight == pytest.approx(1.0)
    mine = {name: flight_components(name, slow)[1].time for name in ("O+", "Ar+")}
    assert mine["Ar+"] / mine["O+"] == pytest.approx(np.sqrt(get_species("Ar+").mass / get_species("O+").mass), rel=1e-6)


def test_magnet_sorts_by_mass_per_charge() -> None:
    setup = make_setup("magnetic", energy_per_charge=1e3)
    speed = np.sqrt(2.0 * 1e3 * 1.602176634e-19 / get_species("O+").mass)
    assert gyroradius("O+", setup) == pytest.approx(get_species("O+").mass * speed / (1.602176634e-19 * 0.08), rel=1e-12)
    assert deflection("H+", setup) > deflection("He+", setup) > deflection("O+", setup) > deflection("O2+", setup) > 0.0
    matrix = position_matrix(["H+", "O+", "O2+"], np.linspace(-0.05, 0.2, 400), setup)
    assert matrix.sum(axis=1) == pytest.approx([1.0, 1.0, 1.0])
    assert deflection("H+", make_setup("magnetic", energy_per_charge=20.0)) == np.inf
    with pytest.raises(SettingsError, match="no time axis"):
        flight_components("O+", setup)


@pytest.mark.parametrize("name", ["H+", "He+", "N+", "O+", "Si+", "Fe+"])
def test_mass_per_charge_comes_back_from_the_time(name: str) -> None:
    setup = make_setup("stics", energy_per_charge=100e3)
    time = flight_components(name, setup)[0].time
    found = float(mass_per_charge_from_time(time, 100e3, 0.1, 0.0, setup.foil_thickness))
    mass = get_species(atoms_of(name)[0]).mass / 1.66053906892e-27
    assert found == pytest.approx(mass, rel=2e-3)
    assert float(mass_per_charge_from_time(time, 100e3, 0.1)) > found


def test_mass_comes_back_from_time_and_detector() -> None:
    mass, energy = np.array([1.008, 4.0026, 15.999, 28.085, 55.845]), 120e3
    time = straight_time(0.1, mass * 1.66053906892e-27, energy)
    seen = energy - undetected_energy(mass, energy)
    assert np.all(np.diff(seen) < 0.0)
    assert mass_from_time_and_energy(time, seen, 0.1) == pytest.approx(mass, rel=1e-6)
    assert np.all(mass_from_time_and_energy(time, seen, 0.1, correct_defect=False) < mass)


def test_kept_share_of_any_mass_passes_through_the_elements() -> None:
    from siderion.spectrometer.foil import retained_fraction

    for atom in ("N", "O", "Si", "Fe"):
        mass = get_species(atom).mass / 1.66053906892e-27
        assert float(retained_fraction_of_mass(mass, 80e3, 1.0)) == pytest.approx(float(retained_fraction(atom, 80e3)), rel=1e-9)


def test_bad_input_is_refused() -> None:
    setup = make_setup("codif")
    with pytest.raises(SettingsError, match="no charge"):
        total_energy("O", setup)
    with pytest.raises(CoverageError, match="unknown"):
        flight_components("Xx+", setup)
    with pytest.raises(CoverageError, match="stops in a foil"):
        flight_components("Fe+", make_setup("codif", 15e3, 0.0, 3.0))
    with pytest.raises(SettingsError, match="energy_release"):
        flight_components("O2+", setup, -1.0)
    with pytest.raises(DataError, match="index 1"):
        mass_per_charge_from_time([1e-7, 0.0], 87e3, 0.1)
    with pytest.raises(DataError, match="detector"):
        mass_from_time_and_energy(1e-7, -1.0, 0.1)
