"""Trainings over REST and in the admin: to be read, narrowed and opened, not to be changed."""

import datetime as dt

import pytest
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse

from models_ml.models import StudentRun, TeacherRun
from sensequant.lib.clock import IST
from tests.trading import rows

pytestmark = pytest.mark.django_db
AT = dt.datetime(2026, 11, 23, 18, 0, tzinfo=IST)


@pytest.fixture
def trained(db):
    teacher = TeacherRun.objects.create(
        symbol="RELIANCE", symbols=["RELIANCE"], start="2024-01-01", end="2024-03-29", status="success",
        metrics={"precision": 0.4, "f1": None}, evaluation={"accuracy": 0.5}, created_at=AT, created_by="shell",
    )  # fmt: skip
    for kind, leak in (("logistic", False), ("lightgbm", True)):
        StudentRun.objects.create(
            symbol="RELIANCE", symbols=["RELIANCE"], teacher=teacher, teacher_artifacts_path="data/models/x/teacher",
            model_type=kind, suspected_leak=leak, status="success", recommendation="REJECT", created_at=AT,
        )  # fmt: skip
    return teacher


@pytest.fixture
def staff(db):
    client = Client()
    client.force_login(rows.people()["staff"])
    return client


def test_trainings_are_listed_and_opened(trained, staff):
    listed = staff.get("/api/v1/teachers?symbol=RELIANCE&status=success").json()["items"]
    assert [each["id"] for each in listed] == [trained.pk]
    assert listed[0]["metrics"] == {"precision": 0.4, "f1": None}
    assert "evaluation" not in listed[0]
    assert staff.get(f"/api/v1/teachers/{trained.pk}").json()["evaluation"] == {"accuracy": 0.5}
    assert staff.get("/api/v1/teachers?symbol=TCS").json()["items"] == []
    assert staff.get("/api/v1/teachers/9999").status_code == 404


def test_students_are_narrowed_by_kind_and_by_suspicion(trained, staff):
    def kinds(query):
        return [each["model_type"] for each in staff.get(f"/api/v1/students?{query}").json()["items"]]

    assert kinds("") == ["lightgbm", "logistic"]
    assert kinds("model_type=logistic") == ["logistic"]
    assert kinds("suspected_leak=true") == ["lightgbm"]
    assert kinds("suspected_leak=false") == ["logistic"]
    assert kinds("end=2026-11-22") == []


def test_the_admin_shows_them_and_lets_nobody_change_them(trained, staff):
    for name, row in (("teacherrun", trained), ("studentrun", StudentRun.objects.first())):
        assert staff.get(reverse(f"admin:models_ml_{name}_changelist")).status_code == 200
        assert staff.get(reverse(f"admin:models_ml_{name}_change", args=[row.pk])).status_code == 200
        assert staff.get(reverse(f"admin:models_ml_{name}_add")).status_code == 403
        assert staff.post(reverse(f"admin:models_ml_{name}_delete", args=[row.pk])).status_code == 403


def test_a_window_of_a_batch_is_trained_once(trained):
    told = {"symbols": ["TCS"], "start": "2024-01-01", "end": "2024-03-29", "created_at": AT}
    TeacherRun.objects.create(batch_id="batch_1", window_label="TCS_2024Q1", **told)
    with pytest.raises(IntegrityError):
        TeacherRun.objects.create(batch_id="batch_1", window_label="TCS_2024Q1", **told)
