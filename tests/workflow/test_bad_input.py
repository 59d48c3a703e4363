"""Bad input ends Snakemake with one line, and other errors keep their traceback."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import pytest

from reversegen.core.errors import BadInput
from reversegen.workflow.bad_input import ends_snakemake


def refuse(wildcards: str, threads: int) -> str:
    raise BadInput(f"{wildcards}: first\nsecond")


def test_bad_input_is_one_line_a_message_and_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    def factory() -> Callable[[str, int], str]:
        return refuse

    for function in (ends_snakemake(refuse), ends_snakemake(factory)()):
        with pytest.raises(SystemExit) as end:
            function("x", 1)
        assert end.value.code == 1
        assert capsys.readouterr() == ("", "error: x: first\nerror: second\n")


def test_the_parameters_stay_since_snakemake_gives_values_by_their_names() -> None:
    assert list(inspect.signature(ends_snakemake(refuse)).parameters) == ["wildcards", "threads"]


def test_another_error_and_a_value_pass() -> None:
    assert ends_snakemake(len)("abc") == 3
    with pytest.raises(ZeroDivisionError):
        ends_snakemake(lambda: 1 // 0)()
