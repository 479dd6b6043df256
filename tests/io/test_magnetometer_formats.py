"""Reading of each format from labels and skeletons with the field names of the archive products.

The numbers of the rows are made here, so what comes out is compared with what was written, rounded as written.
"""

import json
from pathlib import Path
from shutil import copy

import numpy as np
import pytest
from cdflib.cdfwrite import CDF
from cdflib.epochs import CDFepoch

from siderion.core.errors import DataError, UnitsError
from siderion.io.magnetometer import example_names, read_example, read_magnetometer
from siderion.io.magnetometer.cdf import times_from_tt2000

LABELS = Path(__file__).parent / "labels"
B = np.array([[1.125, -2.25, 3.5], [4.0, 5.5, -6.75], [-7.125, 8.0, 9.25]])
P = np.array([[1000.5, -2000.25, 3000.0], [1001.5, -2001.25, 3001.0], [1002.5, -2002.25, 3002.0]])


def messenger(folder, rows=3, spoil=lambda line, row: line):
    copy(LABELS / "MAGMSOSCIAVG12001_01_V08.LBL", folder)
    with (folder / "MAGMSOSCIAVG12001_01_V08.TAB").open("w", newline="") as stream:
        for i in range(rows):
            numbers = " ".join(f"{x:11.3f}" for x in [*P[i], *B[i], 0.1, 0.1, 0.1])
            stream.write(spoil(f"2012 366 23 59 {i * 0.5:06.3f} {233000000.0:13.3f} {20:4d} {numbers}\r\n", i))
    return folder / "MAGMSOSCIAVG12001_01_V08.TAB"


def test_messenger_from_table_and_from_label(tmp_path):
    table = messenger(tmp_path)
    dataset = read_magnetometer(table)
    assert dataset.identical(read_magnetometer([table.with_suffix(".LBL"), table]))
    np.testing.assert_array_equal(dataset.magnetic_field, B)
    np.testing.assert_array_equal(dataset.position, P)
    assert dataset.time.values[1] == np.datetime64("2012-12-31T23:59:00.500")
    assert (dataset.frame, dataset.position_frame, dataset.body) == ("MSO", "MSO", "Mercury")
    assert dataset.format_status == "tested on archive field names"


def test_pdr_agrees_with_our_reader(tmp_path):
    pdr = pytest.importorskip("pdr")
    table = messenger(tmp_path)
    reference = pdr.read(str(table.with_suffix(".LBL"))).TABLE
    dataset = read_magnetometer(table)
    np.testing.assert_array_equal(dataset.magnetic_field, reference[["BX_MSO", "BY_MSO", "BZ_MSO"]])
    np.testing.assert_array_equal(dataset.position, reference[["X_MSO", "Y_MSO", "Z_MSO"]])


def test_constant_of_the_label_is_a_gap(tmp_path):
    table = messenger(tmp_path, spoil=lambda line, row: line.replace(f"{5.5:11.3f}", f"{-777.777:11.3f}"))
    dataset = read_magnetometer(table)
    assert np.isnan(dataset.magnetic_field.values[1, 1])
    assert np.isfinite(dataset.magnetic_field.values).sum() == 8
    assert json.loads(dataset.repairs)["fill_values"] == 1


def test_rows_shorter_than_the_label_are_refused(tmp_path):
    table = messenger(tmp_path, spoil=lambda line, row: line[:60] + "\r\n")
    with pytest.raises(DataError, match="cut short"):
        read_magnetometer(table)


def test_a_word_among_the_numbers_is_named(tmp_path):
    table = messenger(tmp_path, spoil=lambda line, row: line.replace("5.500", "5.x00"))
    with pytest.raises(DataError, match=r"row 1: BY_MSO is '5\.x00'"):
        read_magnetometer(table)


def test_label_without_its_table(tmp_path):
    label = messenger(tmp_path).with_suffix(".LBL")
    label.with_suffix(".TAB").unlink()
    with pytest.raises(DataError, match="not beside the label"):
        read_magnetometer(label)


def test_mars_global_surveyor_with_format_file(tmp_path):
    copy(LABELS / "MGS_MAG.LBL", tmp_path)
    (tmp_path / "LABEL").mkdir()
    copy(LABELS / "mag_data.fmt", tmp_path / "LABEL")
    (tmp_path / "DATA").mkdir()
    copy(LABELS / "MGS_MAG.LBL", tmp_path / "DATA")
    rows = [f"  1998   5  1  2  {i} {i * 7:3d}" for i in range(3)]
    lines = [f"{rows[i]:24s}{5.043:13.9f}" for i in range(3)]
    lines = [f"{line:40s}" + "  ".join(f"{x:8.3f}" for x in B[i]) for i, line in enumerate(lines)]
    lines = [f"{line:69s}{1.0:4.0f} " + " ".join(f"{x:10.2f}" for x in P[i]) for i, line in enumerate(lines)]
    (tmp_path / "DATA" / "mgs_mag.tab").write_text("\n".join(lines))
    dataset = read_magnetometer(tmp_path / "DATA" / "MGS_MAG.LBL")
    np.testing.assert_array_equal(dataset.magnetic_field, B)
    np.testing.assert_array_equal(dataset.position, P)
    assert dataset.time.values[2] == np.datetime64("1998-01-05T01:02:02.014")
    assert (dataset.frame, dataset.body) == ("Sun-State", "Mars")


def test_venus_express_with_label_in_the_file(tmp_path):
    columns = "".join(
        f'OBJECT=COLUMN\nNAME="{name}"\nDATA_TYPE={kind}\nSTART_BYTE={start}\nBYTES={width}\nUNIT="{unit}"\nEND_OBJECT=COLUMN\n'
        for name, kind, start, width, unit in [
            ("TIME", "TIME", 1, 23, "N/A"), *[(f"B{c}", "ASCII_REAL", 25 + 11 * i, 10, "nT") for i, c in enumerate("XYZ")],
            *[(f"{c}SC", "ASCII_REAL", 58 + 11 * i, 10, "km") for i, c in enumerate("XYZ")],
        ]
    )  # fmt: skip
    start = 'PDS_VERSION_ID = PDS3\nRECORD_TYPE=STREAM\nTARGET_NAME=VENUS\nOBJECT=TABLE\nNOTE="90° latitude"\n'
    head = f"{start}{columns}END_OBJECT=TABLE\n"
    label = f"{head}^TABLE = {head.count(chr(10)) + 3}\nEND\n"
    field = np.where(B == 4.0, 99999.999, B)
    rows = [f"2006-05-14T00:00:0{i}.250 " + " ".join(f"{x:10.3f}" for x in [*field[i], *P[i]]) for i in range(3)]
    path = tmp_path / "MAG_20060514_DOY134_S004_V1.TAB"
    path.write_bytes((label + "\n".join(rows) + "\n").encode("latin-1"))
    dataset = read_magnetometer(path)
    assert (dataset.frame, dataset.body, dataset.format_status) == ("VSO", "Venus", "untested on archive files")
    np.testing.assert_array_equal(dataset.magnetic_field, np.where(B == 4.0, np.nan, B))
    assert dataset.time.values[2] == np.datetime64("2006-05-14T00:00:02.250")


def test_cassini_pds4(tmp_path):
    copy(LABELS / "2017_FGM_KRTP_1M.xml", tmp_path)
    rows = [
        f"2017-01-01T00:0{i}:31 " + " ".join(f"{x:10.3f}" for x in [*vector, 99.0]) + "   10.000  10.00  20.00 3.00 60\r\n"
        for i, vector in enumerate(np.where(B == 8.0, 44001.0, B))
    ]
    (tmp_path / "2017_FGM_KRTP_1M.TAB").write_bytes("".join(rows).encode())
    dataset = read_magnetometer(tmp_path / "2017_FGM_KRTP_1M.TAB")
    assert dataset.identical(read_magnetometer(tmp_path / "2017_FGM_KRTP_1M.xml"))
    np.testing.assert_array_equal(dataset.magnetic_field, np.where(B == 8.0, np.nan, B))  # beyond valid_maximum
    assert (dataset.frame, dataset.body) == ("KRTP", "")
    assert "theta" in dataset.notes
    assert "position" not in dataset


@pytest.mark.parametrize(("code", "frame"), [("ss1s", "MSO"), ("pc", "IAU_MARS"), ("pl", "MAVEN_SPACECRAFT")])
def test_maven_standard_time_series(tmp_path, code, frame):
    rows = [
        f"  2016  76  8  9 1{i} 250 {76.34:13.9f} " + " ".join(f"{x:9.3f}" for x in B[i]) + "  1. "
        + " ".join(f"{x:14.3f}" for x in P[i]) + "  0.100  0.100  0.100   1."
        for i in range(3)
    ]  # fmt: skip
    path = tmp_path / f"mvn_mag_l2_2016076{code}_20160316_v01_r01.sts"
    path.write_text((LABELS / "maven_header.txt").read_text() + "\n".join(rows) + "\n")
    dataset = read_magnetometer(path)
    np.testing.assert_array_equal(dataset.magnetic_field, B)
    np.testing.assert_array_equal(dataset.position, P)
    assert dataset.time.values[2] == np.datetime64("2016-03-16T08:09:12.250")
    assert (dataset.frame, dataset.body) == (frame, "Mars")


def write_cdf(path, variables):
    """Variables: name -> (type, values, attributes)."""
    file = CDF(path, cdf_spec={"Compressed": 0})
    for name, (kind, values, attributes) in variables.items():
        values = np.asarray(values)
        spec = {"Variable": name, "Data_Type": kind, "Num_Elements": 1, "Rec_Vary": True, "Dim_Sizes": list(values.shape[1:])}
        file.write_var(spec, var_attrs=attributes, var_data=values)
    file.close()
    return Path(path)


TT2000 = [int(np.ravel(CDFepoch.compute_tt2000([[2016, 10, 16, 13, 5, s, 0, 0, 0]]))[0]) for s in (1, 2, 3)]


def test_mms_needs_a_choice_and_takes_the_frame(tmp_path):
    four = np.column_stack([B, np.linalg.norm(B, axis=1)]).astype(np.float32)
    attributes = {"UNITS": "nT", "DEPEND_0": "Epoch", "FILLVAL": -1e31}
    state = [TT2000[0] - 10**9, TT2000[2] + 10**9]
    path = write_cdf(
        str(tmp_path / "mms1_fgm_srvy_l2.cdf"),
        {
            "Epoch": (33, TT2000, {"UNITS": "ns"}),
            "Epoch_state": (33, state, {"UNITS": "ns"}),
            "mms1_fgm_b_gse_srvy_l2": (44, four, {**attributes, "COORDINATE_SYSTEM": "GSE"}),
            "mms1_fgm_b_gsm_srvy_l2": (44, -four, {**attributes, "COORDINATE_SYSTEM": "GSM"}),
            "mms1_fgm_r_gse_srvy_l2": (45, [[0.0] * 4, [400.0] * 4], {"UNITS": "km", "DEPEND_0": "Epoch_state"}),
        },
    )
    with pytest.raises(DataError, match=r"several variables.*mms1_fgm_b_gse_srvy_l2 \(GSE\), mms1_fgm_b_gsm"):
        read_magnetometer(path)
    dataset = read_magnetometer(path, frame="GSE")
    np.testing.assert_array_equal(dataset.magnetic_field, B)
    assert (dataset.frame, dataset.body) == ("GSE", "Earth")
    assert dataset.time.values[2] == np.datetime64("2016-10-16T13:05:03")
    # The position goes from 0 to 400 km in the 4 s around the three samples.
    np.testing.assert_allclose(dataset.position[:, 0], [100.0, 200.0, 300.0], rtol=1e-12)
    assert "interpolated" in dataset.notes
    np.testing.assert_array_equal(
        read_magnetometer(path, columns={"magnetic_field": "mms1_fgm_b_gsm_srvy_l2"}).magnetic_field, -dataset.magnetic_field
    )


def test_leap_seconds_against_cdflib():
    ordinary = np.array(
        [int(np.ravel(CDFepoch.compute_tt2000([[year, 7, 1, 0, 0, 1, 2, 3, 4]]))[0]) for year in range(1975, 2026)]
    )
    expected = np.array([f"{year}-07-01T00:00:01.002003004" for year in range(1975, 2026)], dtype="datetime64[ns]")
    np.testing.assert_array_equal(times_from_tt2000(ordinary), expected)
    # There is no 23:59:60 in datetime64: it becomes the next second.
    leap = int(np.ravel(CDFepoch.compute_tt2000([[2016, 12, 31, 23, 59, 60, 0, 0, 0]]))[0])
    assert times_from_tt2000(np.array([leap]))[0] == np.datetime64("2017-01-01T00:00:00")


def test_themis_seconds_since_1970_and_empty_epoch(tmp_path):
    seconds = np.array([1485216000.0, 1485216000.25, 1485216000.5])
    path = write_cdf(
        str(tmp_path / "tha_l2_fgm.cdf"),
        {
            "tha_fgl_epoch": (31, np.zeros(3), {"UNITS": "ms"}),
            "tha_fgl_time": (45, seconds, {"UNITS": "sec"}),
            "tha_fgl_gse": (44, B.astype(np.float32), {
                "UNITS": "nT", "DEPEND_0": "tha_fgl_epoch", "DEPEND_TIME": "tha_fgl_time", "COORDINATE_SYSTEM": "GSE"}),
        },
    )  # fmt: skip
    dataset = read_magnetometer(path)
    assert dataset.time.values[2] == np.datetime64("2017-01-24T00:00:00.500")
    np.testing.assert_array_equal(dataset.magnetic_field, B)


def test_cluster_epoch_fill_and_valid_range(tmp_path):
    epoch = np.array([CDFepoch.compute_epoch([2005, 3, 26, 6, 0, s, 500]) for s in range(3)], dtype=float).ravel()
    field = np.array([[1.0, 2.0, -1e31], [4.0, 70000.0, 6.0], [7.0, 8.0, 9.0]])
    name = "B_vec_xyz_gse__C1_CP_FGM_SPIN"
    path = write_cdf(
        str(tmp_path / "C1_CP_FGM_SPIN.cdf"),
        {
            "time_tags__C1_CP_FGM_SPIN": (31, epoch, {"UNITS": "ms"}),
            name: (45, field, {"UNITS": "nT", "DEPEND_0": "time_tags__C1_CP_FGM_SPIN", "FILLVAL": -1e31, "VALIDMIN": -65536.0,
                               "VALIDMAX": 65536.0, "FRAME": "vector>gse_xyz"}),
            "sc_pos_xyz_gse__C1_CP_FGM_SPIN": (45, P, {
                "UNITS": "km", "DEPEND_0": "time_tags__C1_CP_FGM_SPIN", "FRAME": "vector>gse_xyz"}),
        },
    )  # fmt: skip
    dataset = read_magnetometer(path)
    assert dataset.time.values[1] == np.datetime64("2005-03-26T06:00:01.500")
    np.testing.assert_array_equal(np.isnan(dataset.magnetic_field), [[0, 0, 1], [0, 1, 0], [0, 0, 0]])
    np.testing.assert_array_equal(dataset.position, P)
    assert json.loads(dataset.repairs)["fill_values"] == 2
    assert dataset.product.startswith("Cluster")


def test_maven_cdf_and_every_truncation_is_one_clear_error(tmp_path):
    path = write_cdf(
        str(tmp_path / "mvn_mag_l2-sunstate-1sec.cdf"),
        {
            "epoch": (33, TT2000, {"UNITS": "ns"}),
            "OB_B": (45, B, {"UNITS": "nT", "DEPEND_0": "epoch"}),
            "POSN": (45, P, {"UNITS": "km", "DEPEND_0": "epoch"}),
        },
    )
    assert (read_magnetometer(path).frame, read_magnetometer(path).body) == ("MSO", "Mars")
    whole = path.read_bytes()
    for size in (2, 60, 400, len(whole) // 2, len(whole) - 700):
        path.write_bytes(whole[:size])
        with pytest.raises(DataError, match="cut short"):
            read_magnetometer(path)


def test_examples_are_read_with_body_and_frame():
    assert example_names() == ["E12", "G1", "G2", "G8", "G28", "PJ34"]
    europa, juno = read_example("E12"), read_example("PJ34")
    np.testing.assert_allclose(europa.magnetic_field[0], [88.43, 51.40, -463.50], rtol=1e-15)
    np.testing.assert_allclose(europa.position[0], np.array([-4.06750, 2.77597, -0.14625]) * 1561, rtol=1e-12)
    assert juno.time.values[0] == np.datetime64("2021-06-07T15:00:00.497")
    assert (europa.frame, juno.frame) == ("EPhiO", "IAU_GANYMEDE")
    # Closest approach of PJ34 was 1046 km above Ganymede (Hansen et al. 2022); samples come each second at 18.6 km/s.
    assert np.linalg.norm(juno.position, axis=1).min() == pytest.approx(2634 + 1046, abs=15)
    assert europa.format_status == "tested on archive files"


def test_flyby_without_body_is_refused_with_the_option(tmp_path):
    row = "1996-06-27T06:07:08.894\t3.0\t4.0\t0.0\t5.0\t-4.0\t0.2\t0.03\n"
    (tmp_path / "g.txt").write_text(row)
    with pytest.raises(UnitsError, match="option `body`"):
        read_magnetometer(tmp_path / "g.txt")
    assert "position" not in read_magnetometer(tmp_path / "g.txt", units={"position": "none"})
    one = read_magnetometer(tmp_path / "g.txt", body="Ganymede")
    np.testing.assert_allclose(one.position.values, [[-4.0 * 2634, 0.2 * 2634, 0.03 * 2634]])
    assert one.frame == "unknown"
