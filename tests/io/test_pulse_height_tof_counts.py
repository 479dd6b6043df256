"""Time-of-flight counts of MMS/HPCA and Kaguya/IMA from files made here."""

import gzip

import cdflib
import cdflib.cdfwrite
import numpy as np
import pytest

from siderion.core.errors import CoverageError, DataError, SettingsError
from siderion.io.pulse_height.hpca_tof import read_hpca_tof
from siderion.io.pulse_height.kaguya_ima import ima_counts, read_kaguya_ima, section_voltage

TIMES = np.array(["2019-01-01T00:00:00", "2019-01-01T00:00:10", "2019-01-01T00:00:20"], dtype="datetime64[ns]")
COUNTS = np.random.default_rng(1).poisson(3.0, (3, 5, 8))


def write_cdf(path, counts, *, bins=None):
    """A file with the names of public scripts."""
    file = cdflib.cdfwrite.CDF(str(path), delete=True)
    common = {"Num_Elements": 1, "Rec_Vary": True}
    first = int(cdflib.cdfepoch.compute_tt2000([2019, 1, 1, 0, 0, 0, 0]))
    epoch = first + np.arange(3) * 10_000_000_000
    file.write_var({"Variable": "Epoch", "Data_Type": 33, "Dim_Sizes": [], **common}, var_attrs={"UNITS": "ns"}, var_data=epoch)
    file.write_var({"Variable": "mms1_hpca_tof_energy", "Data_Type": 45, "Dim_Sizes": [], **common},
                   var_attrs={"UNITS": "eV"}, var_data=np.geomspace(10.0, 4e4, 5))  # fmt: skip
    file.write_var({"Variable": "mms1_hpca_tof_counts", "Data_Type": 45, "Dim_Sizes": list(counts.shape[1:]), **common},
                   var_attrs={"DEPEND_0": "Epoch", "FILLVAL": -1e31, "UNITS": "1"}, var_data=counts.astype(float))  # fmt: skip
    if bins is not None:
        file.write_var({"Variable": "mms1_hpca_tof_bins", "Data_Type": 45, "Dim_Sizes": [], **common},
                       var_attrs={"UNITS": "ns"}, var_data=bins)  # fmt: skip
    file.close()
    return path


@pytest.mark.parametrize("swapped", [False, True])
def test_hpca_counts_with_the_axes_in_either_order(tmp_path, swapped):
    path = write_cdf(tmp_path / "a.cdf", COUNTS.swapaxes(1, 2) if swapped else COUNTS)
    found = read_hpca_tof(path, bin_width=2.0, bin_offset=10.0)
    np.testing.assert_array_equal(found["counts"].values, COUNTS)
    np.testing.assert_array_equal(found["time"].values, TIMES)
    np.testing.assert_allclose(found["tof_ns"].values, 11.0 + 2.0 * np.arange(8))
    np.testing.assert_allclose(found["energy_per_charge"].values, np.geomspace(10.0, 4e4, 5))


def test_hpca_bins_of_the_file_and_without_them(tmp_path):
    bins = np.linspace(20.0, 90.0, 8)
    np.testing.assert_allclose(read_hpca_tof(write_cdf(tmp_path / "a.cdf", COUNTS, bins=bins))["tof_ns"].values, bins)
    with pytest.raises(DataError, match="give bin_width in ns"):
        read_hpca_tof(write_cdf(tmp_path / "b.cdf", COUNTS))
    with pytest.raises(SettingsError, match="bin_width"):
        read_hpca_tof(tmp_path / "b.cdf", bin_width=-1.0)


def test_hpca_fill_values_leave_the_time_out_and_rates_are_refused(tmp_path):
    holes = COUNTS.astype(float)
    holes[1, 2, 3] = -1e31
    found = read_hpca_tof(write_cdf(tmp_path / "a.cdf", holes), bin_width=1.0)
    np.testing.assert_array_equal(found["time"].values, TIMES[[0, 2]])
    assert found.attrs["left_out"] == 1
    with pytest.raises(DataError, match="not whole numbers"):
        read_hpca_tof(write_cdf(tmp_path / "b.cdf", COUNTS + 0.5), bin_width=1.0)
    (tmp_path / "c.cdf").write_bytes(b"no file")
    with pytest.raises(DataError, match=r"c\.cdf: cannot be read as CDF"):
        read_hpca_tof(tmp_path / "c.cdf")


def pbf1(records, mark=0xEE):
    """Bytes of a file: type, date, milliseconds and body of each record."""
    head = bytearray(1024)
    head[1023] = mark
    parts = [bytes(head)]
    for kind, date, milliseconds, body in records:
        header = np.zeros(64, dtype="<u4")
        header[[3, 5, 18, 19]] = kind, 16000, milliseconds, date
        parts += [header.tobytes(), bytes(256), body]
    return b"".join(parts)


def test_ima_records_of_type_40_are_summed_over_angles(tmp_path):
    counts = np.random.default_rng(2).integers(0, 5, (2, 4, 32, 1024)).astype("<u2")
    counts[1, 2, 7, 100] = 65535
    other = bytes(2 * (32 * 4 * 16 + 32 * 4 * 2))
    data = pbf1([(0x40, 20080401, 3_600_000, counts[0].tobytes()), (0x42, 20080401, 3_616_000, other),
                 (0x40, 20080401, 3_632_000, counts[1].tobytes())])  # fmt: skip
    (tmp_path / "PBF1_IMA.DAT.gz").write_bytes(gzip.compress(data))
    found = read_kaguya_ima(tmp_path / "PBF1_IMA.DAT.gz", energies=np.geomspace(5.0, 28e3, 32))
    expected = counts.astype(np.int64)
    expected[1, 2, 7, 100] = 0
    expected[..., 1022:] = 0
    np.testing.assert_array_equal(found["counts"].values, expected.sum(axis=1))
    np.testing.assert_array_equal(found["missing"].values, [0, 1])
    expected_times = np.array(["2008-04-01T01:00:08", "2008-04-01T01:00:40"], dtype="datetime64[ns]")
    np.testing.assert_array_equal(found["time"].values, expected_times)
    np.testing.assert_array_equal(found["section_voltage"].values, [10e3, 10e3])
    assert float(found["tof_ns"][0]) == pytest.approx(0.48828125)  # half of 1000/1024
    for cut, words in ((data[:-10], "cut short"), (data[:1000], "no PBF1 file"),
                       (pbf1([(0x42, 20080401, 0, other)]), "no record of type 40"),
                       (pbf1([(0x99, 20080401, 0, b"")]), "no IMA record")):  # fmt: skip
        (tmp_path / "bad.dat").write_bytes(cut)
        with pytest.raises(DataError, match=words):
            read_kaguya_ima(tmp_path / "bad.dat")


def test_ima_voltage_by_date():
    dates = np.array(["2008-03-23", "2008-03-24", "2008-05-24", "2009-06-02", "2009-06-03"], dtype="datetime64[ns]")
    np.testing.assert_array_equal(section_voltage(dates), [8e3, 10e3, 12e3, 12e3, 15e3])
    with pytest.raises(CoverageError, match="before the launch"):
        section_voltage(np.datetime64("2007-01-01"))


def test_ima_arrays_must_fit():
    with pytest.raises(DataError, match="needed: "):
        ima_counts(TIMES, np.zeros((3, 16, 1024)))
    with pytest.raises(SettingsError, match="give 32 positive numbers"):
        ima_counts(TIMES - np.timedelta64(4000, "D"), np.zeros((3, 32, 1024)), energies=np.zeros(32))
