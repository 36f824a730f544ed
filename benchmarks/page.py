"""How long a page of many probes takes to write, and to open in Chromium: `make bench-page`.

The probes have answers of forty words; `--hostile` gives each model 100,000 brackets to say instead.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.reporting.formats import render
from tests.support.records import GATES, answer, probe, record

OPEN = """
import { chromium } from "playwright-core";
const [address, executablePath] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
for (let round = 0; round < 5; round++) {
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 900 } })).newPage();
  await page.goto(address);
  const seconds = await page.evaluate(async () => {
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const painted = performance.now();
    const loaded = performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd;
    const words = document.querySelector("input[type=search]");
    words.value = "seven";
    words.dispatchEvent(new Event("input", { bubbles: true }));
    const before = performance.now();
    const status = document.querySelector("[role=status]");
    await new Promise((done) => new MutationObserver(done).observe(status, { childList: true }));
    return [loaded, painted, performance.now() - before].map((time) => (time / 1000).toFixed(2));
  });
  console.log(`DOM loaded ${seconds[0]} s, painted and filtered ${seconds[1]} s, first search ${seconds[2]} s`);
  await page.context().close();
}
await browser.close();
"""
WORDS = [
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "the",
    "a",
    "of",
    "and",
    "is",
    "it",
]
SUITES = 15


def probes(n: int, hostile: bool) -> Iterator[dict[str, Any]]:
    """Made-up probes, a third of them lost."""
    chance = random.Random(0)
    for place in range(n):
        before, after = ("[" * 100_000 if hostile else " ".join(chance.choices(WORDS, k=40)) for _ in "ab")
        change = chance.choice(("lost", "kept", "missed"))
        sides = {
            "baseline": answer(before, change != "missed"),
            "tuned": answer(after + "." * hostile, change == "kept"),
        }
        yield probe(
            f"p{place}", change, suite=f"suite-{place % SUITES}", category=f"part-{place % 4}", **sides
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--probes", type=int, default=10_000)
    parser.add_argument("--hostile", action="store_true")
    options = parser.parse_args()
    made = record(GATES, list(probes(options.probes, options.hostile)))
    began = time.process_time()
    page = render(made, "html")
    print(
        f"{options.probes:,} probes: written in {time.process_time() - began:.1f} s, {len(page) / 1e6:.1f} MB"
    )
    chromium = shutil.which("chromium")
    modules = Path(__file__).parents[1] / "tests" / "page" / "node_modules"
    if chromium is None or not modules.is_dir():
        print("not opened: that takes Chromium, and `make test-page` once")
        return
    with tempfile.TemporaryDirectory(dir=modules.parent) as folder:  # where Node.js finds the packages
        path, script = Path(folder) / "page.html", Path(folder) / "open.mjs"
        path.write_text(page, encoding="utf-8")
        script.write_text(OPEN, encoding="utf-8")
        subprocess.run(["node", str(script), path.as_uri(), chromium], check=True)


if __name__ == "__main__":
    main()
