"""Makes the pictures of this folder: `python docs/pictures/make.py`.

Runs the example project with its leak and with its chart library in the first screen, and takes pictures of the comment
and of the HTML report. Then it measures each commit of three weeks of the example (story.py), and takes pictures of the
board and of the digest. Needs the development requirements and those of the example, Node, Chromium, and `npm ci` in
example_project/web.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import story
from markdown_it import MarkdownIt

HERE = Path(__file__).resolve().parent
EXAMPLE = HERE.parents[1] / "example_project"
LEAVE_OUT = ("__pycache__", ".*_cache", "node_modules", "dist", ".lighthouseci")
PLUGINS_OFF = [part for name in ("randomly", "asyncio", "anyio", "memray") for part in ("-p", f"no:{name}")]
PAGE = """<!doctype html>
<meta charset="utf-8">
<style>
  body {{ margin: 0; padding: 24px; background: #f6f8fa; font: 14px/1.5 system-ui, sans-serif; color: #1f2328; }}
  main {{ max-width: 920px; margin: auto; background: white; border: 1px solid #d1d9e0; border-radius: 6px; }}
  header {{ padding: 8px 16px; background: #f6f8fa; border-bottom: 1px solid #d1d9e0; border-radius: 6px 6px 0 0; }}
  article {{ padding: 0 16px 8px; }}
  h3 {{ font-size: 1.25em; }}
  table {{ border-collapse: collapse; display: block; overflow-x: auto; }}
  td, th {{ border: 1px solid #d1d9e0; padding: 6px 10px; white-space: nowrap; }}
  tr:nth-child(even) td {{ background: #f6f8fa; }}
  code {{ font: 12px ui-monospace, monospace; background: #eff1f3; border-radius: 6px; padding: 2px 5px; }}
  pre {{ background: #f6f8fa; border-radius: 6px; padding: 16px; overflow-x: auto; }}
  pre code {{ background: none; padding: 0; }}
</style>
<main><header><b>github-actions</b> bot commented</header><article>{body}</article></main>
"""


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        of_a_change(copied(Path(name, "shop")))
        of_a_history(copied(Path(name, "history")))
    return 0


def copied(work: Path) -> Path:
    shutil.copytree(EXAMPLE, work, ignore=shutil.ignore_patterns(*LEAVE_OUT))
    return work


def of_a_change(work: Path) -> None:
    (work / "web/node_modules").symlink_to(EXAMPLE / "web/node_modules")
    shutil.copy(work / "variants/leaky_middleware.py", work / "shop/middleware.py")
    shutil.copy(work / "variants/main_eager.js", work / "web/src/main.js")
    run(work, "npm", "--prefix", "web", "run", "--silent", "build")
    gate = ("-m", "pytest", *PLUGINS_OFF, "--memgate", "--memgate-report=run.json", "-m", "not memgate_page")
    run(work, sys.executable, *gate, expected=1)
    text = run(work, "memgate", "report", "run.json")
    run(work, "memgate", "report", "run.json", "--format=html", "--output=report.html")
    comment = work / "comment.html"
    body = MarkdownIt("gfm-like", {"html": True}).render(text).replace("<details>", "<details open>", 1)
    body = body.replace("❌", "✖")  # not every machine has a font for it
    comment.write_text(PAGE.format(body=body), encoding="utf-8")
    picture(comment, "comment.png", "1000,800")
    picture(work / "report.html", "report.png", "1200,900")


def of_a_history(work: Path) -> None:
    story.write(work, EXAMPLE)
    first = run(work, "git", "rev-list", "--max-parents=0", "HEAD").strip()
    run(work, "memgate", "history", "backfill", f"{first}..HEAD", "tests", *PLUGINS_OFF)
    released = f"HEAD~{len(story.CHANGES) - 1 - story.RELEASE}"
    run(work, "memgate", "history", "mark", story.RELEASED, f"--commit={released}")
    changes = run(work, "memgate", "history", "check", expected=1)
    explained = next(line.split()[0] for line in changes.splitlines() if story.EXPLAINED in line)
    run(work, "memgate", "history", "ack", explained, f"--reason={story.REASON}")
    run(work, "memgate", "history", "build", "--output=site")
    run(work, "memgate", "history", "digest", "--month=2026-11", "--format=html", "--output=digest.html")
    picture(work / "site/index.html", "board.png", "1200,900")
    picture(work / "digest.html", "digest.png", "1200,1000")


def run(folder: Path, *command: str, expected: int = 0) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, encoding="utf-8", check=False
    )
    if done.returncode != expected:
        raise SystemExit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def picture(page: Path, name: str, size: str, more: Sequence[str] = ()) -> None:
    chrome = next(filter(None, map(shutil.which, ("google-chrome", "chromium", "chromium-browser"))), "")
    if not chrome:
        raise SystemExit("no Chrome or Chromium on PATH")
    flags = ("--headless", "--no-sandbox", "--hide-scrollbars", "--virtual-time-budget=5000", f"--window-size={size}")
    run(page.parent, chrome, *flags, *more, f"--screenshot={HERE / name}", page.as_uri())
    print(f"wrote {name}")


if __name__ == "__main__":
    sys.exit(main())
