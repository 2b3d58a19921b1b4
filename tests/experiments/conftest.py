"""Data for all shipped experiments, without a network and without the real archives."""

from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock
from stand_ins import build


@pytest.fixture(scope="session")
def stand_in_data(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """A data folder with a stand-in for every archive, made once for all workers."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if hasattr(request.config, "workerinput") else own
    folder = shared / "stand_ins"
    with FileLock(shared / "stand_ins.lock"):
        return folder if folder.exists() else build(folder)


@pytest.fixture
def stand_ins(stand_in_data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same folder, whose archives are accepted although their checksums are not the catalogue's."""
    from assay.data.encoding import encoded
    from assay.data.sources import providers, store

    for module in (encoded, providers, store):
        monkeypatch.setattr(module, "open_checked", lambda archive, file: store.open_archive(file))
    return stand_in_data
