"""A full disk or a folder that cannot be written, in one line."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from assay.errors import InputError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_UNWRITABLE = {
    *_FULL,
    errno.ENAMETOOLONG,
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOTDIR,
    errno.EEXIST,
    errno.EISDIR,
    errno.EIO,
}


class UnwritableError(InputError):
    """A full disk, a file beyond a limit, or a folder that cannot be written."""


@contextmanager
def writing(config: Mapping[str, Any], root: Path) -> Iterator[None]:
    """Turns a full disk or an unwritable folder into one line."""
    try:
        yield
    except OSError as error:
        file = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else root
        # a file that the work itself could not read is not a matter of where outputs go
        ours = file.absolute().is_relative_to(root.absolute()) or root.absolute().is_relative_to(file.absolute())
        missing = error.errno == errno.ENOENT and root.absolute().is_relative_to(file.absolute())
        if not (missing or error.errno in _FULL or (ours and error.errno in _UNWRITABLE)):
            raise
        outputs = config.get("paths", {}).get("outputs", root)
        remedy = "make room, or write elsewhere" if error.errno in _FULL else "write elsewhere"
        raise UnwritableError(
            "paths.outputs", outputs, f"cannot write {file}: {error.strerror}", f"{remedy}: paths.outputs=FOLDER"
        ) from error
