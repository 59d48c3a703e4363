"""A response is read without its thought, or gets the reason why it is not an answer."""

import pytest

from reversegen.kinds.answers.reply import IN_THOUGHT, Reply, read_reply


@pytest.mark.parametrize(
    ("text", "visible"),
    [
        ("#### 18", "#### 18"),
        ("  two spaces stay\n", "  two spaces stay\n"),
        ("<think>\nmaybe 17? #### 17\n</think>\n\n#### 18", "#### 18"),
        ("<think></think>18", "18"),
        ("the template opened it, #### 17\n</think>\n#### 18", "#### 18"),
        ("<think>one</think>A<think>two</think>B", "AB"),
        ("<think>one</think> still thinking </think> 18", "18"),
    ],
)
def test_a_thought_is_not_part_of_a_reply(text: str, visible: str) -> None:
    assert read_reply(text) == Reply(visible, True, None)


@pytest.mark.parametrize("text", ["<think>9 + 9 is", "  <think>", "<think>one</think><think>two"])
@pytest.mark.parametrize("finished", [True, False])
def test_a_response_that_ends_inside_its_thought_is_not_an_answer(text: str, finished: bool) -> None:
    assert read_reply(text, finished) == Reply("", False, IN_THOUGHT)


def test_text_before_an_unclosed_thought_is_a_truncated_reply() -> None:
    assert read_reply("#### 18\n<think>let me check") == Reply("#### 18", False, None)


def test_a_response_that_was_not_received_has_the_reason_of_its_engine() -> None:
    assert read_reply("", False, "content filter") == Reply("", False, "content filter")
