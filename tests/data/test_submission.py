import pytest

from castsearch.data.submission import read_submission, write_submission
from castsearch.errors import InputError

CANDIDATES = {"m_nm1": {"m_0", "m_1"}, "n_nm1": {"n_0"}}


@pytest.fixture
def answer(tmp_path):
    def write(content: bytes):
        path = tmp_path / "rank.txt"
        path.write_bytes(content)
        return path

    return write


def test_what_is_written_is_read_back(tmp_path):
    rankings = {"m_nm2": ["m_1", "m_0"], "m_nm1": ["m_0"]}
    write_submission(tmp_path / "rank.txt", rankings.items())
    assert (tmp_path / "rank.txt").read_text() == "m_nm2 m_1,m_0\nm_nm1 m_0\n"
    assert read_submission(tmp_path / "rank.txt") == rankings


def test_an_empty_ranking_has_no_line(tmp_path):
    write_submission(tmp_path / "rank.txt", [("m_nm1", [])])
    assert read_submission(tmp_path / "rank.txt") == {}


@pytest.mark.parametrize(
    "content", [b"m_nm1 m_0\nn_nm1 n_0", b"m_nm1 m_0\r\nn_nm1 n_0\r\n", b"\xef\xbb\xbfm_nm1 m_0\nn_nm1 n_0\n"]
)
def test_line_ends_of_every_system_are_fine(answer, content):
    assert read_submission(answer(content)) == {"m_nm1": ["m_0"], "n_nm1": ["n_0"]}


def test_repeated_and_missing_answers_are_allowed(answer):
    read = read_submission(answer(b"m_nm1 m_1,m_0,m_1\n"), candidates=CANDIDATES)
    assert read == {"m_nm1": ["m_1", "m_0", "m_1"]}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"m_nm1 m_0\nm_nm2,m_0\n", "line 2: expected 'castid cand1,cand2,...'"),
        (b"m_nm1\n", "line 1: expected 'castid cand1,cand2,...'"),
        (b"m_nm1 m_0, m_1\n", "line 1: expected 'castid cand1,cand2,...'"),
        (b"m_nm1 m_0\n\n", "line 2: expected 'castid cand1,cand2,...'"),
        (b"m_nm1 m_0,,m_1\n", "line 1: candidate 2 of cast id 'm_nm1' is empty"),
        (b"m_nm1 m_0,\n", "line 1: candidate 2 of cast id 'm_nm1' is empty"),
        (b"m_nm1 m_0\nn_nm1 n_0\nm_nm1 m_1\n", "line 3: cast id 'm_nm1' appears a second time"),
        (b"m_nm1 m_0\nq_nm1 m_0\n", "line 2: unknown cast id 'q_nm1'"),
        (b"m_nm1 m_0,m_7\n", "line 1: candidate 'm_7' of cast id 'm_nm1' is not in the split"),
        (b"m_nm1 m_0,n_0\n", "line 1: candidate 'n_0' of cast id 'm_nm1' belongs to another movie"),
        (b"m_nm1 m_0\nn_nm1 n\xff\xfe\n", "line 2: not UTF-8 text"),
        (b"m_nm1 m_0\x00\n", "line 1: contains unprintable characters"),
    ],
)
def test_a_malformed_line_is_named_with_its_reason(answer, content, reason):
    path = answer(content)
    with pytest.raises(InputError) as refused:
        read_submission(path, candidates=CANDIDATES)
    assert str(refused.value).startswith(f"{path}: {reason}")
    assert "\n" not in str(refused.value)


def test_a_candidate_of_a_movie_without_cast_belongs_to_another_movie(answer):
    with pytest.raises(InputError, match="line 1: candidate 'o_0' of cast id 'm_nm1' belongs to another movie"):
        read_submission(answer(b"m_nm1 o_0\n"), candidates=CANDIDATES, everyone={"m_0", "m_1", "n_0", "o_0"})


def test_only_the_given_cast_ids_may_appear(answer):
    with pytest.raises(InputError, match="line 1: unknown cast id 'm_nm1'"):
        read_submission(answer(b"m_nm1 m_0\n"), cast_ids={"m_nm2"})


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"gone\.txt: cannot be read"):
        read_submission(tmp_path / "gone.txt")
