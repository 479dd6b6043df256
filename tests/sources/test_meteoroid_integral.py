"""Global injection by meteoroids: sums, normalisation, errors of sampling; with prescribed flights and with the real ones."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from siderion.core.constants import ATOMIC_MASS
from siderion.core.errors import CoverageError, NumericalError, SettingsError
from siderion.core.measurement import check_measurement
from siderion.jobs.progress import ProgressEvent, silent
from siderion.sources.entry.atmosphere import exponential_atmosphere, mean_atmosphere, standard_atmosphere
from siderion.sources.entry.flight import ENTRY_ALTITUDE, fly_bodies
from siderion.sources.entry.materials import composition
from siderion.sources.entry.settings import AblationSettings
from siderion.sources.meteoroids import (
    InjectionSettings,
    get_scenario,
    get_speeds,
    meteoroid_injection,
    single_speed,
    table_shape,
)
from siderion.sources.meteoroids.bodies import deposit, make_bodies

AIR = exponential_atmosphere(1.225, 7000.0)
FRACTIONS = composition("chondritic")
FEW = InjectionSettings(masses_per_bin=1, speeds=4, angles=3)


def cosine_flight(mass: NDArray, speed: NDArray, angle: NDArray, density: float, edges: NDArray) -> xr.Dataset:
    """Bodies that leave the share cos z of their mass: 3/4 of it in the bin at 90 km, the rest below all bins; 1/5 ionised."""
    share = np.cos(np.radians(angle))
    place = int(np.searchsorted(edges, 90e3, side="right")) - 1
    released = np.zeros((len(FRACTIONS), len(mass), len(edges) - 1))
    content = np.array(list(FRACTIONS.values()))[:, None]
    released[:, :, place] = 0.75 * content * mass * share
    found = ("element", "body", "alt")
    return xr.Dataset(
        {
            "released_mass": (found, released),
            "impact_ionised_mass": (found, 0.2 * released),
            "released_speed": (found[1:], np.broadcast_to(speed[:, None], released.shape[1:])),
            "released_outside": (found[:2], 0.25 * content * mass * share),
            "residue_mass": (found[:2], content * mass * (1.0 - share)),
            "final_mass": ("body", mass * (1.0 - share)),
        },
        {"element": list(FRACTIONS)},
        {"sources": json.dumps([{"what": "test"}])},
    )


def test_prescribed_flights_give_the_mean_cosine() -> None:
    """Mean cos z of an isotropic flux is 2/3, which one Gauss point already gives."""
    data = meteoroid_injection(get_scenario("huang-2015"), single_speed(20e3), AIR, FEW, fly=cosine_flight)
    np.testing.assert_allclose(data["ablated_share"], 2.0 / 3.0, rtol=1e-10)
    np.testing.assert_allclose(data["surviving_share"], 1.0 / 3.0, rtol=1e-10)
    np.testing.assert_allclose(data["ionised_share"], 0.2, rtol=1e-10)
    np.testing.assert_allclose(data["peak_altitude"], 90.5)
    np.testing.assert_array_equal(data["ions_outside_law_share"], 0.0)  # 20 km/s is within 10 to 35 km/s
    iron = data.sel(species="Fe")
    assert float(iron["ablated_mass_rate"]) == pytest.approx(150.0 * FRACTIONS["Fe"] * 2 / 3, rel=1e-10)
    assert float(iron["ablated_outside_rate"]) == pytest.approx(float(iron["ablated_mass_rate"]) / 4, rel=1e-10)
    assert float(iron["ablated_mass_rate_upper"]) == pytest.approx(188.0 * FRACTIONS["Fe"] * 2 / 3, rel=1e-10)
    assert float(data["residue_mass_rate"]) == pytest.approx(50.0, rel=1e-10)
    for name in ("ablated_mass_rate", "ablated_flux", "mass_influx"):
        check_measurement(data, name)


def test_ions_outside_of_the_range_of_each_law() -> None:
    """All at 40 km/s: outside of 10 to 35 km/s, inside of 9.4 to 60 km/s, which is the range of the law of iron."""
    shares = {}
    for model in ("jones1997", "jones1997_elements"):
        law = AblationSettings(ionisation=model)
        data = meteoroid_injection(
            get_scenario("review"), single_speed(40e3), AIR, FEW, law, elements=("Na", "Fe"), fly=cosine_flight
        )
        shares[model] = data["ions_outside_law_share"].values.tolist()
    assert shares == {"jones1997": pytest.approx([1.0, 1.0]), "jones1997_elements": pytest.approx([1.0, 0.0])}


def test_integral_over_the_volume_is_the_ablated_amount() -> None:
    """Shells of radius 6371.2 km + z, their volume written as the cubic polynomial of z."""
    data = meteoroid_injection(get_scenario("review"), single_speed(20e3), AIR, FEW, fly=cosine_flight)
    low, high = (1e3 * data["alt_bounds"].values[:, k] for k in (0, 1))
    radius = 6371.2e3
    volume = 4 * np.pi * (radius**2 * (high - low) + radius * (high**2 - low**2) + (high**3 - low**3) / 3)
    atoms = (data["neutral_production"] + data["ion_production"]).values @ volume
    mass = np.array([55.845, 22.98976928])[:, None] * ATOMIC_MASS
    found = data.sel(species=["Fe", "Na"])
    inside = (found["ablated_mass_rate"] - found["ablated_outside_rate"]).values * 1e3 / 86400.0
    chosen = [list(data["species"].values).index(name) for name in ("Fe", "Na")]
    np.testing.assert_allclose(atoms[chosen] * mass[:, 0], inside, rtol=1e-9)
    np.testing.assert_allclose(data["ablation_rate"], data["neutral_production"] + data["ion_production"], rtol=1e-12)


def test_monte_carlo_error_falls_as_the_root_of_the_number() -> None:
    """cos z has the mean 2/3 and the variance 1/2 - 4/9 = 1/18."""
    scatter = []
    for count in (50, 800):
        found = []
        for seed in range(80):
            settings = InjectionSettings(samples=count, seed=seed, altitude_step=20.0)
            bodies = make_bodies(get_scenario("review").shape, single_speed(20e3), settings)
            left = deposit(bodies, ("Fe",), settings.altitude_edges, cosine_flight, settings, "jones1997", silent, "test")
            found.append(float(left.atoms.sum() + left.ions.sum() + left.outside.sum()) / FRACTIONS["Fe"])
            assert float(left.ablated_error[0]) / FRACTIONS["Fe"] == pytest.approx(
                np.sqrt(1 / 18 / count), rel=5 / np.sqrt(count)
            )
        assert abs(np.mean(found) - 2 / 3) < 4.0 * np.sqrt(1 / 18 / count / 80)
        scatter.append(np.std(found, ddof=1))
    assert scatter[0] / scatter[1] == pytest.approx(4.0, rel=0.4)  # 16 times the number; each scatter is known to 8 %


def test_sampling_error_reaches_the_result() -> None:
    settings = InjectionSettings(samples=200)
    data = meteoroid_injection(get_scenario("review"), single_speed(20e3), AIR, settings, elements=("Fe",), fly=cosine_flight)
    expected = 30.0 * FRACTIONS["Fe"] * np.sqrt(1 / 18 / 200)
    assert float(data["ablated_mass_rate_sampling_error"][0]) == pytest.approx(expected, rel=0.2)
    assert data.attrs["integral"] == "Monte Carlo"


def test_same_seed_same_result_and_chunks_do_not_matter() -> None:
    def run(seed: int, chunk: int) -> xr.Dataset:
        settings = InjectionSettings(samples=50, seed=seed, chunk=chunk)
        return meteoroid_injection(get_scenario("review"), get_speeds("hrmp"), AIR, settings, elements=("Fe",), fly=cosine_flight)

    np.testing.assert_allclose(run(1, 7)["ablation_rate"], run(1, 50)["ablation_rate"], rtol=1e-12)
    assert float(run(1, 50)["ablated_share"][0]) != float(run(2, 50)["ablated_share"][0])


def test_normalised_to_a_flux_of_one_element() -> None:
    """1.02e5 Fe atoms cm-2 s-1 through the sphere at 100 km are 4.29 t/d."""
    data = meteoroid_injection(
        get_scenario("huang-2015"), single_speed(20e3), AIR, FEW, ablated_flux=("Fe", 1.02e9), fly=cosine_flight
    )
    iron = data.sel(species="Fe")
    assert float(iron["ablated_flux"]) == pytest.approx(1.02e9)
    assert float(iron["ablated_mass_rate"]) == pytest.approx(4.29, rel=5e-3)
    assert float(data["mass_influx"]) == pytest.approx(float(iron["ablated_mass_rate"]) / FRACTIONS["Fe"] * 1.5)
    assert np.isnan(data["mass_influx_upper"])
    assert int(data["mass_influx_flag"]) == 1
    assert "of Fe at 100 km" in json.loads(data.attrs["settings"])["normalised_to"]


def test_progress_is_told() -> None:
    events: list[ProgressEvent] = []
    settings = InjectionSettings(samples=10, chunk=4)
    meteoroid_injection(get_scenario("review"), single_speed(20e3), AIR, settings, report=events.append, fly=cosine_flight)
    assert [event.done for event in events] == [0.0, 0.4, 0.8, 1.0]


def test_what_is_refused() -> None:
    def run(**options: object) -> xr.Dataset:
        return meteoroid_injection(get_scenario("review"), single_speed(20e3), AIR, **{"settings": FEW, **options})  # type: ignore[arg-type]

    with pytest.raises(SettingsError, match="name each once"):
        run(elements=("Fe", "Fe"))
    with pytest.raises(SettingsError, match="other is no element"):
        run(elements=("Fe", "other"))
    with pytest.raises(CoverageError, match="Zz"):
        run(elements=("Zz",), settings=InjectionSettings(material={"Zz": 0.5}))
    with pytest.raises(SettingsError, match="no Xx"):
        run(elements=("Xx",))
    with pytest.raises(SettingsError, match="ablated flux of Ba"):
        run(ablated_flux=("Ba", 1.0))
    with pytest.raises(SettingsError, match="must rise"):
        InjectionSettings.make({"smallest_mass": 1.0})
    with pytest.raises(SettingsError, match="no bin"):
        InjectionSettings.make({"lowest_altitude": 200.0})

    def lossy(*arguments: object) -> xr.Dataset:
        return cosine_flight(*arguments).assign(final_mass=("body", np.zeros(1)))  # type: ignore[arg-type]

    with pytest.raises(NumericalError, match="must leave all"):
        meteoroid_injection(get_scenario("review"), single_speed(20e3), AIR, InjectionSettings(samples=1), fly=lossy)


def test_one_body_is_the_flight_of_that_body() -> None:
    """One mass, one speed, one angle: the rates are those of `fly_bodies`, times bodies a second, over the volume."""
    mass, law = np.sqrt(1e-9 * 1.0001e-9), AblationSettings()
    scenario = get_scenario("review").with_total(2.0).with_shape(table_shape([1e-9, 1.0001e-9], [1.0]))
    settings = InjectionSettings(masses_per_bin=1, speeds=1, angles=1, lowest_altitude=70.0, highest_altitude=120.0)
    air = standard_atmosphere()
    data = meteoroid_injection(scenario, single_speed(20e3), air, settings, law, elements=("Na", "Fe"))
    # from 100 km, where speed and angle are given, up to where the flight begins: energy and angular momentum
    top = 6371.2e3 + ENTRY_ALTITUDE
    speed = np.sqrt(20e3**2 - 2 * 3.986004418e14 * (1 / 6471.2e3 - 1 / top))
    angle = np.degrees(np.arcsin(np.sqrt(5.0) / 3.0 * 6471.2e3 / top * 20e3 / speed))
    flown = fly_bodies(mass, speed, angle, settings.density, air, law, settings.altitude_edges, elements=("Na", "Fe")).isel(
        body=0
    )
    volume = 4 / 3 * np.pi * np.diff((6371.2e3 + settings.altitude_edges) ** 3)
    atoms = flown["released_mass"].values * 2.0 / mass / (np.array([22.98976928, 55.845]) * ATOMIC_MASS)[:, None]
    # at the edges of bins, 1e-8 of the atoms depend on the last digit of the angle
    np.testing.assert_allclose(data["ablation_rate"] * volume, atoms, rtol=1e-6, atol=1e-7 * atoms.max())
    ions = flown["impact_ionised_mass"].sum("alt") / flown["released_mass"].sum("alt")
    np.testing.assert_allclose(data["ionised_share"], ions, rtol=1e-6)


def test_elements_rest_and_residue_add_up_to_the_influx() -> None:
    data = meteoroid_injection(get_scenario("carrillo-sanchez-2016"), get_speeds("hrmp"), standard_atmosphere(), FEW)
    ablated = float(data["ablated_mass_rate"].sum() + data["unlisted_mass_rate"])
    assert ablated + float(data["residue_mass_rate"]) == pytest.approx(43.0, rel=1e-6)
    np.testing.assert_allclose(data["ablated_share"] + data["surviving_share"], 1.0, rtol=1e-6)
    assert set(data.attrs) >= {"kind", "title", "settings", "sources", "siderion_version"}
    assert data.attrs["kind"] == "siderion source"


def test_differential_ablation_between_70_and_110_km() -> None:
    """The review: most ablates at 70 to 110 km; Na and K go first, Ca, Al and Ti last and lowest."""
    quadrature = InjectionSettings(masses_per_bin=1, speeds=12, angles=3)
    data = meteoroid_injection(get_scenario("review"), get_speeds("hrmp"), mean_atmosphere(), quadrature)
    rate = data["ablation_rate"]
    band = rate.where((rate["alt"] > 70.0) & (rate["alt"] < 110.0), 0.0).sum("alt")
    inside = data["ablated_outside_rate"] / data["ablated_mass_rate"]
    # docs/meteoroids.md gives 0.97, 0.91, 0.84 and 0.81, 0.57, 0.15 with the finer quadrature
    found = (band / rate.sum("alt") * (1.0 - inside)).sel(species=["Na", "Mg", "Fe", "Ca"])
    np.testing.assert_allclose(found, [0.97, 0.91, 0.91, 0.84], atol=0.01)
    share = data["ablated_share"]
    np.testing.assert_allclose(share.sel(species=["Na", "Fe", "Ca"]), [0.81, 0.57, 0.15], atol=0.01)
    assert float(share.sel(species="Na")) > float(share.sel(species="Fe")) > float(share.sel(species="Ca"))
    centre = (rate * rate["alt"]).sum("alt") / rate.sum("alt")
    assert float(centre.sel(species="Na")) > float(centre.sel(species="Fe"))


def test_faster_bodies_ablate_higher_and_ionise_more() -> None:
    settings = InjectionSettings(masses_per_bin=1, angles=2, smallest_mass=1e-12, largest_mass=1e-6)
    slow, fast = (
        meteoroid_injection(get_scenario("review"), single_speed(v), standard_atmosphere(), settings, elements=("Fe",))
        for v in (14e3, 50e3)
    )
    assert float(fast["peak_altitude"][0]) > float(slow["peak_altitude"][0]) + 8.0
    assert float(fast["ionised_share"][0]) > 10.0 * float(slow["ionised_share"][0])
    assert float(fast["ablated_share"][0]) > float(slow["ablated_share"][0])
