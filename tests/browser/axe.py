"""What axe-core finds wrong with a page. Its rules are those of WCAG and of good practice, all of them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from .driving import Tab

PROGRAM = Path(__file__).parents[2] / "server/web/node_modules/axe-core/axe.min.js"


@cache
def _program() -> str:
    if not PROGRAM.is_file():
        pytest.fail("these tests need axe-core: (cd server/web && npm ci)")
    return PROGRAM.read_text()


async def found_wrong(tab: Tab) -> list[str]:
    """Each rule that is broken, and where. What is drawn by the graphics card no rule can look at."""
    if not await tab.ask("'axe' in window"):
        await tab.ask(_program())
    violations = await tab.ask("axe.run().then(({violations}) => violations)")
    return [
        f"{violation['id']}: {violation['help']}: {node['html'][:200]}"
        for violation in violations
        for node in violation["nodes"]
    ]
