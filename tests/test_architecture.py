"""The house keeps its shape: imports flow one way, the core is pure, and what is promised exists."""

import ast
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command

from sensequant.config import ROOT, Desk
from sensequant.lib import env

LADDER = ["releases", "monitoring", "models_ml", "trading", "sensequant"]
CODE = [file for app in LADDER for file in (ROOT / app).rglob("*.py") if "migrations" not in file.parts]
HEAVY = {"pandas", "numba", "llvmlite", "scipy", "sklearn", "lightgbm", "pyarrow", "plotly", "matplotlib"}


def run(*command):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def fresh(code):
    """Run ``code`` in an interpreter of its own."""
    return run(sys.executable, "-c", code)


def test_imports_keep_to_the_ladder_and_the_storeys():
    done = run(str(Path(sys.executable).with_name("lint-imports")), "--no-cache")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr


def test_the_code_is_formatted_and_linted():
    for command in (["format", "--check", "."], ["check", "."]):
        done = run(sys.executable, "-m", "ruff", *command, "--no-cache")
        assert done.returncode == 0, done.stdout[-4000:]


@pytest.mark.django_db
def test_every_change_of_the_models_has_its_migration():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_the_cores_run_without_django():
    files = [file.relative_to(ROOT).with_suffix("") for file in ROOT.glob("*/core/**/*.py")]
    imports = "; ".join("import " + ".".join(file.parts).removesuffix(".__init__") for file in files)
    check = (
        f"import sys; bad = {{'django', 'celery', 'sensequant', *{HEAVY!r}}} & set(sys.modules); assert not bad, bad"
    )
    done = fresh(f"{imports}; {check}")
    assert done.returncode == 0, done.stderr


ENGINE = ["trading.services.engine", "trading.services.runner", "trading.core.desk", "sensequant.lib.broadcast"]
WEB = ["sensequant.asgi", "sensequant.urls", "sensequant.celery"]


@pytest.mark.parametrize("modules", [ENGINE, WEB], ids=["engine", "web"])
def test_engine_and_web_load_nothing_heavy(modules):
    there = [name for name in modules if _exists(name)]
    code = (
        "import os, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.settings'; import django; django.setup(); "
        f"import {', '.join(there)}; bad = {HEAVY!r} & set(sys.modules); assert not bad, bad"
    )
    done = fresh(code)
    assert done.returncode == 0, done.stderr


def test_an_engine_carries_no_page_of_the_admin():
    code = (
        "import os, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'tests.settings'; import django; django.setup(); "
        "import trading.services.runner; "
        "bad = [name for name in sys.modules if '.admin' in name and not name.startswith('django.')]; "
        "assert not bad, bad"
    )
    done = fresh(code)
    assert done.returncode == 0, done.stderr


def _exists(name):
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def test_foreign_keys_point_down_the_ladder():
    for model in apps.get_models():
        if model._meta.app_label not in LADDER:
            continue
        for field in model._meta.get_fields():
            other = getattr(field, "related_model", None)
            if field.concrete and field.is_relation and other and other._meta.app_label in LADDER:
                here, there = LADDER.index(model._meta.app_label), LADDER.index(other._meta.app_label)
                assert here <= there, f"{model.__name__}.{field.name} points up"


def test_no_file_and_no_function_outgrows_the_house():
    for file in CODE:
        text = file.read_text()
        assert text.count("\n") <= 400, f"{file.relative_to(ROOT)} is over 400 lines"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = _lines_without_docstring(node)
                assert length <= 40, f"{file.relative_to(ROOT)}: {node.name} has {length} lines"


def _lines_without_docstring(node):
    first = node.body[0]
    told = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    docstring = first.end_lineno - first.lineno + 1 if told else 0
    return node.end_lineno - node.lineno + 1 - docstring


def test_nothing_is_left_for_later():
    pattern = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    guilty = [str(file.relative_to(ROOT)) for file in CODE if pattern.search(file.read_text())]
    assert guilty == []


def test_only_the_clock_reads_the_clock():
    guilty = [
        str(file.relative_to(ROOT))
        for file in CODE
        if re.search(r"datetime\.now\(|timezone\.now\(|\.utcnow\(|date\.today\(|time\.time\(", file.read_text())
        and file != ROOT / "sensequant/lib/clock.py"
    ]
    assert guilty == []


def test_every_setting_the_code_reads_exists():
    known = {row.attribute for row in env.rows(Desk)}
    for file in CODE:
        for name in re.findall(r"settings\.DESK\.([a-z_0-9]+)", file.read_text()):
            assert name in known, f"{file.relative_to(ROOT)} reads DESK.{name}"


def test_every_setting_is_in_the_example_file():
    text = (ROOT / ".env.example").read_text()
    missing = [row.name for row in env.rows(Desk) if not re.search(rf"^{row.name}=", text, re.MULTILINE)]
    assert missing == []


def test_every_pinned_package_is_exact_and_says_why():
    lines = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line and not line.startswith("#")]
    assert all(re.match(r"[A-Za-z0-9_.-]+==[0-9][^ ]*( +# .+)?$", line) for line in lines)


def test_the_lock_file_names_no_private_address():
    text = (ROOT / "package-lock.json").read_text()
    addresses = set(re.findall(r"https?://([^/\"]+)", text))
    assert addresses <= {"registry.npmjs.org", "opencollective.com", "github.com"}


@pytest.mark.parametrize(
    "target",
    [
        "run",
        "test",
        "check",
        "lint",
        "bench",
        "setup",
        "release-validate",
        "release-manifest",
    ],
)
def test_the_makefile_has_its_targets(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_the_configuration_reference_is_the_table_of_settings():
    text = (ROOT / "docs/configuration.md").read_text()
    assert text == env.as_markdown(Desk), "python -m sensequant.config --markdown > docs/configuration.md"
