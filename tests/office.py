"""LibreOffice without a window: opens a workbook and saves it, in another format if wanted."""

import subprocess
from pathlib import Path


def saved(path: Path, kind: str, folder: Path) -> Path:
    """The workbook as LibreOffice saves it in the format `kind` (xlsx, ods), in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    # A profile of its own, because two running at once may not share one.
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    command = ["soffice", profile, "--headless", "--convert-to", kind, "--outdir", folder, path]
    subprocess.run(list(map(str, command)), check=True, capture_output=True, timeout=180)
    return folder / f"{path.stem}.{kind}"
