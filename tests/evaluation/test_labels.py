from castsearch.evaluation.labels import across_movies, gather_cast


def test_across_movies_whoever_shows_the_person_counts():
    labels = {"m_a": ["m_1"], "n_a": ["n_1", "n_2"], "n_b": ["n_3"]}
    merged = across_movies(labels, {"m_a": "ann", "n_a": "ann", "n_b": None})
    assert merged == {"m_a": ["m_1", "n_1", "n_2"], "n_a": ["m_1", "n_1", "n_2"], "n_b": ["n_3"]}


def test_a_label_of_nobody_makes_no_two_cast_members_one():
    labels = {"m_a": ["m_1"], "n_a": ["n_1"]}
    assert across_movies(labels, {"m_a": "others", "n_a": "others"}) == labels


def test_the_cast_has_movies_names_and_candidates():
    cast = gather_cast([("m", {"ada": "ann"}, ["1"]), ("n", {"bob": None}, ["1", "2"])])
    assert cast.movies == {"ada": "m", "bob": "n"}
    assert cast.names == {"ada": "ann", "bob": None}
    assert cast.candidates == {"ada": {"1"}, "bob": {"1", "2"}}


def test_candidates_of_a_movie_without_cast_belong_to_the_split():
    assert gather_cast([("m", {"ada": "ann"}, ["1"]), ("n", {}, ["2"])]).everyone == {"1", "2"}
