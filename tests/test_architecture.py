"""The architecture's never-rules that import-linter can't hold."""

import ast
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
APPS = ("config", "organisations", "costing", "portfolio")
PURE = (
    "organisations.roles",
    "portfolio.lifecycle",
    *(f"portfolio.questionnaire.{p.stem}" for p in (ROOT / "portfolio/questionnaire").glob("[a-z]*.py")),
    *(f"portfolio.governance.{p.stem}" for p in (ROOT / "portfolio/governance").glob("[a-z]*.py")),
    *(f"costing.engine.{p.stem}" for p in (ROOT / "costing/engine").glob("[a-z]*.py")),
    *(f"costing.charts.{p.stem}" for p in (ROOT / "costing/charts").glob("[a-z]*.py")),
    "portfolio.reports.blocks",
    "portfolio.reports.pdf",
)
IMPURE = ("django", "celery", "redis", "psycopg", "sqlite3", "urllib.request", "http.client")


def sources(*folders: str) -> list[Path]:
    return [p for folder in folders for p in (ROOT / folder).rglob("*.py") if "migrations" not in p.parts]


def test_pure_cores_import_no_framework() -> None:
    """In a fresh interpreter, importing the pure modules one by one loads no framework, database or network client."""
    code = f"""
import importlib, sys
for module in {PURE!r}:
    importlib.import_module(module)
    if loaded := [name for name in {IMPURE!r} if name in sys.modules]:
        sys.exit(f"{{module}} loads {{loaded}}")
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def calls(path: Path) -> list[ast.Attribute]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]


def test_jobs_are_sent_only_from_actions_and_tasks() -> None:
    allowed = re.compile(r"(actions(/\w+)?|tasks|projections|apps)\.py$")
    found = [
        str(path.relative_to(ROOT))
        for path in sources(*APPS)
        if any(node.attr in {"delay", "apply_async"} for node in calls(path)) and not allowed.search(str(path))
    ]
    assert found == []


def test_tasks_take_ids_and_call_one_function() -> None:
    for path in sources(*APPS):
        if path.name != "tasks.py":
            continue
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.decorator_list:
                statements = [
                    s for s in node.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))
                ]
                types = [ast.unparse(a.annotation) for a in node.args.args if a.annotation and a.arg != "self"]
                assert (len(statements), set(types) <= {"int"}) == (1, True), f"{path.name}: {node.name}"


def test_templates_have_no_inline_scripts_or_foreign_hosts() -> None:
    bad = re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)|\son\w+=\"|(?:src|href)=\"(?:https?:)?//", re.I)
    found = {
        str(p.relative_to(ROOT)): match.group()
        for p in (ROOT / "templates").rglob("*.html")
        if (match := bad.search(p.read_text(encoding="utf-8")))
    }
    assert found == {}


def test_static_files_name_no_other_host() -> None:
    found = [
        f"{p.relative_to(ROOT)}: {url}"
        for p in (ROOT / "static").rglob("*")
        if p.suffix in {".css", ".js", ".svg"}
        for url in re.findall(r"https?://[^\s\"')]+", p.read_text(encoding="utf-8"))
        if not url.startswith("http://www.w3.org/")
    ]
    assert found == []


def test_source_modules_stay_readable_at_once() -> None:
    long = {str(p.relative_to(ROOT)): n for p in sources(*APPS) if (n := len(p.read_text().splitlines())) > 500}
    assert long == {}


def test_package_init_files_are_empty_or_pure() -> None:
    for path in sources("organisations", "costing", "portfolio"):
        if path.name == "__init__.py":
            assert not re.search(r"^\s*(from|import) (django|celery)", path.read_text(), re.M), path
