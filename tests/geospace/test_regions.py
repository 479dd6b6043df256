from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from siderion.core.bodies import get_body
from siderion.core.errors import CoverageError, DataError, SettingsError
from siderion.core.tables import load_table
from siderion.geospace.boundaries import get_boundary
from siderion.geospace.regions import REGIONS, region_mask, sun_frame

START = np.datetime64("2011-03-24T06:00:00", "ns")
MERCURY = get_body("Mercury").require_value("radius") / 1e3


def times(count: int, step: int = 60) -> np.ndarray:
    return START + np.arange(count) * np.timedelta64(step, "s")


def crossings(*rows: tuple[int, int, str]) -> xr.Dataset:
    second = np.timedelta64(1, "s")
    return xr.Dataset(
        {
            "start": ("interval", np.array([START + row[0] * second for row in rows])),
            "end": ("interval", np.array([START + row[1] * second for row in rows])),
            "region": ("interval", np.array([row[2] for row in rows])),
        },
        attrs={"source": "list.csv"},
    )


def words(dataset: xr.Dataset) -> list[str]:
    return [REGIONS[value] for value in dataset["region"].values]


def test_along_the_sun_line_of_mercury() -> None:
    """Nose of the models at 1.45 and 1.902 radii from the dipole (hand), axis 0.196 radii north of the centre."""
    x = np.array([3.0, 1.95, 1.85, 1.5, 1.4, 1.1, -3.0])
    place = np.stack([x, np.zeros(7), np.full(7, 0.196)], axis=-1) * MERCURY
    mask = region_mask(times(7), place, body="Mercury", frame="MSO", aberration=0.0)
    assert words(mask) == ["solar_wind"] * 2 + ["magnetosheath"] * 2 + ["magnetosphere"] * 3
    assert mask["region"].attrs["flag_meanings"] == "unknown solar_wind foreshock magnetosheath magnetosphere"
    assert mask["region"].attrs["flag_values"].tolist() == [0, 1, 2, 3, 4]
    assert mask.attrs["region_source"] == "boundary models: bow shock winslow2013; magnetopause winslow2013"
    assert mask.attrs["foreshock_source"].startswith("not evaluated")
    assert "connection_distance" not in mask


def test_dipole_frame_takes_the_offset_out() -> None:
    place = np.array([[1.44, 0.0, 0.0], [1.46, 0.0, 0.0]]) * MERCURY
    mask = region_mask(times(2), place, body="mercury", frame="MSM", aberration=0.0)
    assert words(mask) == ["magnetosphere", "magnetosheath"]


def test_foreshock_by_the_field_line() -> None:
    """Upstream of the nose of Mars: a radial field meets the shock at the nose distance, one along y at x = 3 R does not."""
    radius = get_body("Mars").require_value("radius") / 1e3
    place = np.tile([3.0 * radius, 0.0, 0.0], (4, 1))
    field = np.array([[3.0, 0.0, 0.0], [-3.0, 0.0, 0.0], [0.0, 3.0, 0.0], [np.nan, 0.0, 0.0]])
    mask = region_mask(times(4), place, field, body="Mars", frame="MSO", aberration=0.0)
    assert words(mask) == ["foreshock", "foreshock", "solar_wind", "unknown"]
    nose = 0.64 + 2.04 / 2.03
    np.testing.assert_allclose(
        mask["connection_distance"].values[:2], [-(3.0 - nose) * radius, (3.0 - nose) * radius], rtol=1e-12
    )
    assert np.isnan(mask["connection_distance"].values[2:]).all()
    assert mask.attrs["foreshock_source"] == "straight field line to the model of the bow shock vignes2000"
    off = region_mask(times(4), place, field, body="Mars", frame="MSO", aberration=0.0, foreshock=False)
    assert words(off) == ["solar_wind"] * 4


def test_field_does_not_matter_inside_the_shock() -> None:
    radius = get_body("Venus").require_value("radius") / 1e3
    place = np.array([[1.3, 0.0, 0.0], [1.05, 0.0, 0.0]]) * radius
    field = np.array([[np.nan] * 3, [10.0, 0.0, 0.0]])
    mask = region_mask(times(2), place, field, body="Venus", frame="VSO", aberration=0.0)
    assert words(mask) == ["magnetosheath", "magnetosphere"]


def test_parker_field_far_upstream_needs_the_tail_limit() -> None:
    """A field line that meets the flank 20 radii down the tail is foreshock without the limit, solar wind with it."""
    radius = get_body("Mars").require_value("radius") / 1e3
    place, field = np.array([[5.0, 12.0, 0.0]]) * radius, np.array([[-1.0, -0.25, 0.0]])
    options = {"body": "Mars", "frame": "MSO", "aberration": 0.0}
    free = region_mask(times(1), place, field, **options)
    assert words(free) == ["foreshock"]
    x = 5.0 - abs(float(free["connection_distance"].values[0])) / radius / np.hypot(1.0, 0.25)
    assert x < -10.0
    assert words(region_mask(times(1), place, field, tail_limit=-10.0, **options)) == ["solar_wind"]


def test_aberration_from_speeds_and_by_hand() -> None:
    """Earth, 400 km/s and 29.8 km/s: 4.26 degrees; the nose lies at -y in GSE."""
    radius = get_body("Earth").require_value("radius") / 1e3
    angle = np.radians(4.26)
    nose = get_boundary("Earth", "bow_shock").nose_distance / 1e3
    on_axis = np.array([np.cos(angle), -np.sin(angle), 0.0]) * nose
    place = np.stack([0.999 * on_axis, 1.001 * on_axis, [13.9 * radius, 0.05 * radius, 0.0]])
    for options in ({}, {"flow_speed": 400.0}, {"aberration": 4.26}):
        mask = region_mask(times(3), place, body="Earth", frame="GSE", **options)
        assert mask.attrs["aberration_degrees"] == pytest.approx(4.26, abs=0.01)
        assert words(mask)[:2] == ["magnetosheath", "solar_wind"]
    slow = region_mask(times(3), place, body="Earth", frame="GSE", flow_speed=200.0)
    assert slow.attrs["aberration_degrees"] == pytest.approx(8.47, abs=0.02)
    turned = region_mask(times(1), np.array([[nose * 1.001, 0.0, 0.0]]), body="Earth", frame="AGSE", flow_speed=200.0)
    assert turned.attrs["aberration_degrees"] == 0.0
    assert words(turned) == ["solar_wind"]


def test_field_is_aberrated_with_the_position() -> None:
    """A line along the wind in the frame of the planet, (-v, u, 0), is parallel to the axis: tested beside the nose."""
    radius = get_body("Earth").require_value("radius") / 1e3
    angle = np.radians(30.0)
    axis, side = np.array([np.cos(angle), -np.sin(angle), 0.0]), np.array([np.sin(angle), np.cos(angle), 0.0])
    place = (30.0 * axis + 5.0 * side) * radius
    mask = region_mask(times(1), place[np.newaxis], 5.0 * axis[np.newaxis], body="Earth", frame="GSE", aberration=30.0)
    # On the conic at distance y from the axis: x = X0 + (e L - sqrt(L^2 + (e^2 - 1) y^2)) / (e^2 - 1).
    x = 3.0 + (1.15 * 23.5 - np.sqrt(23.5**2 + (1.15**2 - 1.0) * 25.0)) / (1.15**2 - 1.0)
    assert mask["connection_distance"].values[0] == pytest.approx(-(30.0 - x) * radius, rel=1e-9)


def test_missing_position_is_unknown() -> None:
    place = np.array([[np.nan, 0.0, 0.0], [20000.0, 0.0, 0.0]])
    assert words(region_mask(times(2), place, body="Mercury", frame="MSO", aberration=0.0)) == ["unknown", "solar_wind"]


# --- crossing lists ---


def test_regions_from_a_list() -> None:
    listed = crossings((60, 120, "solar_wind"), (120, 180, "magnetosheath"), (240, 300, "magnetosphere"))
    mask = region_mask(times(6), body="Mercury", crossings=listed)
    assert words(mask) == ["unknown", "solar_wind", "magnetosheath", "unknown", "magnetosphere", "unknown"]
    assert mask.attrs["region_source"] == "list of crossings list.csv"
    assert mask.attrs["foreshock_source"].startswith("not evaluated")


def test_times_need_no_order_and_not_a_time_is_unknown() -> None:
    listed = crossings((60, 120, "solar_wind"))
    mixed = np.array([START + np.timedelta64(70, "s"), np.datetime64("NaT"), START, START + np.timedelta64(60, "s")])
    assert words(region_mask(mixed, body="Ganymede", crossings=listed)) == ["solar_wind", "unknown", "unknown", "solar_wind"]


def test_a_list_is_mixed_with_a_model_only_when_asked() -> None:
    """The list says solar wind deep inside of the model: the list stands."""
    listed = crossings((0, 120, "solar_wind"), (120, 240, "magnetosheath"))
    place, field = np.tile([1.2 * MERCURY, 0.0, 0.0], (4, 1)), np.tile([1.0, 0.0, 0.0], (4, 1))
    plain = region_mask(times(4), place, field, body="Mercury", frame="MSO", crossings=listed)
    assert words(plain) == ["solar_wind"] * 2 + ["magnetosheath"] * 2
    far = place * 3.0
    both = region_mask(times(4), far, field, body="Mercury", frame="MSO", crossings=listed, foreshock=True, aberration=0.0)
    assert words(both) == ["foreshock"] * 2 + ["magnetosheath"] * 2
    assert both.attrs["region_source"] == "list of crossings list.csv"
    assert both.attrs["foreshock_source"] == "straight field line to the model of the bow shock winslow2013"
    with pytest.raises(SettingsError, match="boundary model 'winslow2013' given beside a list of crossings"):
        region_mask(times(4), place, body="Mercury", frame="MSO", crossings=listed, inner_model="winslow2013")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (((0, 60, "plasmasphere"),), "interval 0 has region 'plasmasphere'; use one of unknown, solar_wind"),
        (((0, 60, "solar_wind"), (30, 90, "magnetosheath")), "interval 0, .* ends before it starts or overlaps the next"),
        (((60, 0, "solar_wind"),), "interval 0, .* ends before it starts"),
    ],
)
def test_broken_lists(rows: tuple, message: str) -> None:
    with pytest.raises(DataError, match=message):
        region_mask(times(2), body="Mercury", crossings=crossings(*rows))


def test_list_without_regions() -> None:
    with pytest.raises(DataError, match="variables region are missing"):
        region_mask(times(2), body="Mercury", crossings=crossings((0, 60, "solar_wind")).drop_vars("region"))


# --- refusals ---


@pytest.mark.parametrize(
    ("body", "frame", "accepted"),
    [
        ("Mercury", "IAU_MERCURY", "MSO, MSM, AMSO, AMSM"),
        ("Mars", "VSO", "MSO, AMSO"),
        ("Venus", "", "VSO, AVSO"),
        ("Mars", "MSM", "MSO"),
    ],
)
def test_other_frames_are_refused(body: str, frame: str, accepted: str) -> None:
    message = f"frame '{frame}' of the positions is no Sun-oriented frame of {body}; accepted: {accepted}.*transform"
    with pytest.raises(SettingsError, match=message):
        region_mask(times(1), [[3e4, 0.0, 0.0]], body=body, frame=frame)


def test_frames_of_the_table() -> None:
    frames = load_table("core", "body_frames")
    assert frames["frame"].str.lower().is_unique
    for _, row in frames[frames["kind"] == "sun"].iterrows():
        for body in row["bodies"].split(";"):
            assert sun_frame(row["frame"].lower(), get_body(body.strip()).name).name == row["frame"]
    with pytest.raises(SettingsError, match="none in the table"):
        sun_frame("EPhiO", "Europa")


def test_gsm_needs_no_aberration() -> None:
    place = [[1e5, 0.0, 0.0]]
    with pytest.raises(SettingsError, match=r"aberration in GSM is not a turn about z; transform .* GSE"):
        region_mask(times(1), place, body="Earth", frame="GSM")
    assert words(region_mask(times(1), place, body="Earth", frame="GSM", aberration=0.0)) == ["solar_wind"]


def test_bodies_without_models() -> None:
    with pytest.raises(CoverageError, match=r"no bow_shock model for body '67P'; .*--regions"):
        region_mask(times(1), [[100.0, 0.0, 0.0]], body="67P", frame="CSO")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"position": np.zeros((2, 3))},
            DataError,
            "position at 2011-03-24T06:00:00.* is 0 km from the centre of Mercury.*units",
        ),
        ({"position": np.full((2, 3), 1.2)}, DataError, "is 2.07846 km .* inside the body .radius 2440 km.*check their units"),
        ({"position": np.full((3, 3), 9e3)}, DataError, r"position has shape \(3, 3\); needed: \(2, 3\)"),
        ({"position": np.full((2, 3), 9e3), "field": np.ones(3)}, DataError, r"field has shape \(3,\); needed"),
        ({"position": None}, SettingsError, "need the position; give it, or a list of crossings .option --regions"),
        ({"position": np.full((2, 3), 9e3), "foreshock": True}, SettingsError, "the foreshock needs position and field"),
        ({"position": np.full((2, 3), 9e3), "aberration": 95.0}, SettingsError, "aberration is 95.0 degrees"),
        ({"position": np.full((2, 3), 9e3), "flow_speed": 0.0}, SettingsError, "the flow positive"),
    ],
)
def test_bad_input(options: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        region_mask(times(2), body="Mercury", frame="MSO", **options)


def test_nothing_gives_nothing() -> None:
    mask = region_mask(times(0), np.empty((0, 3)), np.empty((0, 3)), body="Mars", frame="MSO")
    assert mask["region"].shape == (0,)
    assert mask["region"].dtype == np.int8
