import numpy as np
import pytest
from scipy.stats import norm

from costing.engine.uncertainty import nearest_correlation, rounded_draws, scores


def test_draws_are_rounded_up_to_where_the_points_are_balanced():
    assert [rounded_draws(n) for n in (1, 2, 3, 1000, 4096)] == [1, 2, 4, 1024, 4096]
    assert [rounded_draws(n) for n in (4097, 8192, 10_000, 65536)] == [5120, 8192, 10_240, 65536]
    for wrong in (0, -1, 65537, 2.0, True):
        with pytest.raises(ValueError, match="draws is"):
            rounded_draws(wrong)


def test_scores_are_standard_normal_to_the_accuracy_of_sobol_points():
    z = scores(["a", "b", "c"], {}, seed=3, draws=1024).z
    assert np.abs(z.mean(axis=0)).max() < 0.005  # plain Monte Carlo: about 0.03
    assert np.abs(z.std(axis=0) - 1).max() < 0.01
    classes = (norm.cdf(z[:, 0]) * 16).astype(int)
    assert np.bincount(classes).tolist() == [64] * 16  # balanced: every sixteenth holds its share exactly


def test_draws_in_blocks_continue_the_sequence_and_every_block_is_balanced():
    some, more = scores(["a", "b"], {}, seed=3, draws=10_240).z, scores(["a", "b"], {}, seed=3, draws=16_384).z
    assert np.array_equal(some, more[:10_240])
    for start in range(0, 10_240, 1024):
        for column in (0, 1):
            classes = (norm.cdf(some[start : start + 1024, column]) * 64).astype(int)
            assert np.bincount(classes).tolist() == [16] * 64
    assert np.abs(some.mean(axis=0)).max() < 0.001


def test_the_copula_gives_the_asked_correlation_and_leaves_others_alone():
    z = scores(["a", "b", "c"], {("a", "c"): 0.6}, seed=3, draws=4096).z
    found = np.corrcoef(z.T)
    assert abs(found[0, 2] - 0.6) < 0.01
    assert abs(found[0, 1]) < 0.02


def test_the_same_seed_gives_the_same_bits_and_another_seed_others():
    first, again, other = (scores(["a", "b"], {}, seed=s, draws=64).z for s in (5, 5, 6))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    with pytest.raises(ValueError, match="seed is -1"):
        scores(["a"], {}, seed=-1, draws=2)


def test_a_shuffle_keeps_shared_columns_and_makes_the_others_independent():
    keys = ["world", "own"]
    plain = scores(keys, {}, seed=1, draws=1024)
    shuffled = scores(keys, {}, seed=1, draws=1024, shared=frozenset({"world"}), shuffle=7)
    assert np.array_equal(plain.z[:, 0], shuffled.z[:, 0])
    assert np.array_equal(np.sort(plain.z[:, 1]), np.sort(shuffled.z[:, 1]))
    assert abs(np.corrcoef(plain.z[:, 1], shuffled.z[:, 1])[0, 1]) < 0.1


def test_an_impossible_correlation_matrix_is_moved_to_the_nearest_valid_one():
    impossible = np.array([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1.0]])
    fixed = nearest_correlation(impossible)
    assert np.linalg.eigvalsh(fixed).min() > 0
    assert np.allclose(np.diag(fixed), 1)
    valid = np.array([[1, 0.3], [0.3, 1]])
    assert nearest_correlation(valid) is valid
