import numpy as np
import pytest
import simulation

from castsearch.search.neighbors import l2_normalize


@pytest.fixture(scope="module")
def movie():
    return simulation.movie(6, 500, seed=0)


def test_the_sizes_are_the_real_ones(wider):
    rows = [line.split("\t") for line in (wider / "movie_sizes.tsv").read_text().splitlines()[1:]]
    sizes = {split: tuple((int(c), int(n)) for name, _, c, n in rows if name == split) for split in ("val", "test")}
    assert sizes == {"val": simulation.SIZES, "test": simulation.TEST_SIZES}


def test_equal_seeds_give_equal_movies(movie):
    again, other = (simulation.movie(6, 500, seed=seed) for seed in (0, 1))
    np.testing.assert_array_equal(again.face, movie.face)
    np.testing.assert_array_equal(again.body, movie.body)
    assert not np.array_equal(other.identity, movie.identity)


@pytest.mark.parametrize(("num_cast", "n"), [(6, 309), (1, 171), (10, 165), (3, 40)])
def test_everybody_of_the_cast_has_boxes(num_cast, n):
    drawn = simulation.movie(num_cast, n, seed=3)
    assert drawn.identity.shape == (n,)
    assert np.bincount(drawn.identity, minlength=num_cast)[:num_cast].min() >= 4
    assert drawn.face.shape[0] == num_cast + n
    assert len(drawn.frames) == len(drawn.body) == len(drawn.has_face) == n


def test_faces_are_more_alike_within_a_person_and_in_better_pictures(movie):
    face = l2_normalize(movie.face[6:])[movie.has_face]
    length = np.linalg.norm(movie.face[6:], axis=1)[movie.has_face]
    identity = movie.identity[movie.has_face]
    cosine = face @ face.T
    same = identity[:, None] == identity
    np.fill_diagonal(same, False)
    good = length > np.median(length)
    assert cosine[same].mean() > cosine[~same].mean() + 0.2
    assert cosine[np.ix_(good, good)][same[np.ix_(good, good)]].mean() > cosine[same].mean() + 0.05


def test_nobody_is_twice_in_a_frame():
    # The draw itself; afterwards a few boxes of extras may be given to rare cast members.
    drawn = simulation.movie(3, 800, seed=1)
    pairs = list(zip(drawn.frames, drawn.identity.tolist(), strict=True))
    assert len(pairs) - len(set(pairs)) < 12


def test_a_share_of_the_boxes_has_no_face():
    drawn = simulation.movie(5, 1000, seed=2, assumptions=simulation.Assumptions(faceless=0.2))
    assert 0.75 < drawn.has_face.mean() < 0.85


def test_where_no_face_is_visible_the_feature_tells_nothing_of_the_person():
    drawn = simulation.movie(3, 600, seed=4)
    face = l2_normalize(drawn.face[3:])[~drawn.has_face]
    identity = drawn.identity[~drawn.has_face]
    cosine = face @ face.T
    same = identity[:, None] == identity
    np.fill_diagonal(same, False)
    assert abs(cosine[same].mean() - cosine[~same].mean()) < 0.02


def test_a_wrong_face_is_that_of_another_in_the_frame():
    clear = simulation.Assumptions(faceless=0, wrong_face=1, part=0, face_noise=0, blur=0)
    drawn = simulation.movie(4, 200, seed=0, assumptions=clear)
    portraits, faces = np.split(l2_normalize(drawn.face), [4])
    own = np.einsum("ij,ij->i", faces, portraits[np.minimum(drawn.identity, 3)]) > 0.5
    cast = drawn.identity < 4
    people = {frame: set() for frame in drawn.frames}
    for frame, person in zip(drawn.frames, drawn.identity, strict=True):
        people[frame].add(person)
    alone = np.array([len(people[frame]) == 1 for frame in drawn.frames])
    assert 0 < alone[cast].mean() < 1
    np.testing.assert_array_equal(own[cast], alone[cast])


def test_movies_of_a_split_share_some_of_their_cast():
    movies = simulation.split([(5, 60)] * 4, seed=0, shared=0.5)
    casts = [cast for _, cast in movies]
    assert all(len(set(cast)) == 5 for cast in casts)
    assert len({actor for cast in casts for actor in cast}) < 20
    portraits = l2_normalize(np.vstack([drawn.face[:5] for drawn, _ in movies]))
    actors = np.concatenate(casts)
    cosine, same = portraits @ portraits.T, actors[:, None] == actors
    assert cosine[same].min() > cosine[~same].max()
