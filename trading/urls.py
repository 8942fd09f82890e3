"""The addresses of the trading pages."""

from __future__ import annotations

from django.urls import path

from trading.views import (
    backtests,
    broker,
    data,
    guide,
    live,
    parity,
    preferences,
    risk,
    sentiment,
    state,
    tables,
    telemetry,
    tokens,
)

urlpatterns = [
    path("", live.live_page, name="live"),
    path("engine/control", live.control_engine, name="control"),
    path("engine/command", live.command_engine, name="command_engine"),
    path("engine/commands/<int:pk>", live.command_page, name="command"),
    path("chart/<str:symbol>/", live.chart_page, name="chart"),
    path("chart/<str:symbol>/data", live.chart_data, name="chart_data"),
    path("state", state.state, name="state"),
    path("preferences", preferences.preferences, name="preferences"),
    *(path(f"{name}/", tables.table_page, {"name": name}, name=name) for name in tables.TABLES),
    path("orders/<int:pk>/", tables.order_page, name="order"),
    path("risk", risk.risk_page, name="risk"),
    path("risk/kill", risk.kill, name="risk_kill"),
    path("risk/release", risk.release, name="risk_release"),
    path("risk/differences/<int:pk>/accept", risk.accept_difference, name="risk_accept"),
    path("broker", broker.broker_page, name="broker"),
    path("broker/login", broker.begin_login, name="broker_login"),
    path("broker/breeze/callback", broker.login_callback, name="broker_callback"),
    path("broker/forget", broker.forget_session, name="broker_forget"),
    path("broker/arm", broker.arm_live, name="broker_arm"),
    path("tour", guide.tour_page, name="tour"),
    path("glossary", guide.glossary_page, name="glossary"),
    path("parity", parity.parity_page, name="parity"),
    path("data", data.data_page, name="data"),
    path("data/fetch", data.start_fetch, name="start_fetch"),
    path("data/fetchings/<int:pk>/cancel", data.cancel_fetch, name="cancel_fetch"),
    path("sentiment", sentiment.sentiment_page, name="sentiment"),
    path("tokens", tokens.tokens_page, name="tokens"),
    path("tokens/<str:prefix>/revoke", tokens.revoke_token, name="token_revoke"),
    path("telemetry", telemetry.telemetry_page, name="telemetry"),
    path("backtests/", backtests.backtests_page, name="backtests"),
    path("backtests/<int:pk>/", backtests.backtest_page, name="backtest"),
    path("backtests/<int:pk>/compare", backtests.compare_page, name="compare_backtests"),
    path("backtests/<int:pk>/cancel", backtests.cancel_backtest, name="cancel_backtest"),
    path("backtests/<int:pk>/resume", backtests.resume_backtest, name="resume_backtest"),
    path("backtests/<int:pk>/trades.csv", backtests.backtest_csv, name="backtest_csv"),
]
