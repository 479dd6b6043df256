"""Where heavy ions come from: one meteoroid, ions of the Moon, and the budget of iron in the lobes of the magnetosphere."""

import numpy as np

import siderion
from siderion.sources.entry.atmosphere import standard_atmosphere
from siderion.sources.entry.flight import fly_bodies
from siderion.sources.moon import PickupSettings, simulate_pickup

body = fly_bodies([1e-6], [20e3], [45.0], [3300.0], standard_atmosphere(), elements=["Na", "Fe", "Ca"])
for element in body["element"].values:
    released = body["released_mass"].sel(element=element, body=0)
    if element != "other":
        mass, height = float(released.sum()) * 1e9, float(released.idxmax())
        print(f"{element} of a 1 mg meteoroid: {mass:.3f} micrograms, most at {height:.0f} km")

lunar = simulate_pickup(
    PickupSettings(species=("Fe+",), imf=(0.0, 5.0, 0.0), imf_spread=2.0, moon=(60.0, 0.0, 0.0), particles=5000)
)
spectrum = lunar["differential_flux"].sel(species="Fe+")
share, energy = float(lunar["share_arriving"][0]), float(spectrum.idxmax()) / 1e3
print(f"lunar Fe+ at the bow shock: {share:.0%} arrive, most at {energy:.0f} keV")

budget = siderion.supply_budget("Fe", "lobe")
for route in budget["route"].values:
    one = budget.sel(route=route)
    span = np.log10(float(one["supply_upper"] / one["supply_lower"]))
    print(f"{route}: {float(one['supply']):.1e} ions/s, known to {span:.1f} decades; look at {one['dominant_factor'].item()}")
