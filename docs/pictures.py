"""The pictures of the README, all from the demo case, by the commands that it shows.

python docs/pictures.py
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

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
        steps = [["open", store], ["go", "organs", [20, 64, 64]], ["picture", str(docs / "napari.png")]]
        words = [sys.executable, "-W", "ignore", "-m", "tests.napari_plugin.session", json.dumps(steps)]
        subprocess.run(words, cwd=ROOT, env={**os.environ, "DISPLAY": screen}, check=True)


if __name__ == "__main__":
    main()
