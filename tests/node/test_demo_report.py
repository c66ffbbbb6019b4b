"""The closing table: the figures asked for, and whether the nodes agree."""

import msgspec
import pytest

from moyai.node.demo_report import DemoReport, percentile, print_report

REPORT = DemoReport(
    transactions=100,
    refused=2,
    seconds=4.0,
    p50_ms=40.0,
    p99_ms=90.0,
    blocks=12,
    heights={"city hall": 12, "hospital": 12},
    state_roots={"city hall": "ab" * 32, "hospital": "ab" * 32},
    files=3,
    caught_up_seconds=0.5,
)


def test_the_table_has_every_figure(capsys: pytest.CaptureFixture[str]) -> None:
    print_report(REPORT)
    said = capsys.readouterr()
    for figure in ("100, 2 of them refused", "25 a second", "p50 40 ms, p99 90 ms", "in 0.5 s"):
        assert figure in said.out
    assert "state root equal on all nodes" in said.err


def test_nodes_that_differ_do_not_agree(capsys: pytest.CaptureFixture[str]) -> None:
    assert REPORT.is_agreed
    roots = {**REPORT.state_roots, "hospital": "cd" * 32}
    forked = msgspec.structs.replace(REPORT, state_roots=roots)
    assert not forked.is_agreed
    print_report(forked)
    assert "DO NOT AGREE" in capsys.readouterr().err
    behind = msgspec.structs.replace(REPORT, heights={"city hall": 12, "hospital": 11})
    assert not behind.is_agreed


@pytest.mark.parametrize(("share", "value"), [(0.5, 2.0), (0.99, 4.0), (0.01, 1.0), (1.0, 4.0)])
def test_percentiles_are_values_that_were_seen(share: float, value: float) -> None:
    assert percentile([4.0, 1.0, 3.0, 2.0], share) == value
