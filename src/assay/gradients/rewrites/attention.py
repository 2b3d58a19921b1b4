"""Multi-head attention: its projections are recorded as linear maps, all between them is torch's own."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from assay.gradients.rewrites.recorder import Recorder


def attention(
    call: Recorder,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> Any:
    """nn.MultiheadAttention.forward; between its projections torch's function runs with identities for weights."""
    module = call.module
    assert isinstance(module, nn.MultiheadAttention)
    if query.dim() != 3:
        raise call.refuse("a query without a batch axis", "pass [N, T, E]")
    same = key is query and value is key
    if not module.batch_first:
        query, key, value = (each.transpose(0, 1) for each in (query, key, value))
    size = module.embed_dim
    if module._qkv_same_embed_dim and same:
        projected: Any = call.linear(query, "in_proj_weight", _bias(module)).chunk(3, -1)
    else:
        projected = [_projection(call, module, place, x) for place, x in enumerate((query, key, value))]
    unit = torch.eye(size, dtype=query.dtype, device=query.device)
    queries, keys, values = (each.transpose(0, 1) for each in projected)
    heads, weights = functional.multi_head_attention_forward(
        queries,
        keys,
        values,
        size,
        module.num_heads,
        None,
        None,
        None,
        None,
        module.add_zero_attn,
        module.dropout,
        unit,
        None,
        training=module.training,
        key_padding_mask=key_padding_mask,
        need_weights=need_weights,
        attn_mask=attn_mask,
        use_separate_proj_weight=True,
        q_proj_weight=unit,
        k_proj_weight=unit,
        v_proj_weight=unit,
        average_attn_weights=average_attn_weights,
        is_causal=is_causal,
    )
    bias = None if module.out_proj.bias is None else "out_proj.bias"
    output = call.linear(heads.transpose(0, 1), "out_proj.weight", bias)
    output = output.transpose(0, 1).contiguous()  # torch's own layout, by which a dropout after it draws its mask
    return (output.transpose(0, 1) if module.batch_first else output), weights


def _bias(module: nn.MultiheadAttention) -> str | None:
    return None if module.in_proj_bias is None else "in_proj_bias"


def _projection(call: Recorder, module: nn.MultiheadAttention, place: int, x: Tensor) -> Tensor:
    """The projection of query (0), key (1) or value (2)."""
    size = module.embed_dim
    rows = slice(place * size, (place + 1) * size)
    if module._qkv_same_embed_dim:
        return call.linear(x, "in_proj_weight", _bias(module), rows=rows, bias_rows=rows)
    return call.linear(x, f"{'qkv'[place]}_proj_weight", _bias(module), bias_rows=rows)
