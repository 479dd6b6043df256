"""Look for waves of pick-up ions in a flyby of Europa by Galileo, and say why windows show none."""

import json

from siderion.io.magnetometer import read_example
from siderion.waves.analysis import analyse_waves, make_wave_settings
from siderion.waves.criteria import Rejection

series = read_example("E12")
settings = make_wave_settings({"body": "Europa", "species": ["O+", "O2+", "Cl-"]})
tree = analyse_waves(series, settings)
windows = tree["windows"].to_dataset()
print(f"{series.attrs['title']}: {windows.sizes['time']} windows, {tree['events'].sizes['event']} events")
for ion in windows.species.values:
    reasons = windows.rejection.sel(species=ion).values
    counts = {flag.name: int(((reasons & int(flag)) != 0).sum()) for flag in Rejection}
    print(ion, {name: count for name, count in counts.items() if count})
print("fixed lines:", json.loads(windows.attrs["fixed_lines"]))
