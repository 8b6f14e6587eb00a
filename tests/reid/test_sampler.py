import numpy as np
import pytest

from castsearch.reid import sampler

MEMBERS = [np.arange(10 * person, 10 * person + size) for person, size in enumerate([5, 1, 4, 8, 3])]


def epoch(number, people=2, images=4, seed=0):
    steps = sampler.steps_per_epoch(len(MEMBERS), people)
    return [sampler.batch(MEMBERS, people, images, seed=seed, epoch=number, step=step) for step in range(steps)]


def test_an_epoch_shows_nobody_twice():
    batches = epoch(0)
    people = np.concatenate(batches).reshape(-1, 4) // 10
    assert len(batches) == 2
    assert (people == people[:, :1]).all()
    assert len(set(people[:, 0])) == 4


def test_images_of_a_person_are_not_repeated_before_all_are_shown():
    for step in range(20):
        for group in sampler.batch(MEMBERS, 5, 4, seed=0, epoch=step, step=0).reshape(5, 4):
            available = len(MEMBERS[group[0] // 10])
            assert len(set(group)) == min(4, available)


def test_fewer_people_than_a_batch_holds_make_a_smaller_batch():
    assert sampler.steps_per_epoch(len(MEMBERS), 18) == 1
    assert len(sampler.batch(MEMBERS, 18, 4, seed=0, epoch=0, step=0)) == 20


@pytest.mark.parametrize("change", [{"number": 1}, {"number": 0, "seed": 1}])
def test_batches_depend_on_seed_and_epoch_alone(change):
    first, again, other = epoch(0), epoch(0), epoch(**change)
    assert all(map(np.array_equal, first, again))
    assert not all(map(np.array_equal, first, other))
