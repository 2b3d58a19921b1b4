"""Recurrent layers: written out step by step, their products recorded as linear maps over all steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as functional
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from assay.gradients.rewrites.recorder import Linear

State = tuple[Tensor, ...]  # (h,) of GRU and RNN, (h, c) of LSTM


def recurrent(call: Linear, input: Any, hx: Any = None) -> Any:  # noqa: A002  torch names it so
    """forward of nn.LSTM, nn.GRU and nn.RNN, on padded batches and on packed ones, which are padded and packed again."""
    module = call.module
    assert isinstance(module, nn.RNNBase)
    if isinstance(input, PackedSequence):
        padded, lengths = pad_packed_sequence(input, batch_first=True)
        output, end = _layers(call, padded, hx, lengths.to(padded.device))
        ordered = input.sorted_indices is None
        return pack_padded_sequence(output, lengths, batch_first=True, enforce_sorted=ordered), end
    if input.dim() != 3:
        raise call.refuse("an input without a batch axis", "pass [N, T, features]")
    output, end = _layers(call, input if module.batch_first else input.transpose(0, 1), hx)
    return output if module.batch_first else output.transpose(0, 1), end


def _layers(call: Linear, x: Tensor, hx: Any, lengths: Tensor | None = None) -> tuple[Tensor, Any]:
    """Outputs [N, T, size] and last states of all layers on x [N, T, features], of `lengths` [N] where they are not all T."""
    module: Any = call.module
    layers, ways = module.num_layers, 2 if module.bidirectional else 1
    given = _given(module, x, hx)
    ends: list[State] = []
    for layer in range(layers):
        outputs = []
        for way in range(ways):
            start = tuple(each[layer * ways + way] for each in given)
            suffix = f"_l{layer}{'_reverse' if way else ''}"
            output, end = _one_way(call, x, start, suffix, lengths, reverse=way == 1)
            outputs.append(output)
            ends.append(end)
        x = torch.cat(outputs, -1)
        if module.dropout and layer < layers - 1:
            x = functional.dropout(x, module.dropout, module.training)
    stacked = tuple(torch.stack(each) for each in zip(*ends, strict=True))
    return x, (stacked if isinstance(module, nn.LSTM) else stacked[0])


def cell(call: Linear, input: Tensor, hx: Any = None) -> Any:  # noqa: A002  torch names it so
    """forward of nn.LSTMCell, nn.GRUCell and nn.RNNCell."""
    module = call.module
    assert isinstance(module, nn.RNNCellBase)
    if input.dim() != 2:
        raise call.refuse("an input without a batch axis", "pass [N, features]")
    long = isinstance(module, nn.LSTMCell)
    if hx is None:
        zeros = input.new_zeros(len(input), module.hidden_size)
        hx = (zeros, zeros) if long else zeros
    state = tuple(hx) if long else (hx,)
    bias = module.bias
    gates = call.linear(input, "weight_ih", "bias_ih" if bias else None)
    end = _step(module, gates, call.linear(state[0], "weight_hh", "bias_hh" if bias else None), state)
    return end if long else end[0]


def _given(module: nn.RNNBase, x: Tensor, hx: Any) -> State:
    """The states before the first step [layers * ways, N, size]."""
    count = module.num_layers * (2 if module.bidirectional else 1)
    if hx is not None:
        return tuple(hx) if isinstance(hx, tuple) else (hx,)
    first = x.new_zeros(count, len(x), module.proj_size or module.hidden_size)
    if not isinstance(module, nn.LSTM):
        return (first,)
    return first, x.new_zeros(count, len(x), module.hidden_size)


def _one_way(
    call: Linear, x: Tensor, state: State, suffix: str, lengths: Tensor | None, *, reverse: bool
) -> tuple[Tensor, State]:
    """Outputs [N, T, size] and last state of one layer in one direction; beyond its length a sequence's state stays."""
    module: Any = call.module
    bias = module.bias
    gates = call.linear(x, f"weight_ih{suffix}", f"bias_ih{suffix}" if bias else None)
    steps = range(x.shape[1])
    outputs: list[Tensor] = []
    for step in reversed(steps) if reverse else steps:
        within = call.linear(state[0], f"weight_hh{suffix}", f"bias_hh{suffix}" if bias else None)
        before, state = state, _step(module, gates[:, step], within, state)
        if getattr(module, "proj_size", 0):
            state = (call.linear(state[0], f"weight_hr{suffix}"), *state[1:])
        if lengths is not None:
            goes_on = (step < lengths)[:, None]
            state = tuple(torch.where(goes_on, new, old) for new, old in zip(state, before, strict=True))
        outputs.append(state[0])
    return torch.stack(outputs[::-1] if reverse else outputs, 1), state


def _step(module: Any, outer: Tensor, inner: Tensor, state: State) -> State:
    """The next state from the gates' parts of input and state."""
    if isinstance(module, nn.LSTM | nn.LSTMCell):
        i, f, g, o = (outer + inner).chunk(4, -1)
        memory = torch.sigmoid(f) * state[1] + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(memory), memory
    if isinstance(module, nn.GRU | nn.GRUCell):
        (r, z, n), (r_inner, z_inner, n_inner) = outer.chunk(3, -1), inner.chunk(3, -1)
        update = torch.sigmoid(z + z_inner)
        proposal = torch.tanh(n + torch.sigmoid(r + r_inner) * n_inner)
        return ((1 - update) * proposal + update * state[0],)
    relu = getattr(module, "nonlinearity", "tanh") == "relu"
    return (torch.relu(outer + inner) if relu else torch.tanh(outer + inner),)


UNROLLED: dict[type[nn.Module], Callable[..., Any]] = {
    **dict.fromkeys((nn.LSTM, nn.GRU, nn.RNN), recurrent),
    **dict.fromkeys((nn.LSTMCell, nn.GRUCell, nn.RNNCell), cell),
}
"""The recurrent modules of torch and their forwards."""
