"""The state space kernel of S4 (Gu, Goel and Ré, ICLR 2022): A = diag(w) - P Q^T, kept in conjugate pairs.

With the time step dt of a channel and the bilinear discretisation

    dA = (I - dt/2 A)^-1 (I + dt/2 A),    dB = (I - dt/2 A)^-1 dt B,

the kernel is k_l = C dA^l dB. What is stored and trained is C~ = C (I - dA^M), M = l_max, so that
k_l = C~ dA^l v with v = (I - dA^M)^-1 dB. Only C~ is trained; dA and v, the dynamics, need no gradient. With
l = i m + j we multiply rows C~ dA^(i m) by columns dA^j v, about sqrt(length) of each, on the real and imaginary
parts of the pairs and in float64: the same numbers as the paper's Cauchy-kernel formula, for every length, without
FFT nodes.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class KernelBasis(NamedTuple):
    """What kernels of a given length are made of, besides C.

    Attributes:
        powers: (channels, 2 pairs, parts * 2 pairs) float64: dA^0, dA^m, dA^(2m), ... side by side.
        columns: (channels, 2 pairs, m) float64: v, dA v, ..., dA^(m - 1) v.
    """

    powers: Tensor
    columns: Tensor


def kernel_basis(log_dt: Tensor, B: Tensor, P: Tensor, Q: Tensor, w: Tensor, l_max: int, length: int) -> KernelBasis:
    """The dynamics' share of kernels of that length.

    Args:
        log_dt: (channels,).
        B, P, Q, w: (channels, pairs, 2), real and imaginary parts of one of each conjugate pair.
        l_max: M, the length that C~ is corrected for.
        length: of the kernel; any number, larger than M too.
    """
    A, vector = _discretise(log_dt.double(), B.double(), P.double(), Q.double(), w.double())
    identity = torch.eye(A.shape[-1], dtype=A.dtype, device=A.device).expand_as(A)
    vector = torch.linalg.solve(identity - torch.linalg.matrix_power(A, l_max), vector)
    size = A.shape[-1]
    columns, A = _powers(A, vector, 1 << ((size * length - 1).bit_length() + 1) // 2)
    parts = -(-length // columns.shape[-1])
    powers, _ = _powers(A, identity, 1 << (parts - 1).bit_length())
    return KernelBasis(powers[..., : parts * size].contiguous(), columns)


def kernel_values(C: Tensor, basis: KernelBasis, length: int) -> Tensor:
    """The kernels (directions, channels, length) float64 of C (directions, channels, pairs, 2)."""
    directions, channels = C.shape[:2]
    size = basis.columns.shape[1]
    rows = 2 * torch.cat([C[..., 0], -C[..., 1]], dim=-1).double().transpose(0, 1)
    values = (rows @ basis.powers).view(channels, -1, size) @ basis.columns
    return values.view(channels, directions, -1)[..., :length].transpose(0, 1)


def _powers(A: Tensor, start: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """A^0 start, ..., A^(count - 1) start side by side, and A^count, for a power of two `count`, by doubling."""
    result = start
    for _ in range(count.bit_length() - 1):
        result = torch.cat([result, A @ result], dim=-1)
        A = A @ A
    return result, A


def corrected(C: Tensor, log_dt: Tensor, B: Tensor, P: Tensor, Q: Tensor, w: Tensor, l_max: int) -> Tensor:
    """C~ = C (I - dA^l_max) for the row vectors C (directions, channels, pairs, 2)."""
    A, _ = _discretise(*(tensor.double() for tensor in (log_dt, B, P, Q, w)))
    power = torch.linalg.matrix_power(A, l_max)
    # On (real, imaginary) columns the row C + iD acts as (C, -D): the sign goes in before and out after.
    rows = torch.cat([C[..., 0], -C[..., 1]], dim=-1).double()
    rows = rows - torch.einsum("dhn,hnm->dhm", rows, power)
    real, imaginary = rows.chunk(2, dim=-1)
    return torch.stack([real, -imaginary], dim=-1).to(C.dtype)


def _discretise(log_dt: Tensor, B: Tensor, P: Tensor, Q: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
    """dA (channels, 2 pairs, 2 pairs) and dB (channels, 2 pairs, 1) on stacked real and imaginary parts.

    Q^T x over the pair and its conjugate is 2 Re(sum Q_n x_n), hence the factor 2 and the sign.
    """
    real, imaginary = torch.diag_embed(w[..., 0]), torch.diag_embed(w[..., 1])
    A = torch.cat([torch.cat([real, -imaginary], dim=-1), torch.cat([imaginary, real], dim=-1)], dim=-2)
    left = torch.cat([P[..., 0], P[..., 1]], dim=-1)
    right = torch.cat([Q[..., 0], -Q[..., 1]], dim=-1)
    A = A - 2 * left.unsqueeze(-1) * right.unsqueeze(-2)
    dt = log_dt.exp()[:, None, None]
    identity = torch.eye(A.shape[-1], dtype=A.dtype, device=A.device)
    both = torch.cat([identity + dt / 2 * A, dt * torch.cat([B[..., 0], B[..., 1]], dim=-1).unsqueeze(-1)], dim=-1)
    solved = torch.linalg.solve(identity - dt / 2 * A, both)
    return solved[..., :-1], solved[..., -1:]


def hippo_legs(state_size: int) -> tuple[Tensor, Tensor, Tensor]:
    """B, P and w of HiPPO-LegS in the basis where A is diagonal plus low rank, (pairs,) complex128 each.

    A_ij = -sqrt(2i+1) sqrt(2j+1) below the diagonal, -(i+1) on it; B_i = sqrt(2i+1), P_i = sqrt(i+1/2).
    A + P P^T is normal; one eigenvector of each conjugate pair is kept (positive imaginary part), by
    descending frequency. An eigenvector's phase is free: we turn it so that B is real and positive.
    """
    index = torch.arange(state_size, dtype=torch.float64)
    B, P = (2 * index + 1).sqrt(), (index + 0.5).sqrt()
    A = -torch.tril(B.outer(B), diagonal=-1) - torch.diag(index + 1)
    # A + P P^T is -1/2 plus a skew-symmetric matrix S; -iS is Hermitian, with real eigenvalues.
    skew = A + P.outer(P) + 0.5 * torch.eye(state_size, dtype=torch.float64)
    frequency, vectors = torch.linalg.eigh(-1j * skew)
    keep = torch.arange(state_size - 1, state_size // 2 - 1, -1)
    vectors = vectors[:, keep]
    B_pairs, P_pairs = vectors.mH @ B.to(vectors.dtype), vectors.mH @ P.to(vectors.dtype)
    phase = B_pairs / B_pairs.abs()
    return (
        B_pairs / phase,
        P_pairs / phase,
        torch.complex(torch.full((len(keep),), -0.5, dtype=torch.float64), frequency[keep]),
    )
