"""The addresses of the monitoring pages."""

from __future__ import annotations

from django.urls import path

from monitoring.views import alerts, operations, prometheus, reports

urlpatterns = [
    path("alerts", alerts.alerts_page, name="alerts"),
    path("alerts/acknowledge", alerts.acknowledge, name="alerts_acknowledge"),
    path("alerts/clear", alerts.clear, name="alerts_clear"),
    path("alerts/silence", alerts.silence, name="alerts_silence"),
    path("alerts/silences/<int:pk>/end", alerts.end_silence, name="alerts_silence_end"),
    path("alerts/simulate", alerts.simulate, name="alerts_simulate"),
    path("alerts/metrics", alerts.metrics_page, name="metrics"),
    path("reports", reports.reports_page, name="reports"),
    path("health", operations.health_page, name="health"),
    path("pre-open", operations.preopen_page, name="preopen"),
    path("runbooks", operations.runbooks_page, name="runbooks"),
    path("runbooks/<slug:key>", operations.runbook_page, name="runbook"),
    path("metrics", prometheus.metrics, name="prometheus"),
]
