"""Images in the cells of a user's table: decoded to pixels of one shape."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from assay.data.own.columns import type_override
from assay.data.own.faults import Fault
from assay.errors import AssayError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from assay.data.own.cells import Cells

    Pixels = NDArray[np.uint8]

MOST_PIXELS = 10**9  # of a column, a byte each


def decoded(content: bytes | None) -> Pixels | None:
    """The pixels [height, width] of a grey image, [height, width, 3] of a coloured one; None for what is no image."""
    import numpy as np

    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError as error:
        raise AssayError("images need Pillow: pip install 'assay[images]'") from error
    if content is None:
        return None
    try:
        image = Image.open(io.BytesIO(content))
        return np.asarray(image.convert("L" if image.mode in ("1", "L", "I", "I;16", "F") else "RGB"), dtype=np.uint8)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def shape_of(cells: Cells) -> tuple[int, ...] | None:
    """The shape that all images share; None where they do not, or one is missing or none."""
    shapes = {None if pixels is None else pixels.shape for pixels in map(decoded, cells.column.to_pylist())}
    return shapes.pop() if len(shapes) == 1 else None


def image_faults(cells: Cells, source: str) -> list[Fault]:
    """The fault of images that are not of one shape, or too many for memory."""
    shapes: dict[Any, int] = {}
    for content in cells.column.drop_null().to_pylist():
        pixels = decoded(content)
        shape = None if pixels is None else pixels.shape
        shapes[shape] = shapes.get(shape, 0) + 1
    out = type_override(cells.name, "ignore")
    if None in shapes:
        limit = f"column {cells.name!r} has no readable image in {shapes[None]} of {len(cells)} rows"
    elif len(shapes) > 1:
        sizes = ", ".join("x".join(map(str, shape)) for shape in list(shapes)[:3])
        limit = f"column {cells.name!r} has images of {len(shapes)} sizes ({sizes})"
    elif shapes and len(cells) * _size(next(iter(shapes))) > MOST_PIXELS:
        limit = (
            f"column {cells.name!r} has {len(cells)} images of {_size(next(iter(shapes)))} pixels, too many for memory"
        )
    else:
        return []
    remedy = f"save them in one size, small enough to be read at once, or leave them out with {out}"
    return [Fault("dataset.path", source, limit, remedy, (f"dataset.types.{cells.name}=ignore",))]


def _size(shape: tuple[int, ...]) -> int:
    import math

    return math.prod(shape)


def pixels_of(cells: Cells, shape: tuple[int, ...]) -> Pixels:
    """The pixels [rows, *shape]; black where a cell is no image of this shape."""
    import numpy as np

    images = np.zeros((len(cells), *shape), dtype=np.uint8)
    for row, content in enumerate(cells.column.to_pylist()):
        pixels = decoded(content)
        if pixels is not None and pixels.shape == shape:
            images[row] = pixels
    return images
