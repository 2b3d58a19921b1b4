"""Per-sample gradients of any module at about the price of plain training."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from typing import Any

from torch import Tensor, nn

from assay.gradients.audit import evaluating, refuse_mixed_samples
from assay.gradients.batches import sample_count
from assay.gradients.factors import Workspace
from assay.gradients.fallback import Loss, record_by_vmap
from assay.gradients.plan import Plan, make_plan, still_holds
from assay.gradients.recorded import Recorded
from assay.gradients.refusals import LayerError, UsedOutsideError, may_mix, refuse_mixing
from assay.gradients.tape import Tape

_log = logging.getLogger(__name__)


class PerSampleGradients:
    """Records a batch in one forward and one backward pass and answers questions about each sample's gradient.

    The model is left as it is: hooks are attached while a batch is recorded and removed afterwards. `layers` names the
    modules whose own parameters are differentiated (default: every trainable parameter; see `last_layers`). `fallback`
    says when torch.func.vmap takes over, at N x P numbers: None, for modules that have no rule; True, for the whole model;
    False, never. `audit` compares one sample of the first batch of several with that sample alone, once.
    `entry` is the model's method that a pass calls.

    Raises LayerError, by name and with the remedy, for modules that mix samples and wherever a result would be wrong.
    Source: book-keeping, Bu et al., arXiv 2210.00038.

    Example:
        >>> import torch
        >>> model = torch.nn.Linear(3, 1)
        >>> engine = PerSampleGradients(model)
        >>> recorded = engine.record(lambda model, x: model(x)[:, 0], torch.ones(4, 3))
        >>> recorded.norms()
        tensor([2., 2., 2., 2.])
    """

    def __init__(
        self,
        model: nn.Module,
        layers: Collection[str] | None = None,
        *,
        fallback: bool | None = None,
        audit: bool = True,
        entry: str = "forward",
    ) -> None:
        self.model = model
        self._layers, self._fallback, self._audit, self._entry = layers, fallback, audit, entry
        self._suspects = may_mix(model)
        refuse_mixing(self._suspects)
        self._workspace, self._parameters = Workspace(), tuple(model.parameters())
        self._whole: set[str] = set()
        self._plan, self._trained = make_plan(model, layers, entry=entry), self._flags()
        if self._plan.written_out and fallback is False:
            raise self._no_rule("allow the fallback, or replace the module")
        if self._plan.written_out:
            _log.warning(
                "no rule for %s: torch.func.vmap writes out the gradient of every sample there",
                ", ".join(self._plan.written_out),
            )

    @property
    def parameters(self) -> Mapping[str, Tensor]:
        """The parameters that are differentiated, by name."""
        return self._plan.parameters

    @property
    def numbers_written_out(self) -> int:
        """Numbers written out for each sample by the module, of those without a rule, that has most of them."""
        return self._plan.numbers_written_out

    @property
    def enters_by_row(self) -> bool:
        """True where the model's entry itself runs one sample at a time, since the model owns parameters."""
        return any(unit.name == "" and unit.entry != "forward" for unit in self._plan.units)

    def record(self, loss: Loss, *batch: Any) -> Recorded:
        """Runs `loss(model, *batch)`, which returns losses [N], and its backward pass; `.grad` of no parameter changes.

        `batch` holds tensors, or nested tuples, lists and dicts of them, with the samples on their first axis. An empty
        batch runs nothing. Raises InputError for losses that are not one a sample.
        """
        samples = sample_count(batch)
        plan = self._current_plan()
        if samples == 0:
            first = next(iter(plan.parameters.values()))
            return Recorded(plan.parameters, {}, 0, first.new_zeros(0))
        if self._fallback:
            return record_by_vmap(self.model, plan, loss, batch, samples)
        if self._audit and samples > 1:
            with evaluating(self.model):
                recorded = self._first_pass(loss, batch, samples)
                plan = self._current_plan()
                refuse_mixed_samples(self.model, dict(plan.parameters), loss, batch, recorded)
                del recorded  # its memory is for the batch itself
            self._audit = False
        return self._pass(plan, loss, batch, samples)

    def recording(self, samples: int) -> Tape:
        """A context in which somebody else runs the forward pass of a batch of `samples`; see `Tape`.

        Example:
            >>> import torch
            >>> engine = PerSampleGradients(torch.nn.Linear(3, 1))
            >>> with engine.recording(samples=4) as tape:
            ...     losses = engine.model(torch.ones(4, 3))[:, 0]
            ...     tape.backward(losses)
            >>> tape.recorded().samples
            4
        """
        plan = self._current_plan()
        if self._fallback:
            raise self._no_rule("use record(loss, *batch), or leave fallback out")
        return Tape(plan, samples, self._workspace)

    def store(self, gradients: Mapping[str, Tensor]) -> None:
        """Makes `gradients` the `.grad` of the parameters they are named after, for an optimizer to use."""
        parameters = self._plan.parameters
        for name, gradient in gradients.items():
            parameters[name].grad = gradient

    def widen(self, error: UsedOutsideError) -> None:
        """Rewrites the module around the layer whose parameter was used outside it; raises the error where there is none."""
        owner = error.parameter.rpartition(".")[0]
        around = [name for name in self._whole if owner == name or owner.startswith(f"{name}.")]
        owner = min(around, key=len) if around else owner
        if not owner or self._fallback is False:
            raise error
        self._whole.add(owner.rpartition(".")[0])
        self._plan = make_plan(self.model, self._layers, self._whole, self._entry)
        _log.warning("%s is used outside its layer: torch.func.vmap writes out the module around it", error.parameter)

    def _first_pass(self, loss: Loss, batch: tuple[Any, ...], samples: int) -> Recorded:
        while True:
            try:
                return self._pass(self._current_plan(), loss, batch, samples)
            except UsedOutsideError as error:
                self.widen(error)

    def _pass(self, plan: Plan, loss: Loss, batch: tuple[Any, ...], samples: int) -> Recorded:
        with Tape(plan, samples, self._workspace) as tape:
            tape.backward(loss(self.model, *batch))
        return tape.recorded()

    def _current_plan(self) -> Plan:
        """The plan, made again if parameters were frozen, set free or replaced since."""
        refuse_mixing(self._suspects)
        if self._flags() != self._trained or not still_holds(self._plan):
            self._parameters = tuple(self.model.parameters())
            self._plan, self._trained = make_plan(self.model, self._layers, self._whole, self._entry), self._flags()
        return self._plan

    def _flags(self) -> list[bool]:
        return [parameter.requires_grad for parameter in self._parameters]

    def _no_rule(self, remedy: str) -> LayerError:
        names = ", ".join(self._plan.written_out) or type(self.model).__name__
        return LayerError(names, "no rule for its parameters", remedy)
