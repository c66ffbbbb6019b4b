"""The job of the demonstration notices what must not be."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from harness.real_city import RealCity
from moyai.client import Client
from moyai.node.demo_job import DemoJob
from moyai.node.errors import DemoError


@pytest.fixture
async def job(live_city: RealCity) -> AsyncIterator[DemoJob]:
    urls = [process.node.url for process in live_city.nodes if process.running]
    async with Client.connect(urls, trust=live_city.city.genesis) as client:
        yield DemoJob(client, live_city.city, lambda _text: None)


async def test_a_first_day_goes_through(job: DemoJob) -> None:
    await job.open_accounts()
    await job.bind_levels()
    await job.issue_coin()
    await job.transfer(10)
    await job.check_supply()
    assert job.refused == 2
    assert len(job.latencies_ms) == job.transactions - job.refused


async def test_files_are_registered_read_back_and_told_from_copies(
    job: DemoJob, tmp_path: Path
) -> None:
    paths = [tmp_path / "empty.txt", tmp_path / "plan.txt"]
    paths[0].write_text("")
    paths[1].write_text("two lanes")
    files = await job.register(paths)
    await job.read_back(files)
    for file in files:
        await job.try_altered_copy(file, tmp_path)
    paths[1].write_text("six lanes")
    with pytest.raises(DemoError, match="was changed meanwhile"):
        await job.read_back(files)
