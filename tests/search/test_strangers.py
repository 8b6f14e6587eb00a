import numpy as np

from castsearch.search import strangers


def test_a_link_to_a_portrait_counts_from_what_strangers_reach():
    strength = strangers.link_strength(np.array([0.2, 0.3, 0.65, 1.0]), strangers.Impostors(0.2, 0.1), 1)
    np.testing.assert_allclose(strength, [0, 0, 0.25, 1], atol=1e-6)


def test_people_seen_often_do_not_change_what_strangers_reach():
    rng = np.random.default_rng(0)
    apart, same = rng.normal(0.2, 0.05, 50_000), rng.normal(0.8, 0.05, 30_000)
    np.testing.assert_allclose(strangers.lower_half(apart), (0.2, 0.05), atol=0.002)
    np.testing.assert_allclose(strangers.lower_half(np.concatenate([apart, same])), (0.22, 0.06), atol=0.02)


def test_one_person_in_most_pairs_does_not_change_what_strangers_reach_where_some_are_certain():
    rng = np.random.default_rng(0)
    apart, same = rng.normal(0.2, 0.05, 5_000), rng.normal(0.8, 0.05, 50_000)
    found = strangers.impostors(np.concatenate([apart, same]), rng.normal(0.2, 0.05, 500))
    np.testing.assert_allclose(found, (0.2, 0.05), atol=0.01)


def test_few_certain_strangers_tell_nothing():
    assert strangers.impostors(np.full(50, 0.9), np.array([0.0, 0.4])) == strangers.ANY_ENGINE
