"""The lead field: what twelve leads record of a current dipole in the chest.

The dipole moment is given in Frank's corrected orthogonal axes, in mV: x to the patient's left, y towards the
feet, z towards the back.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# Dower GE, Machado HB, Osborne JA. On deriving the electrocardiogram from vectorcardiographic leads.
# Clin Cardiol 1980; 3: 87-95. Rows I, II, V1..V6; columns x, y, z.
DOWER = np.array(
    [
        [0.632, -0.235, 0.059],  # I
        [0.235, 1.066, -0.132],  # II
        [-0.515, 0.157, -0.917],  # V1
        [0.044, 0.164, -1.387],  # V2
        [0.882, 0.098, -1.277],  # V3
        [1.213, 0.127, -0.601],  # V4
        [1.125, 0.127, -0.086],  # V5
        [0.831, 0.076, 0.230],  # V6
    ]
)


def independent_leads(dipole: FloatArray) -> FloatArray:
    """Leads I, II, V1..V6 (..., 8) in mV of dipole moments (..., 3), by Dower's matrix."""
    return dipole @ DOWER.T


def electrodes_to_independent_leads(potentials: FloatArray) -> FloatArray:
    """Leads I, II, V1..V6 (..., 8) of potentials (..., 9) at the electrodes RA, LA, LL, V1..V6.

    The chest leads are taken against Wilson's central terminal (RA + LA + LL) / 3.
    """
    right_arm, left_arm, left_leg = potentials[..., 0], potentials[..., 1], potentials[..., 2]
    terminal = (right_arm + left_arm + left_leg) / 3
    limb = np.stack([left_arm - right_arm, left_leg - right_arm], axis=-1)
    return np.concatenate([limb, potentials[..., 3:] - terminal[..., None]], axis=-1)


def twelve_leads(leads: FloatArray) -> FloatArray:
    """I, II, III, aVR, aVL, aVF, V1..V6 (..., 12) of I, II, V1..V6 (..., 8).

    Einthoven: III = II - I. Goldberger: aVR = -(I + II) / 2, aVL = I - II / 2, aVF = II - I / 2.
    """
    one, two = leads[..., 0], leads[..., 1]
    limb = np.stack([one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2], axis=-1)
    return np.concatenate([limb, leads[..., 2:]], axis=-1)


def digitise(leads: FloatArray) -> NDArray[np.float32]:
    """Record I, II, V1..V6 (time, 8) in mV as twelve leads (time, 12), float32 mV, in whole microvolts.

    I and II are sampled in steps of 2 uV: the four leads derived from them are then whole microvolts too, and
    Einthoven's and Goldberger's relations hold exactly, not only to a rounding error.
    """
    microvolts = np.rint(leads * 1000)
    microvolts[..., :2] = 2 * np.rint(leads[..., :2] * 500)
    return twelve_leads(microvolts).astype(np.float32) / np.float32(1000)


def frontal_axis(area_one: float, area_two: float) -> float:
    """Electrical axis in degrees (-180, 180] of net areas (or amplitudes) in leads I and II.

    In Einthoven's triangle I lies at 0 and II at 60 degrees: the vector is (I, (2 II - I) / sqrt 3).
    """
    return float(np.degrees(np.arctan2((2 * area_two - area_one) / np.sqrt(3), area_one)))
