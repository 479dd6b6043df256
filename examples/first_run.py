"""The first run: Fe+ over the north pole for a few hours at low resolution, and what it shows."""

import sys

import siderion

folder = sys.argv[1] if len(sys.argv) > 1 else "runs/first"
choice = {"date": "2023-06-18", "preset": "quick", "hours": 3, "spin_up": 1, "drivers": {"wind": "none"}}
settings = siderion.make_settings(choice)
print(siderion.plan_run(settings).text())
output = siderion.run(settings, folder, overwrite=True)
layer = output.number_density.sel(species="Fe+", alt=slice(115, 125)).max(["alt", "lat", "lon"])
for time, density in zip(output.time.values, layer.values, strict=True):
    print(str(time)[:16], f"{density:.2e} m-3")
