from __future__ import annotations

import json
import re

import numpy as np
import pytest

from siderion.core.errors import DataError
from siderion.report import render_report
from siderion.report.spectrum_figures import deviance_residuals
from siderion.report.spectrum_page import _fits, _goodness, _notes
from siderion.spectrometer.fit import FitSettings, fit_spectra
from siderion.spectrometer.fit.joint import fit_energy_time
from siderion.spectrometer.forward import simulate_spectrum
from siderion.spectrometer.instruments import make_setup

SETUP = make_setup("codif", 16e3)
EDGES = np.linspace(40e-9, 160e-9, 81)
MIXTURE = {"O+": 3000.0, "O2+": 300.0}


def plain(page):
    return " ".join(re.sub(r"<[^>]+>", "", re.sub(r"<style>.*?</style>", "", page, flags=re.S)).split())


def with_record(result, **settings):
    return result.assign_attrs(settings=json.dumps({"misfit_level": 0.01, "time_scale_prior": 0.01, **settings}))


@pytest.fixture(scope="module")
def simulated():
    return simulate_spectrum(MIXTURE, EDGES, SETUP, background=0.5, seed=4)


@pytest.fixture(scope="module")
def single(simulated):
    settings = FitSettings(tail="exponential")
    return with_record(fit_spectra(simulated["counts"].values, EDGES, ["O+", "O2+", "K+", "Fe+"], SETUP, settings))


@pytest.fixture(scope="module")
def batch():
    rows = [simulate_spectrum(MIXTURE, EDGES, SETUP, background=0.5, seed=k)["counts"].values for k in range(8)]
    times = [f"2003-10-29T16:{k:02d}" for k in range(8)]
    settings = FitSettings(tail="exponential")
    return with_record(fit_spectra(np.array(rows), EDGES, ["O+", "O2+"], SETUP, settings, labels=times, share_shape=True))


def test_residuals_are_signed_roots_of_the_deviance():
    found = deviance_residuals(np.array([0.0, 4.0, 9.0]), np.array([2.0, 4.0, 4.0]))
    # n = 0: -sqrt(2 mu); n = mu: 0; else from 2 (n ln(n / mu) - n + mu)
    assert found == pytest.approx([-2.0, 0.0, np.sqrt(2.0 * (9.0 * np.log(2.25) - 5.0))])


def test_page_of_one_spectrum_gives_counts_limits_and_the_fit(single):
    page = render_report(single)
    text = plain(page)
    oxygen = float(single["species_counts_best"].sel(species="O+").item())
    assert re.search(rf"O⁺: {oxygen:.0f} \(", text)
    # nothing of K+ was put in, and Fe+ would arrive after the last bin
    assert re.search(r"K⁺: &lt; [0-9.]+, best ", text)
    assert "Fe⁺: outside of the histogram" in text
    assert "nan" not in text
    assert f"{float(single['significance'].sel(species='O2+').item()):.1f} standard deviations" in text
    assert f"{100 * float(single['peak_width'].item()):.2g} % of the time" in text
    for anchor in ("fit", "counts", "goodness", "sources", "settings"):
        assert f'<section id="{anchor}">' in page
    assert page.count("<img") == 1
    assert not re.search(r'(src|href)="(?!data:|#|https://doi\.org)', page)


def test_page_of_a_batch_has_courses_map_sum_and_worst_fit(batch):
    page = render_report(batch)
    text = plain(page)
    assert "from 8 spectra" in text
    assert "O₂⁺: seen in 8 of 8 spectra" in text
    worst = batch["spectrum"].values[int(batch["goodness_of_fit"].values.argmin())]
    assert f"The worst fit of all: spectrum {worst}." in text
    assert page.count("<img") == 5


def test_fits_without_a_model_say_so(batch):
    assert "The model by species is not kept for 8 spectra." in _fits(batch.drop_vars("model_by_species"))


def test_page_of_energy_and_time_has_the_map():
    energies = np.geomspace(80.0, 500.0, 6)
    weights = {name: np.exp(-0.5 * (np.log(energies / centre) / 0.3) ** 2) for name, centre in (("O+", 140.0), ("O2+", 280.0))}
    rows = []
    for k, energy in enumerate(energies):
        here = {name: MIXTURE[name] * weights[name][k] / weights[name].sum() for name in weights}
        rows.append(simulate_spectrum(here, EDGES, make_setup("codif", 16e3, energy), seed=k)["counts"].values)
    found = with_record(fit_energy_time(np.array(rows), energies, EDGES, ["O+", "O2+"], SETUP, FitSettings(tail="exponential")))
    assert found["energy_time_counts"].values.sum() == np.sum(rows)
    # the fitted species and what was drawn agree, as there is hardly any background
    assert float(found["energy_time_model"].sum()) == pytest.approx(np.sum(rows), rel=0.02)
    page = render_report(found)
    assert '<section id="energy">' in page
    assert page.count("<img") == 3
    assert f"{float(found['joint_counts'].sel(species='O2+').item()):.4g} (" in plain(page)


def test_page_of_a_simulated_spectrum_says_so(simulated):
    text = plain(render_report(simulated))
    assert "Simulated spectrum: this is no measurement." in text
    assert f"{float(simulated['counts'].sum()):.0f} counts drawn from expected O⁺" in text
    assert f"{float(simulated['expected_by_species'].sel(species='O2+').sum()):.4g}" in text


def test_poor_fits_and_shifted_times_are_told(single):
    poor = single.copy(deep=True)
    poor["goodness_of_fit"][:] = 1e-6
    poor["time_scale"][:] = 1.2
    text = plain(_notes(poor) + _goodness(poor))
    assert "the fit is poor: intervals are widened" in text
    mean = 1.2 * (1.0 + float(single["peak_tail"].item()))
    assert f"The mean times are {mean:.4f} times the computed ones" in text
    assert "The mean times are" not in plain(_goodness(with_record(single, time_scale_prior=0.2)))


def test_what_is_missing_is_named_in_one_message(single):
    with pytest.raises(DataError, match="fitted spectra: significance, tof_ns missing"):
        render_report(single.drop_vars(["significance", "tof_ns"]))
