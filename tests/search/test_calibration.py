import numpy as np
import pytest

from castsearch.search.calibration import Evidence, confidence, probability

UNSEEN = np.full((2, 1), np.nan)


def likely(labels, shortfall=UNSEEN, links=4.0):
    evidence = Evidence(
        np.array(labels, float)[:, None], np.asarray(shortfall, float), np.array([links]), np.empty(0), np.ones(2)
    )
    return probability(evidence)[:, 0]


def test_a_person_with_most_of_the_label_is_surer_than_one_of_two_or_a_stranger():
    sure, torn, strange = (likely(labels)[0] for labels in ([0.9, 0.05, 0.02], [0.5, 0.5, 0.02], [0.05, 0.05, 0.9]))
    assert sure > 0.9 > torn > 0.4 > 0.1 > strange


def test_people_and_strangers_add_up_to_one():
    assert likely([1, 1, 0]).sum() == pytest.approx(1, abs=1e-3)
    assert likely([1, 1, 1]).sum() < 0.9


def test_a_face_that_is_less_like_the_portrait_than_others_is_rather_a_strangers():
    alike, unlike, unseen = (likely([0.5, 0, 0.5], np.full((2, 1), short))[0] for short in (0, 6, np.nan))
    assert alike > unseen > unlike


def test_labels_that_come_by_weak_links_are_worth_little():
    assert likely([0.01, 0, 0], links=0.01)[0] < likely([0.01, 0, 0], links=5)[0]


def test_whom_no_label_reaches_is_nobody():
    assert (likely([0, 0, 0]) == 0).all()


def test_names_are_surer_where_most_faces_are_like_portraits():
    few, most = (confidence(np.array([[0.8], [0.1]]), np.full(40, share), np.ones(2))[:, 0] for share in (0.2, 0.9))
    assert few.tolist() == [0.8, 0.1]
    assert most[0] > 0.95
    assert most.sum() <= 1


@pytest.mark.parametrize("before", [[0.5, 0.2], [0.3, 0.4]])
def test_who_is_no_likelier_than_even_is_no_surer(before):
    assert confidence(np.array([before]).T, np.ones(40), np.ones(2))[:, 0].tolist() == before


def test_who_is_made_surer_is_not_certain():
    sure = confidence(np.array([[0.97, 0.9995], [0.01, 0]]), np.ones(40), np.ones(2))[0]
    assert sure.astype(np.float16)[0] < 1, "as the table of rankings has it"
    assert sure[1] == 0.9995, "nobody becomes less sure"


def test_who_is_certain_stays_so():
    assert confidence(np.array([[1.0], [0.0]]), np.ones(40), np.ones(2))[:, 0].tolist() == [1, 0]


def test_who_is_perhaps_not_in_the_movie_is_less_probable():
    assert confidence(np.array([[0.6], [0.2]]), np.zeros(40), np.array([0.5, 1]))[:, 0].tolist() == [0.3, 0.2]
