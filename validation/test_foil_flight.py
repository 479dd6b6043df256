"""Foil time of flight: the fitted loss against the runs behind it, the analytic peak against the Monte Carlo."""

from __future__ import annotations

import numpy as np
from recording import check_recorded

from siderion.core.tables import load_table
from siderion.spectrometer.flight_time import flight_components, loss_free_time
from siderion.spectrometer.foil import retained_fraction
from siderion.spectrometer.foil_montecarlo import draw_flight_times
from siderion.spectrometer.instruments import make_setup
from siderion.spectrometer.peaks import KINDS, SCALINGS, default_shape, peak_matrix


def run(size: str) -> dict[str, float]:
    """Norms of the foil, the times and the peaks; fewer ions in the reduced size."""
    number = 100_000 if size == "full" else 20_000
    norms: dict[str, float] = {}
    table = load_table("spectrometer", "foil_retained_trim")
    for atom in ("H", "O", "Ar"):
        rows = table[table["atom"] == atom]
        energy, behind = rows["energy_ev"].to_numpy(float), rows["exit_energy_ev"].to_numpy(float)
        norms[f"{atom}, energy behind the foil against TRIM"] = float(
            np.abs(retained_fraction(atom, energy) * energy / behind - 1.0).max()
        )
    setup = make_setup("codif", 16e3, 100.0)
    norms["CODIF at 16 kV, O+ without loss, ns"] = 1e9 * loss_free_time("O+", setup)
    for model in ("fit", "stopping"):
        state = make_setup("codif", 16e3, 100.0, foil_model=model)
        atom, molecule = (flight_components(name, state)[0].time for name in ("O+", "O2+"))
        norms[f"CODIF at 16 kV, O+, {model}, ns"] = 1e9 * atom
        norms[f"CODIF at 16 kV, O2+ over O+, {model}"] = molecule / atom
    for name in ("N+", "O+", "O2+", "NO+"):
        times = draw_flight_times(name, setup, number, 1)
        parts = flight_components(name, setup)
        norms[f"{name}, mean time, components over Monte Carlo"] = sum(p.weight * p.time for p in parts) / float(times.mean())
        edges = np.concatenate([[0.0], np.quantile(times, np.arange(0.01, 1.0, 0.01))])
        for kind in KINDS:
            for scaling in SCALINGS:
                reached = np.cumsum(peak_matrix([name], edges, setup, default_shape(setup, kind, scaling))[0])
                distance = float(np.abs(reached - np.arange(0.01, 1.0, 0.01)).max())
                norms[f"{name}, largest distance of the distributions, {kind}, {scaling}"] = distance
    return norms


def test_foil_flight() -> None:
    """The fits follow the runs, the molecule is at 1.47 times the atom, the analytic peaks follow the Monte Carlo."""
    norms = check_recorded("foil_flight", run)
    for atom, most in (("H", 0.001), ("O", 0.003), ("Ar", 0.005)):
        assert norms[f"{atom}, energy behind the foil against TRIM"] < most
    assert abs(norms["CODIF at 16 kV, O2+ over O+, fit"] - 1.47) < 0.01
    for name in ("N+", "O+", "O2+", "NO+"):
        assert abs(norms[f"{name}, mean time, components over Monte Carlo"] - 1.0) < 0.015
        assert norms[f"{name}, largest distance of the distributions, power, straggling"] < 0.12
