"""The addresses of the release pages."""

from __future__ import annotations

from django.urls import URLPattern, path

from releases.views import audits, deploying, ledger, releases

urlpatterns: list[URLPattern] = [
    path("ledger", ledger.ledger_page, name="ledger"),
    path("ledger/verify", ledger.verify_ledger, name="ledger_verify"),
    path("ledger/<int:seq>", ledger.entry_page, name="ledger_entry"),
    path("releases", releases.releases_page, name="releases"),
    path("releases/make", releases.make, name="release_make"),
    path("releases/<slug:release_id>/", releases.release_page, name="release"),
    path("releases/<slug:release_id>/judge", releases.judge, name="release_judge"),
    path("releases/<slug:release_id>/sign", releases.sign, name="release_sign"),
    path("releases/<slug:release_id>/manifest", releases.write, name="release_write"),
    path("releases/<slug:release_id>/deploy", deploying.deploy, name="release_deploy"),
    path("releases/<slug:release_id>/rollback", deploying.roll_back, name="release_rollback"),
    path("releases/<slug:release_id>/conclude", deploying.conclude, name="release_conclude"),
    path("releases/operations/<int:number>/review", deploying.review, name="release_review"),
    path("audits", audits.audits_page, name="audits"),
    path("audits/start", audits.start_audit, name="start_audit"),
    path("audits/<slug:audit_id>/", audits.audit_page, name="audit"),
    path("audits/<slug:audit_id>/cancel", audits.cancel_audit, name="cancel_audit"),
    path("audits/<slug:audit_id>/waive", audits.waive, name="waive_flag"),
    path("audits/<slug:audit_id>/waivers/<int:number>/end", audits.take_back, name="take_waiver_back"),
    path("audits/<slug:audit_id>/files/<path:name>", audits.audit_file, name="audit_file"),
]
