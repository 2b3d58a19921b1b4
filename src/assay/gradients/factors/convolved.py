"""Gradients of convolution kernels."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as functional
from torch import Tensor

from assay.gradients.factors.base import Factor, chunks
from assay.gradients.factors.dense import Dense
from assay.gradients.factors.outer import Outer
from assay.gradients.factors.pass_tensor import PassTensor, squared_norms
from assay.gradients.factors.workspace import Workspace

SHORTEST_RUN = 16
"""Numbers that lie side by side in a channels-last patch from which on copying patches that way is the faster one."""

LARGEST_COPY = 3 << 16
"""Elements of patches that are copied at a time: what stays in a processor's cache until it is used."""


@dataclass(frozen=True)
class Geometry:
    """A two-dimensional convolution without padding: [height, width] of everything that is a pair."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    groups: int

    def windows(self, images: Tensor, size: torch.Size) -> Tensor:
        """View [N, oh, ow, kh, kw, C] of `images` [N, C, h, w] for outputs of `size` [oh, ow]; nothing is copied."""
        batch, channel, height, width = images.stride()
        steps = (height * self.stride[0], width * self.stride[1], height * self.dilation[0], width * self.dilation[1])
        shape = (images.shape[0], *size, *self.kernel, images.shape[1])
        return images.as_strided(shape, (batch, *steps, channel), images.storage_offset())


class Convolved(Factor):
    """g_n = sum over positions of output gradient times patch; a kernel is [d, C / groups, kh, kw],
    or `shape` where the layer orders its axes otherwise.

    `images` [N, C, h, w] are padded already, `outputs` [N, d, oh, ow] are the gradients of the outputs. Kernels that are
    small against patches and outputs are written out at once, others go by the ghost identity of their patches.
    """

    def __init__(
        self,
        images: PassTensor,
        outputs: PassTensor,
        geometry: Geometry,
        shape: torch.Size,
        workspace: Workspace | None = None,
    ) -> None:
        self._geometry, self.samples = geometry, images.value.shape[0]
        self._workspace = workspace or Workspace()
        channels, self._size = images.value.shape[1], outputs.value.shape[2:]
        self.shape, patch = shape, shape[1:].numel()
        self._full = torch.Size((shape[0], channels // geometry.groups, *geometry.kernel))
        self._channels_last = geometry.groups == 1 and geometry.kernel[1] * channels >= SHORTEST_RUN
        # products are fastest whose last axis fills a vector register
        turned = geometry.groups == 1 and shape[0] % 16 == 0 and patch % 16 != 0
        kernel = "hwc" if self._channels_last else "chw"
        self._axes = kernel + "d" if turned else "d" + kernel
        small = shape.numel() <= 2 * self._size.numel() * (patch + shape[0])
        self._squares: Tensor  # of what is written out, taken while it was in the processor's cache
        self._written = Dense(self._write(images.value, outputs.value)) if small or geometry.groups > 1 else None
        self._sources = None if self._written else (images, outputs)

    def squared_norms(self) -> Tensor:
        """By the gradients written out, or by the ghost identity some samples at a time."""
        if self._written:
            return self._squares
        some = chunks(self.samples, self._size.numel() * self.shape[1:].numel())
        return torch.cat([self._outer(rows).squared_norms() for rows in some])

    def weighted_sum(self, weights: Tensor, out: Tensor | None = None) -> Tensor:
        """One product with the gradients written out, or one weight gradient of the convolution."""
        if self._written:
            return self._natural(self._written.weighted_sum(weights)[None])[0]
        images, outputs = self._tensors()
        g = self._geometry
        scaled, empty = outputs * weights[:, None, None, None], outputs.new_empty(self._full)
        arguments = (None, g.stride, (0, 0), g.dilation, False, (0, 0), 1, (False, True, False))
        return torch.ops.aten.convolution_backward(scaled, images, empty, *arguments)[1].reshape(self.shape)  # type: ignore[no-any-return]

    def dots(self, direction: Tensor) -> Tensor:
        """Output gradients against the convolution with the direction as kernel."""
        kernel = direction.reshape(self._full)
        if self._written:
            return self._written.dots(kernel.permute(["dchw".index(axis) for axis in self._axes]))
        images, outputs = self._tensors()
        convolved = functional.conv2d(images, kernel, None, self._geometry.stride, 0, self._geometry.dilation)
        return (convolved * outputs).flatten(1).sum(1)

    def materialised(self) -> Tensor:
        """The kernels' gradients [N, *shape]."""
        return self._natural(self._written.materialised() if self._written else self._write(*self._tensors()))

    def take(self, index: Tensor | slice) -> Factor:
        """The same for some of the samples."""
        if self._sources:
            return Convolved(self._sources[0].take(index), self._sources[1].take(index), self._geometry, self.shape)
        return Dense(self.materialised()[index])

    def gram(self, other: Factor) -> Tensor:
        """Of the gradients written out, or by the ghost identity where that takes fewer products."""
        if isinstance(other, Convolved) and self.samples and other.samples:
            if self._written and other._written and self._axes == other._axes:
                return self._written.gram(other._written)
            if self._sources and other._sources:
                return self._outer(slice(None)).gram(other._outer(slice(None)))
        return super().gram(other)

    def _tensors(self) -> tuple[Tensor, Tensor]:
        assert self._sources is not None
        return self._sources[0].value, self._sources[1].value

    def _outer(self, rows: slice) -> Outer:
        images, outputs = self._tensors()
        patches = self._patches(images[rows])
        return Outer(PassTensor(outputs[rows].flatten(2).mT, ""), PassTensor(patches.clone(), ""))

    def _patches(self, images: Tensor) -> Tensor:
        """[N, T, patch], in the order kh, kw, C if channels come last and in the order C, kh, kw if not.

        Valid until the next call: both copies lie in scratch memory.
        """
        count = images.shape[0]
        if self._channels_last:
            last = images.permute(0, 2, 3, 1)
            last = self._workspace.scratch("images", last.shape, images).copy_(last)
            windows = self._geometry.windows(last.permute(0, 3, 1, 2), self._size)
            return (
                self._workspace.scratch("patches", windows.shape, images)
                .copy_(windows)
                .view(count, self._size.numel(), -1)
            )
        windows = self._geometry.windows(images, self._size).permute(0, 5, 3, 4, 1, 2)
        patches = self._workspace.scratch("patches", windows.shape, images).copy_(windows)
        return patches.view(count, -1, self._size.numel()).mT

    def _write(self, images: Tensor, outputs: Tensor) -> Tensor:
        """Gradients [N, *axes], in the order of the patches, which are copied some samples at a time."""
        groups, positions = self._geometry.groups, self._size.numel()
        sizes = dict(zip("dchw", self._full, strict=True))
        written = self._workspace.lend(self, (images.shape[0], *(sizes[axis] for axis in self._axes)), outputs)
        squares: list[Tensor] = []
        step = max(1, LARGEST_COPY // max(1, positions * images.shape[1] * self._full[2:].numel()))
        for start in range(0, images.shape[0], step):
            right = self._patches(images[start : start + step])
            count = right.shape[0] * groups
            left = outputs[start : start + step].reshape(count, -1, positions)
            right = right if groups == 1 else right.mT.reshape(count, -1, positions).mT
            some = written[start : start + step]
            if self._axes[-1] == "d":
                torch.bmm(right.mT, left.mT, out=some.view(count, -1, sizes["d"]))
            else:
                torch.bmm(left, right, out=some.view(count, sizes["d"] // groups, -1))
            squares.append(squared_norms(some))
        self._squares = torch.cat(squares)
        return written

    def _natural(self, written: Tensor) -> Tensor:
        order = [1 + self._axes.index(axis) for axis in "dchw"]
        return written.permute(0, *order).reshape(written.shape[0], *self.shape)
