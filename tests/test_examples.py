"""The examples run, and the ten lines of the README are one of them."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_first_run(tmp_path):
    command = [sys.executable, ROOT / "examples" / "first_run.py", tmp_path / "first"]
    environment = {**os.environ, "SIDERION_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    hours = re.findall(r"^(2023-06-18T0[0-2]:00) (\d\.\d\de\+\d\d) m-3$", done.stdout, flags=re.MULTILINE)
    assert len(hours) == 3
    assert all(1e9 < float(density) < 1e12 for _, density in hours)


def test_galileo_waves():
    done = subprocess.run([sys.executable, ROOT / "examples" / "galileo_waves.py"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "63 windows, 0 events" in done.stdout
    assert re.search(r"^Cl- .*WRONG_HANDEDNESS", done.stdout, flags=re.MULTILINE)


def test_readme_shows_the_first_example():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"```python\n(.*?)```", readme, flags=re.DOTALL)[1]
    example = (ROOT / "examples" / "first_run.py").read_text(encoding="utf-8")
    for line in block.splitlines():
        shown = line.replace('"runs/first"', "folder").replace("layer.values)", "layer.values, strict=True)")
        assert shown in example, line


def test_importing_siderion_changes_no_global_state():
    script = (
        "import numpy as np, warnings; a = np.geterr(), list(warnings.filters); import siderion; "
        "assert (np.geterr(), list(warnings.filters)) == a; import sys; "
        "assert 'matplotlib' not in sys.modules and 'numba' not in sys.modules; "
        "assert len(siderion.__all__) <= 25; [getattr(siderion, name) for name in siderion.__all__]"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_heavy_ion_sources():
    script = ROOT / "examples" / "heavy_ion_sources.py"
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    heights = {name: float(km) for name, km in re.findall(r"^(\w+) of a 1 mg meteoroid: .* (\d+) km$", done.stdout, re.MULTILINE)}
    assert heights["Na"] > heights["Fe"] > heights["Ca"]  # differential ablation
    assert re.search(r"^solar wind: \d\.\de\+22 ions/s", done.stdout, re.MULTILINE)


def test_heavy_ion_evidence():
    script = ROOT / "examples" / "heavy_ion_evidence.py"
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "cluster-codif: may with effort" in done.stdout
    counts, lower, upper = map(int, re.search(r"^O2\+: (\d+) \((\d+) to (\d+)\)$", done.stdout, re.MULTILINE).groups())
    assert lower < counts < upper
    assert abs(counts - 200) < 3 * (upper - lower) / 2
    assert "from new Moon: 1.91 days" in done.stdout
    assert "not significant" in done.stdout
