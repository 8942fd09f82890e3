"""A desk on its first day: every page that has nothing to show yet says what to do about it."""

import pytest
from django.contrib.auth.models import User

NEXT = {
    "/": "make run", "/orders/": "make run", "/positions/": "make run", "/signals/": "make run",
    "/journal/": "make run", "/risk": "manage.py engine --help", "/pre-open": "manage.py monitor run",
    "/alerts": "manage.py monitor run",
    "/health": "manage.py engine --help", "/broker": "BREEZE_API_KEY", "/data": "manage.py validate_bars",
    "/sentiment": "SENTIMENT_ENABLE_NEWSAPI", "/telemetry": "--enable-telemetry", "/reports": "make run",
    "/backtests/": "manage.py backtest --help", "/research/optimizations": "manage.py optimize --help",
    "/research/training": "manage.py train_teacher_batch --help", "/models": "manage.py promote_student_models",
    "/parity": "make run", "/releases": 'href="/audits"', "/audits": "manage.py release_audit --help",
    "/ledger": "manage.py ledger run", "/tokens": "Make one above", "/alerts/metrics": "manage.py monitor run",
}  # fmt: skip


@pytest.mark.parametrize("address", NEXT)
def test_an_empty_page_says_what_to_do_next(db, client, settings, tmp_path, address):
    settings.SENSEQUANT_HOME = tmp_path
    client.force_login(User.objects.create_superuser("asha"))
    page = client.get(address).content.decode()
    assert NEXT[address] in page[page.index("<main") :]
