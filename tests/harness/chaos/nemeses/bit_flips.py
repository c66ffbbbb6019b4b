"""Bits turn over in the files of a stopped node: it must notice, or never answer from them."""

import asyncio
from pathlib import Path

from typing_extensions import override

from harness.chaos.city import ChaosCity
from harness.chaos.nemeses.lost_data import LostData

FLIPS_MAX = 24
WATCHED_SECONDS = 4.0


class BitFlips(LostData):
    """Random bits of the chain store or of the journal; what the node answers is judged as ever."""

    name = "bit flips"

    @override
    async def inject(self, city: ChaosCity) -> None:
        victim = self.choose(city)
        await victim.stop()
        file = city.chance.choice([victim.journal_file, victim.chain_file])
        _flip(city, file)
        victim.start()
        for _ in range(int(WATCHED_SECONDS / 0.1)):
            if not victim.process.running:
                self.noticed += 1
                return
            await asyncio.sleep(0.1)
        self.unread += 1
        victim.kill()


def _flip(city: ChaosCity, file: Path) -> None:
    size = file.stat().st_size
    with file.open("r+b") as data:
        for _ in range(city.chance.randint(1, FLIPS_MAX)):
            place = city.chance.randrange(size)
            data.seek(place)
            byte = data.read(1)[0] ^ (1 << city.chance.randrange(8))
            data.seek(place)
            data.write(bytes((byte,)))
