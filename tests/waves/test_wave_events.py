"""Known waves are found as what they are, other waves are rejected with the right reason, windows become events."""

import numpy as np
import pytest
import xarray as xr
from scipy import constants
from synthetic_waves import (
    anisotropy_wave,
    coloured_noise,
    cyclotron_packet,
    mirror_modes,
    right_hand_wave,
    rotating_spin_tones,
)

from siderion.waves.criteria import Rejection
from siderion.waves.events import add_ambiguities, find_events, reject_lonely_windows, tracks_field
from siderion.waves.settings import CriteriaSettings, DetectionSettings
from siderion.waves.windows import measure_windows

START = np.datetime64("2020-01-01", "ns")
MASS = {"H+": 1.00728, "H2+": 2.0151, "He+": 4.0021, "Cl-": 35.45, "Cl+": 35.45, "H2O+": 18.01}  # unit masses
NO_MASK = {"rejection": {"fixed_lines": False}}


def charge_to_mass(name):
    return constants.elementary_charge / (MASS[name] * constants.atomic_mass)


class Scene:
    """Coloured noise on a field of slowly changing strength, 0.1 s."""

    def __init__(self, seed, duration=2000.0, strength=25.0, variation=0.05, level=1e-3):
        self.rng = np.random.default_rng(seed)
        self.time = np.arange(0.0, duration, 0.1)
        unit = np.array([0.5, 0.3, 0.8]) / np.sqrt(0.98)
        self.field = np.outer(strength * (1.0 + variation * np.sin(2.0 * np.pi * self.time / 2000.0)), unit)
        self.noise = coloured_noise(self.rng, self.time.size, 0.1, 5 / 3, level, 0.1, corner=0.005)

    def wave(self, make, name, delta_b, **options):
        return make(self.rng, self.time, self.field, charge_to_mass(name), delta_b, **{"coherence_time": 200.0, **options})

    def windows(self, wave, species, settings=None):
        return analysed(self.time, self.field + self.noise + wave, species, settings)


def analysed(time, total, species, settings=None):
    chosen = DetectionSettings.make(settings or {})
    times = START + np.round(time * 1e9).astype("timedelta64[ns]")
    data = xr.Dataset({"magnetic_field": (("time", "component"), total, {"units": "nT"})}, coords={"time": times})
    return reject_lonely_windows(measure_windows(data, species, chosen), chosen)


def measured(windows, name):
    reasons = windows["rejection"].sel(species=name).values
    return reasons[(reasons & int(Rejection.INSUFFICIENT_DATA | Rejection.UNRESOLVED)) == 0]


def share(reasons, reason):
    return np.mean((reasons & int(reason)) != 0)


@pytest.mark.parametrize("name", ["H+", "H2+", "He+"])
@pytest.mark.parametrize("sign", [1, -1])
def test_wave_of_one_ion_is_found_as_that_ion_only(name, sign):
    scene = Scene(11)
    scene.field *= sign
    windows = scene.windows(scene.wave(cyclotron_packet, name, 1.5), ["H+", "H2+", "He+"])
    for other in ("H+", "H2+", "He+"):
        assert (measured(windows, other) == 0).mean() == (1.0 if other == name else 0.0)
    found = windows.sel(species=name).isel(time=windows.detected.sel(species=name).values)
    fc = charge_to_mass(name) * found.magnetic_field_strength.values * 1e-9 / (2.0 * np.pi)
    resolution = 1.0 / found.segment_length.values
    assert (np.abs(found.peak_frequency.values - fc) < resolution).all()
    assert (found.ellipticity < -0.8).all()


def test_noise_alone_gives_nothing():
    scene = Scene(12)
    windows = scene.windows(0.0, ["H+", "H2+", "He+"])
    assert not windows.detected.any()
    assert share(measured(windows, "H+"), Rejection.WEAK) > 0.9


def test_negative_chlorine_is_right_handed():
    scene = Scene(13, strength=400.0, level=1e-2)
    windows = scene.windows(scene.wave(right_hand_wave, "Cl-", 5.0), ["Cl-", "Cl+", "O2+"])
    assert (measured(windows, "Cl-") == 0).all()
    assert (measured(windows, "Cl+") == int(Rejection.WRONG_HANDEDNESS)).all()
    assert not windows.detected.sel(species="O2+").any()
    events = add_ambiguities(find_events(windows), ("Cl-", "Cl+", "S+", "O2+"))
    assert events.species.values.tolist() == ["Cl-"]
    assert events.ambiguous_with.values.tolist() == [""]  # no other negative ion is near
    assert float(events.ellipticity[0]) > 0.8


def test_water_group_is_found():
    scene = Scene(14, strength=325.0, level=1e-2)
    windows = scene.windows(scene.wave(cyclotron_packet, "H2O+", 5.0), ["water group", "Na+", "O2+"])
    assert (measured(windows, "water group") == 0).all()
    assert not windows.detected.sel(species=["Na+", "O2+"]).any()
    events = add_ambiguities(find_events(windows), ("H2O+", "OH+", "Na+"))
    assert "H2O+" in str(events.ambiguous_with.values[0])
    assert "Na+" not in str(events.ambiguous_with.values[0])


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda s: s.wave(right_hand_wave, "H+", 1.5), Rejection.WRONG_HANDEDNESS),
        (lambda s: s.wave(anisotropy_wave, "H+", 1.5, frequency_ratio=0.6), Rejection.BELOW_GYROFREQUENCY),
        (lambda s: mirror_modes(s.rng, s.time, s.field, 0.3, period=2.7), Rejection.COMPRESSIVE),
    ],
    ids=["right hand", "anisotropy", "mirror mode"],
)
def test_other_waves_are_rejected_with_the_reason(make, reason):
    scene = Scene(15)
    windows = scene.windows(make(scene), ["H+"])
    assert not windows.detected.any()
    assert share(measured(windows, "H+"), reason) > 0.95


def test_spin_tones_are_found_and_rejected_as_fixed_lines():
    scene = Scene(16, duration=6000.0, variation=0.3)
    tones = rotating_spin_tones(scene.rng, scene.time, scene.field, 0.4, fundamental=0.105)
    windows = scene.windows(tones, ["H+", "He+"])
    assert not windows.detected.any()
    assert "0.10" in windows.attrs["fixed_lines"]
    assert share(measured(windows, "He+"), Rejection.FIXED_LINE) > 0.5
    without = scene.windows(tones, ["H+", "He+"], NO_MASK)
    assert without.detected.any() or share(measured(without, "He+"), Rejection.DOES_NOT_TRACK_FIELD) > 0.3


@pytest.mark.parametrize("seed", [16])
def test_spin_tones_are_rejected_when_the_period_is_given(seed):
    scene = Scene(seed, duration=6000.0, variation=0.3)
    tones = rotating_spin_tones(scene.rng, scene.time, scene.field, 0.4, fundamental=0.105)
    given = {"rejection": {"spin_period": 1.0 / 0.105, "fixed_lines": False}}
    windows = scene.windows(tones, ["H+", "H2+", "He+"], given)
    assert share(measured(windows, "He+"), Rejection.FIXED_LINE) > 0.5
    assert not windows.detected.any()


def test_tone_in_a_steady_field_is_rejected_only_when_the_spin_is_given():
    """In a steady field nothing tells a left-hand tone at fc from a wave."""
    scene = Scene(17, variation=0.0)
    fc = charge_to_mass("H+") * 25e-9 / (2.0 * np.pi)
    tones = rotating_spin_tones(scene.rng, scene.time, scene.field, 1.0, fundamental=fc, harmonics=(1,))
    assert scene.windows(tones, ["H+"]).detected.any()
    windows = scene.windows(tones, ["H+"], {"rejection": {"spin_period": 1.0 / fc}})
    assert (measured(windows, "H+") == int(Rejection.FIXED_LINE)).all()


def test_wave_in_one_field_is_no_line_because_the_field_is_stronger_later():
    """A wave for most of the series in a field steady to 1 %, none in the rest, where |B| is three times as strong."""
    scene = Scene(18, duration=6000.0, variation=0.0)
    early = (scene.time < 4200.0)[:, None]
    scene.field = scene.field * np.where(early, 1.0 + 0.01 * np.sin(scene.time / 300.0)[:, None], 3.0)
    wave = scene.wave(cyclotron_packet, "H+", 1.0) * early
    windows = scene.windows(wave, ["H+"])
    inside = windows.time.values < START + np.timedelta64(4000, "s")
    reasons = windows["rejection"].values[inside, 0]
    assert (reasons[(reasons & int(Rejection.INSUFFICIENT_DATA)) == 0] == 0).mean() > 0.9


@pytest.mark.parametrize("follow", [True, False])
def test_frequency_must_follow_the_field(follow):
    scene = Scene(19, duration=3000.0, variation=0.12)
    windows = scene.windows(scene.wave(cyclotron_packet, "H+", 1.5, follow_field=follow), ["H+"], NO_MASK)
    if follow:
        assert (measured(windows, "H+") == 0).all()
    else:
        assert not windows.detected.any()
        assert share(measured(windows, "H+"), Rejection.DOES_NOT_TRACK_FIELD) > 0.5


def test_tracking_rule():
    criteria = CriteriaSettings()
    fc = np.linspace(0.3, 0.4, 6)
    assert tracks_field(1.02 * fc, fc, criteria)
    assert not tracks_field(np.full(6, 0.35) + np.array([0, 1e-3, 0, -1e-3, 0, 0]), fc, criteria)
    assert not tracks_field(fc[::-1], fc, criteria)
    assert tracks_field(np.full(6, 0.35), np.linspace(0.34, 0.36, 6), criteria)  # too steady to tell


# ---------------------------------------------------------------------- windows to events


def table(rejection, stretch=None, fc=None, peak=None, species="H+", length=100.0):
    """Windows of one ion with given reasons, on a grid of 50 s."""
    n = len(rejection)
    time = START + np.arange(n) * np.timedelta64(50, "s")
    edges = START + (np.arange(n + 1) * 50 - 25) * np.timedelta64(1, "s")
    fc = np.full(n, 0.38) if fc is None else np.asarray(fc, dtype=float)
    peak = fc if peak is None else np.asarray(peak, dtype=float)
    by_species = {
        "rejection": np.asarray(rejection, dtype=np.int32), "gyrofrequency": fc, "peak_frequency": peak,
        "ellipticity": np.full(n, -0.9), "window_length": np.full(n, length),
        "band_lower": 0.8 * fc, "band_upper": 1.1 * fc, "signal_to_noise": np.arange(n) + 1.0,
    }  # fmt: skip
    rest = ("polarization_degree", "polarization_degree_3d", "wave_normal_angle", "planarity", "power_parallel",
            "power_perpendicular", "background")  # fmt: skip
    data = xr.Dataset(
        {
            name: (("time", "species"), values[:, None])
            for name, values in {**by_species, **dict.fromkeys(rest, np.ones(n))}.items()
        },
        coords={"time": time, "species": [species]},
    )
    data["time_bounds"] = (("time", "bound"), np.stack([edges[:-1], edges[1:]], axis=1))
    data["magnetic_field_strength"] = ("time", np.full(n, 25.0))
    data["stretch"] = ("time", np.zeros(n, dtype=int) if stretch is None else np.asarray(stretch))
    data["detected"] = data["rejection"] == 0
    return data


def test_neighbours_merge_and_single_windows_are_taken_back():
    windows = reject_lonely_windows(table([0, 8, 0, 0, 0, 16, 0, 0]), DetectionSettings())
    assert windows.rejection.values[:, 0].tolist() == [int(Rejection.SINGLE_WINDOW), 8, 0, 0, 0, 16, 0, 0]
    events = find_events(windows)
    assert events.window_count.values.tolist() == [3, 2]
    assert events.first_window.values.tolist() == [2, 6]
    assert events.start.values[0] == START + np.timedelta64(75, "s")
    assert events.end.values[0] == START + np.timedelta64(225, "s")
    assert events.time.values[0] == START + np.timedelta64(150, "s")
    assert events.signal_to_noise.values.tolist() == [4.0, 7.5]


def test_long_gaps_split_events():
    windows = reject_lonely_windows(table([0, 0, 0, 0, 0], stretch=[0, 0, 1, 1, 1]), DetectionSettings())
    assert find_events(windows).window_count.values.tolist() == [2, 3]
    alone = reject_lonely_windows(table([0, 0], stretch=[0, 1]), DetectionSettings())
    assert (alone.rejection.values == int(Rejection.SINGLE_WINDOW)).all()


def test_consecutive_is_a_setting():
    settings = DetectionSettings.make({"criteria": {"consecutive": 4}})
    assert find_events(reject_lonely_windows(table([0, 0, 0, 8, 0, 0, 0, 0]), settings)).window_count.values.tolist() == [4]
    settings = DetectionSettings.make({"criteria": {"consecutive": 1}})
    assert find_events(reject_lonely_windows(table([8, 0, 8]), settings)).window_count.values.tolist() == [1]


def test_input_is_not_changed():
    windows = table([0, 8, 8])
    before = windows.copy(deep=True)
    reject_lonely_windows(windows, DetectionSettings())
    xr.testing.assert_identical(windows, before)


def test_no_events_is_an_empty_table():
    events = add_ambiguities(find_events(table([8, 8])), ("H+", "D+"))
    assert events.sizes["event"] == 0
    assert {"species", "ambiguous_with", "peak_frequency"} <= set(events.data_vars)


@pytest.mark.parametrize(
    ("species", "mass", "named", "not_named"),
    [("H2+", 2.016, "D+", "H+"), ("O2+", 31.998, "S+", "Na+"), ("H+", 1.008, "", "H2+"), ("Cl-", 35.45, "", "Cl+")],
)
def test_ambiguity_names_ions_of_the_same_band(species, mass, named, not_named):
    fc = constants.elementary_charge * 25e-9 / (mass * constants.atomic_mass) / (2.0 * np.pi)
    events = find_events(table([0, 0], fc=[fc, fc], species=species))
    words = str(add_ambiguities(events, ("H+", "D+", "H2+", "He+", "O2+", "S+", "Na+", "Cl+")).ambiguous_with.values[0])
    assert (named in words.split(", ")) or (not named and words == "")
    assert not_named not in words.split(", ")


def test_real_gap_splits_an_event():
    scene = Scene(20, duration=2500.0)
    total = scene.field + scene.noise + scene.wave(cyclotron_packet, "H+", 1.5)
    total[11000:14000] = np.nan
    events = find_events(analysed(scene.time, total, ["H+"]))
    assert events.sizes["event"] == 2
    assert events.end.values[0] < START + np.timedelta64(1200, "s")
    assert events.start.values[1] > START + np.timedelta64(1300, "s")


def test_consecutive_windows_are_not_the_same_samples():
    """Windows of 800 s on a grid of 50 s: the next half-overlapping window is eight cells on."""
    short = reject_lonely_windows(table([0] * 8 + [8] * 4, length=800.0), DetectionSettings())
    assert (short.rejection.values[:8] == int(Rejection.SINGLE_WINDOW)).all()
    long = reject_lonely_windows(table([0] * 9 + [8] * 3, length=800.0), DetectionSettings())
    assert (long.rejection.values[:9] == 0).all()
