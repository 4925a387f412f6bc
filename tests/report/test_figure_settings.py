"""Figures are the same bytes under anybody's settings of matplotlib."""

import os
import subprocess
import sys
from pathlib import Path


def test_settings_of_a_notebook_or_a_user_change_nothing(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from study.report.figures.style import canvas, save\n"
        "with canvas(3, 2) as (figure, (axes,)):\n    axes.plot([1, 2]); axes.set_title('a $ b')\n"
        "save(figure, Path('.'), 'plot')\n"
    )
    root = Path(__file__).parent.parent.parent
    found = []
    own = "text.usetex: True\nlines.linewidth: 9\nfont.size: 30\nsavefig.dpi: 20\n"
    for name, rc, backend in (("plain", "", ""), ("own", own, "module://not_installed.backend"), ("wrong", own, "nonsense")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "matplotlibrc").write_text(rc)
        environment = {"PYTHONPATH": str(root), "PATH": os.environ["PATH"], "HOME": str(tmp_path), "MPLBACKEND": backend}
        subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, check=True)
        found.append([(folder / f"plot.{suffix}").read_bytes() for suffix in ("svg", "png")])
    assert found[0] == found[1] == found[2]
