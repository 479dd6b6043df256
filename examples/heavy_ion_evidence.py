"""From an instrument to evidence: who could see O2+, what CODIF would count, what the counts say, and what few counts prove."""

import numpy as np

from siderion.geospace.conjunctions import find_conjunctions
from siderion.geospace.event_lists import heavy_ion_events
from siderion.spectrometer.catalogue_questions import find_instruments
from siderion.spectrometer.counting.evidence import evaluate_events, table_4_3
from siderion.spectrometer.fit import fit_spectra
from siderion.spectrometer.forward import simulate_spectrum
from siderion.spectrometer.instruments import make_setup

answer = find_instruments("O2+", "O+", energy="30eV:300eV", year=2003)
for name in answer["instrument"].values:
    print(f"{name}: {answer['grade'].sel(instrument=name).item()}")

setup = make_setup("codif", voltage=16e3, energy_per_charge=100.0)
edges = np.arange(40.0, 160.0) * 1e-9
drawn = simulate_spectrum({"O+": 1e4, "O2+": 200.0}, edges, setup, shape="montecarlo", background=2.0, seed=1)
found = fit_spectra(drawn["counts"].values, edges, ["O+", "O2+", "N+"], setup)
for ion in found["species"].values:
    one = found.sel(species=ion).isel(spectrum=0)
    if one["species_counts_upper_limit"]:
        print(f"{ion}: fewer than {float(one['species_counts']):.0f}")
    else:
        ends = f"{float(one['species_counts_lower']):.0f} to {float(one['species_counts_upper']):.0f}"
        print(f"{ion}: {float(one['species_counts']):.0f} ({ends})")

moon = find_conjunctions(heavy_ion_events())
print(f"largest distance of the ten shocks from new Moon: {float(abs(moon['days_from_new_moon']).max()):.2f} days")
print(evaluate_events(table_4_3()).attrs["verdict"])
