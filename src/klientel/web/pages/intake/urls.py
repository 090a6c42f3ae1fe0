"""Addresses."""

from __future__ import annotations

from django.urls import path

from klientel.web.pages.intake import backups, demo, history, uploads, wizard

app_name = "intake"
urlpatterns = [
    path("imports", history.index, name="index"),
    path("imports/<int:number>", history.show, name="show"),
    path("imports/<int:number>/undo", history.undo, name="undo"),
    path("imports/<int:number>/rejected/<str:name>", history.rejected, name="rejected"),
    path("imports/demo", demo.remove, name="demo"),
    path("imports/new", uploads.start, name="new"),
    path("imports/new/upload", uploads.upload, name="upload"),
    path("imports/new/<str:token>/upload", uploads.upload, name="add"),
    path("imports/new/<str:token>/leave-out", uploads.leave_out, name="leave-out"),
    path("imports/new/<str:token>/drop", uploads.drop, name="drop"),
    path("imports/new/<str:token>", wizard.draft, name="draft"),
    path("imports/new/<str:token>/choose", wizard.choose, name="choose"),
    path("imports/new/<str:token>/template", wizard.template, name="template"),
    path("imports/new/<str:token>/check", wizard.check, name="check"),
    path("imports/new/<str:token>/try", wizard.dry_run, name="try"),
    path("imports/new/<str:token>/tried", wizard.tried, name="tried"),
    path("imports/new/<str:token>/rejected/<str:name>", wizard.rejected, name="draft-rejected"),
    path("imports/new/<str:token>/commit", wizard.commit, name="commit"),
    path("backups", backups.index, name="backups"),
    path("backups/<str:name>", backups.download, name="backup"),
]
