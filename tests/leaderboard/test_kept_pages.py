"""Pages that are kept for people who are not signed in."""

from leaderboard_agents import ASSIGNMENT


def test_a_kept_page_is_answered_with_the_same_headers_however_often(client):
    address = f"/boards/{ASSIGNMENT}"
    answers = [client.get(address) for _ in range(5)]

    assert {answer.text for answer in answers} == {answers[0].text}
    assert {tuple(sorted(answer.headers)) for answer in answers} == {tuple(sorted(answers[0].headers))}
    assert [len(answer.headers.get_list("x-request-id")) for answer in answers] == [1] * 5
