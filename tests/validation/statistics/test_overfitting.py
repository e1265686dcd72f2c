"""PBO against the hand case, a plain loop over combinations, noise and a planted edge."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from maestro.errors import SettingsError
from maestro.validation import pbo

HAND = np.array([[4, 1.1, 2, 0.3], [0, 1.3, 3, 2.2], [-3, 0.9, 0.1, 2.5], [1.2, 1.6, -1, 0.4]])


def test_the_hand_case() -> None:
    result = pbo(HAND, n_blocks=4, metric="mean")
    assert result.pbo == pytest.approx(5 / 6, abs=1e-15)
    ranks = np.round(5 / (1 + np.exp(-result.logits))).astype(int)
    assert sorted(ranks.tolist()) == sorted([2, 3, 1, 1, 2, 2])


@pytest.mark.parametrize("metric", ["sharpe_ratio", "mean"])
def test_a_plain_loop_agrees(metric: str) -> None:
    rng = np.random.default_rng(0)
    returns = rng.normal(0.001, 0.01, (203, 7))
    blocks = np.split(returns[3:], 8)
    logits = []
    for chosen in combinations(range(8), 4):
        ins = np.concatenate([blocks[k] for k in chosen])
        out = np.concatenate([blocks[k] for k in range(8) if k not in chosen])

        def score(x: np.ndarray) -> np.ndarray:
            return x.mean(axis=0) / (x.std(axis=0, ddof=1) if metric == "sharpe_ratio" else 1.0)

        best = score(ins).argmax()
        rank = (score(out) <= score(out)[best]).sum()
        logits.append(np.log(rank / 8 / (1 - rank / 8)))
    result = pbo(returns, n_blocks=8, metric=metric)  # type: ignore[arg-type]
    np.testing.assert_allclose(result.logits, logits, rtol=1e-12, atol=1e-12)
    assert result.pbo == np.mean(np.array(logits) <= 0)


def test_noise_and_a_planted_edge_over_forty_seeds() -> None:
    noise, edge = [], []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        returns = rng.normal(0, 1, (1_000, 50))
        noise.append(pbo(returns, n_blocks=10).pbo)
        returns[:, :5] += 0.15
        edge.append(pbo(returns, n_blocks=10).pbo)
    assert 0.40 <= np.mean(noise) <= 0.55
    assert max(np.mean(edge), np.median(edge)) <= 0.02


def test_copies_of_the_best_trial_share_the_middle_of_their_ranks() -> None:
    edge = np.random.default_rng(0).normal(0.002, 0.01, (1_600, 1))
    noise = np.random.default_rng(1).normal(0, 0.01, (1_600, 4))
    assert pbo(np.hstack([edge, noise])).pbo == 0.0
    assert pbo(np.hstack([np.repeat(edge, 6, axis=1), noise])).pbo == 0.0


def test_a_constant_trial_ranks_last() -> None:
    returns = np.random.default_rng(1).normal(0, 0.01, (64, 3))
    returns[:, 0] = 0.0
    assert np.isfinite(pbo(returns, n_blocks=4).in_sample).all()


@pytest.mark.parametrize(
    ("returns", "kwargs", "words"),
    [
        (np.zeros(10), {}, "periods x trials"),
        (np.zeros((100, 1)), {}, "two trials"),
        (np.full((100, 3), np.nan), {}, "finite"),
        (np.zeros((100, 3)), {"n_blocks": 5}, "even"),
        (np.zeros((10, 3)), {}, "fewer blocks"),
        (np.zeros((100, 3)), {"metric": "sortino"}, "allowed"),
    ],
)
def test_bad_input_is_refused(returns: np.ndarray, kwargs: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        pbo(returns, **kwargs)  # type: ignore[arg-type]
