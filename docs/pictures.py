"""The pictures of README and docs: of the demo case, by the commands that it shows, and of a time series that is made here.

python docs/pictures.py
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from docs.series import write_series  # noqa: E402
from tests.display import display  # noqa: E402


def main() -> None:
    """Make all."""
    docs = ROOT / "docs"
    programs = Path(sys.executable).parent
    with tempfile.TemporaryDirectory() as folder, display() as screen:
        store = f"{folder}/chest.ome.zarr"
        subprocess.run([programs / "ngffseg", "demo", folder], check=True)
        shutil.copy(Path(folder) / "chest.png", docs)
        subprocess.run(
            [programs / "ngffseg", "view", store, "--screenshot", docs / "browser.png"], check=True
        )
        napari(screen, ["open", store], ["go", "organs", [20, 64, 64]], ["picture", str(docs / "napari.png")])
        series = Path(folder) / "series.ome.zarr"
        write_series(series)
        times = {"series.png": 4, "series-later.png": 7}
        outlines = [["contour", name, 2] for name in ("nuclei", "wound")]
        steps = [
            step
            for name, time in times.items()
            for step in (["go", "nuclei", [time, 2, 150, 150]], ["picture", str(docs / name)])
        ]
        napari(screen, ["open", str(series)], *outlines, *steps)
        for name in times:
            Image.open(docs / name).convert("RGB").quantize(256).save(docs / name, optimize=True)


SESSION = """
import json, sys
from tests.napari_plugin.session import answer
wrong = [told for told in answer(json.loads(sys.argv[1])) if isinstance(told, dict) and "error" in told]
sys.exit(str(wrong) if wrong else 0)
"""


def napari(screen: str, *steps: list[object]) -> None:
    """Have a person at napari do some steps."""
    words = [sys.executable, "-W", "ignore", "-c", SESSION, json.dumps(steps)]
    subprocess.run(words, cwd=ROOT, env={**os.environ, "DISPLAY": screen}, check=True)


if __name__ == "__main__":
    main()
